//! Amazon SageMaker endpoints (`sagemaker.amazonaws.com`): models that run on the account's own machines.
//!
//! Source: SageMaker API reference; "Logging Amazon SageMaker AI API calls using AWS CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, context, policy, service, spend};
use PolicyEffect::{AccessEnabled, LimitRaised};

const ENDPOINT: About = About::Resource(&["endpointName"]);
const DATA: &str = "AWS::SageMaker::Endpoint";

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::SageMaker,
    &["sagemaker", "sagemaker-runtime"],
    [
        policy("CreateModel", AccessEnabled, "brings a model in").routine(),
        // Machines bill by the hour from the moment they start, whoever calls them.
        policy("CreateEndpoint", LimitRaised, "starts machines that bill by the hour").about(ENDPOINT),
        policy("UpdateEndpoint", LimitRaised, "changes the machines that bill by the hour").about(ENDPOINT),
        // Scaling does this all day.
        policy("UpdateEndpointWeightsAndCapacities", LimitRaised, "changes how many machines serve a model")
            .about(ENDPOINT).routine(),
        context("DeleteEndpoint", "machines that served a model stopped").about(ENDPOINT),
        spend("InvokeEndpoint", "a model answers").about(ENDPOINT).data(DATA),
        spend("InvokeEndpointAsync", "a model answers later").about(ENDPOINT).data(DATA),
        spend("InvokeEndpointWithResponseStream", "a model answers").about(ENDPOINT).data(DATA),
    ],
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn machines_that_are_started_are_capacity_and_scaling_them_is_routine() {
        let routine = |name: &str| {
            call(
                Service::SageMaker,
                name,
                r#"{"endpointName":"e","endpointConfigName":"c"}"#,
            )
            .routine
        };
        assert!(!routine("CreateEndpoint") && !routine("UpdateEndpoint"));
        assert!(routine("UpdateEndpointWeightsAndCapacities"));
    }
}
