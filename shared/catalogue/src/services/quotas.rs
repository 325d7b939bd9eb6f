//! Where limits are raised by asking: Service Quotas (`servicequotas.amazonaws.com`) and AWS Support
//! (`support.amazonaws.com`).
//!
//! Source: Service Quotas and AWS Support API references, and their pages on logging with CloudTrail.

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Rule, context, policy, probe, service};
use crate::parameters::Parameters;
use crate::ruling::Ruling;
use PolicyEffect::LimitRaised;

/// Service Quotas' codes of the services whose use is watched.
const WATCHED_CODES: &[&str] = &[
    "ses",
    "sns",
    "sms-voice",
    "bedrock",
    "bedrock-agentcore",
    "bedrock-mantle",
    "sagemaker",
    "workmail",
    "cognito-idp",
];

const QUOTA: About = About::Resource(&["serviceCode"]);
const OF_WATCHED: Rule = Rule::Judged(
    "routine, unless serviceCode is a service whose use is watched",
    of_watched,
);

#[rustfmt::skip] // one call a line
pub(crate) const SERVICE_QUOTAS: &[Call] = &service(
    Service::ServiceQuotas,
    &["service-quotas"],
    [
        probe("GetServiceQuota", "how much could be used").about(QUOTA),
        probe("ListServiceQuotas", "how much could be used").about(QUOTA),
        probe("GetAWSDefaultServiceQuota", "how much could be used").about(QUOTA),
        probe("ListAWSDefaultServiceQuotas", "how much could be used").about(QUOTA),
        policy("RequestServiceQuotaIncrease", LimitRaised, "asks for a higher limit").about(QUOTA).when(OF_WATCHED),
        policy("PutServiceQuotaIncreaseRequestIntoTemplate", LimitRaised, "asks for higher limits in new accounts")
            .about(QUOTA).when(OF_WATCHED),
        policy("UpdateServiceQuotaIncreaseRequestStatus", LimitRaised, "AWS grants a higher limit")
            .routine().when(Rule::Holds("newStatus", &["APPROVED"]))
            .outside_sdk("an event of the service, not a call"),
        policy("AssociateServiceQuotaTemplate", LimitRaised, "asks for the template's limits in new accounts"),
        policy("StartAutoManagement", LimitRaised, "lets limits be raised by themselves"),
        policy("UpdateAutoManagement", LimitRaised, "changes how limits are raised by themselves"),
        policy("CreateSupportCase", LimitRaised, "asks people for a higher limit"),
        context("StopAutoManagement", "limits are no longer raised by themselves"),
        context("DisassociateServiceQuotaTemplate", "new accounts start with the usual limits"),
        context("DeleteServiceQuotaIncreaseRequestFromTemplate", "a higher limit no longer asked for"),
    ],
);

#[rustfmt::skip] // one call a line
pub(crate) const SUPPORT: &[Call] = &service(
    Service::Support,
    &["support"],
    [
        policy("CreateCase", LimitRaised, "asks people for a higher limit")
            .when(Rule::Judged("routine, unless the case is about a limit", about_a_limit)),
        context("ResolveCase", "a case closed"),
    ],
);

fn of_watched(parameters: &Parameters, row: Ruling) -> Ruling {
    let code = parameters.text("serviceCode").unwrap_or_default();
    let watched = code.is_empty() || WATCHED_CODES.iter().any(|known| known.eq_ignore_ascii_case(&code));
    let quota = parameters.text("quotaCode").unwrap_or_default();
    let row = row.valued(format!("{code}/{quota}"));
    if watched { row } else { row.routine() }
}

fn about_a_limit(parameters: &Parameters, row: Ruling) -> Ruling {
    let about_limit = ["serviceCode", "categoryCode", "issueType"].iter().any(|path| {
        parameters
            .text(path)
            .is_some_and(|text| text.contains("limit") || text.contains("quota"))
    });
    if about_limit { row } else { row.routine() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, of, record};
    use tripmeter_model::{Kind, Record};

    #[test]
    fn a_limit_is_asked_for_where_use_is_watched_and_elsewhere_as_routine() {
        let ask = |code: &str| {
            let parameters = format!(r#"{{"serviceCode":"{code}","quotaCode":"L-1","desiredValue":9000.0}}"#);
            call(Service::ServiceQuotas, "RequestServiceQuotaIncrease", &parameters)
        };
        assert!(!ask("bedrock").routine && !ask("ses").routine);
        assert!(ask("ec2").routine);
        assert_ne!(ask("bedrock").shape, ask("ses").shape);
    }

    #[test]
    fn a_limit_that_aws_grants_is_read_from_the_events_own_details() {
        let granted = |status: &'static str| {
            of(&Record {
                event_name: "UpdateServiceQuotaIncreaseRequestStatus".into(),
                request_parameters: None,
                service_event_details: Some(status),
                ..record(Service::ServiceQuotas)
            })
            .kind
        };
        assert_eq!(
            granted(r#"{"newStatus":"APPROVED","newQuotaValue":500}"#),
            Kind::PolicyChange
        );
        assert_eq!(granted(r#"{"newStatus":"DENIED"}"#), Kind::Context);
    }

    #[test]
    fn a_support_case_about_a_limit_is_no_routine() {
        let limit = r#"{"issueType":"customer-service","serviceCode":"service-limit-increase"}"#;
        assert!(!call(Service::Support, "CreateCase", limit).routine);
        assert!(call(Service::Support, "CreateCase", r#"{"serviceCode":"amazon-s3"}"#).routine);
    }
}
