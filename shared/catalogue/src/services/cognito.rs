//! Amazon Cognito user pools (`cognito-idp.amazonaws.com`): sign-ups and codes are sent by SMS and mail.
//!
//! Which of the two, and where to, is in no record. Source: Cognito user pools API reference; "Amazon Cognito
//! logging in AWS CloudTrail".

use tripmeter_model::{PolicyEffect, Service};

use crate::call::{About, Call, Rule, context, policy, probe, service, spend};
use crate::parameters::Parameters;
use crate::ruling::Ruling;
use PolicyEffect::SenderAdded;

const POOL: About = About::Resource(&["userPoolId", "clientId", "poolName"]);
const SMS: Rule = Rule::Judged("routine, unless the pool is set up to send SMS", sms);

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Cognito,
    &["cognito-idp"],
    [
        probe("ListUserPools", "which pools could send"),
        policy("CreateUserPool", SenderAdded, "makes a pool that sends SMS").about(POOL).when(SMS),
        policy("UpdateUserPool", SenderAdded, "lets a pool send SMS").about(POOL).when(SMS),
        policy("SetUserPoolMfaConfig", SenderAdded, "lets a pool send SMS as a second factor").about(POOL).when(SMS),
        context("DeleteUserPool", "a pool removed").about(POOL),
        spend("SignUp", "a code is sent to a new user").about(POOL),
        spend("AdminCreateUser", "an invitation is sent")
            .about(POOL).when(Rule::Judged("unless messageAction is SUPPRESS", invitation)),
        spend("ResendConfirmationCode", "a code is sent again").about(POOL),
        spend("ForgotPassword", "a code is sent").about(POOL),
        spend("AdminResetUserPassword", "a code is sent").about(POOL),
        spend("GetUserAttributeVerificationCode", "a code is sent"),
    ],
);

fn sms(parameters: &Parameters, row: Ruling) -> Ruling {
    let sends = ["smsConfiguration", "smsMfaConfiguration.smsConfiguration"]
        .iter()
        .any(|path| !parameters.is_empty(path));
    if sends { row.valued("sms") } else { row.routine() }
}

fn invitation(parameters: &Parameters, row: Ruling) -> Ruling {
    match parameters.text("messageAction") {
        Some(action) if action.eq_ignore_ascii_case("SUPPRESS") => row.context(),
        _ => row,
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::Kind;

    use super::*;
    use crate::testing::{call, kind};

    #[test]
    fn a_pool_matters_when_it_sends_sms() {
        let sends = r#"{"poolName":"p","smsConfiguration":{"snsCallerArn":"arn:aws:iam::1:role/sms"}}"#;
        assert!(!call(Service::Cognito, "CreateUserPool", sends).routine);
        assert!(
            call(
                Service::Cognito,
                "CreateUserPool",
                r#"{"poolName":"p","smsConfiguration":{}}"#
            )
            .routine
        );
    }

    #[test]
    fn an_invitation_that_is_suppressed_is_not_sent() {
        assert_eq!(
            kind(Service::Cognito, "AdminCreateUser", r#"{"userPoolId":"p"}"#),
            Kind::Use
        );
        let suppressed = r#"{"userPoolId":"p","messageAction":"SUPPRESS"}"#;
        assert_eq!(kind(Service::Cognito, "AdminCreateUser", suppressed), Kind::Context);
    }
}
