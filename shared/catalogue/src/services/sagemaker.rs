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
        policy("CreateEndpoint", LimitRaised, "starts machines that serve a model").about(ENDPOINT).routine(),
        policy("UpdateEndpoint", LimitRaised, "changes the machines that serve a model").about(ENDPOINT).routine(),
        policy("UpdateEndpointWeightsAndCapacities", LimitRaised, "changes how many machines serve a model")
            .about(ENDPOINT).routine(),
        context("DeleteEndpoint", "machines that served a model stopped").about(ENDPOINT),
        spend("InvokeEndpoint", "a model answers").about(ENDPOINT).data(DATA),
        spend("InvokeEndpointAsync", "a model answers later").about(ENDPOINT).data(DATA),
        spend("InvokeEndpointWithResponseStream", "a model answers").about(ENDPOINT).data(DATA),
    ],
);
