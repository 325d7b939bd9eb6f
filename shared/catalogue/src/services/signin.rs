//! AWS sign-in (`signin.amazonaws.com`): context. A login without MFA may have had it at the identity provider.
//!
//! Source: "AWS Management Console sign-in events", AWS CloudTrail User Guide.

use tripmeter_model::Service;

use crate::call::{Call, context, service};

const NO_CALL: &str = "an event of the sign-in page, not a call";

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Signin,
    &[],
    [
        context("ConsoleLogin", "somebody signs in to the console").outside_sdk(NO_CALL),
        context("SwitchRole", "somebody changes role in the console").outside_sdk(NO_CALL),
        context("GetSigninToken", "keys are turned into a console session").outside_sdk(NO_CALL),
        context("PasswordRecoveryRequested", "somebody asks for root's password anew").outside_sdk(NO_CALL),
        context("PasswordRecoveryCompleted", "root's password is set anew").outside_sdk(NO_CALL),
    ],
);
