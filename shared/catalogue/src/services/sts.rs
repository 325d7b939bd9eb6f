//! AWS Security Token Service: who becomes whom.
//!
//! Source: AWS STS API reference; "Logging IAM and AWS STS API calls with AWS CloudTrail".

use tripmeter_model::Service;

use crate::call::{About, Call, context, credential, service};

const ROLE: About = About::BecomesRole("roleArn");

#[rustfmt::skip] // one call a line
pub(crate) const CALLS: &[Call] = &service(
    Service::Sts,
    &["sts"],
    [
        context("AssumeRole", "the caller becomes a role").about(ROLE).reads(),
        context("AssumeRoleWithSAML", "a person becomes a role").about(ROLE).reads(),
        context("AssumeRoleWithWebIdentity", "a workload or person becomes a role").about(ROLE).reads(),
        context("AssumeRoot", "an administrator becomes another account's root user")
            .about(About::BecomesRoot("targetPrincipal")),
        context("GetSessionToken", "a user takes a session's keys").reads(),
        credential("GetFederationToken", "makes keys that outlive the deletion of a user's own")
            .about(About::BecomesFederatedUser("name")).reads(),
        context("GetCallerIdentity", "asks who it is: what a found key is tried with").reads(),
        context("GetAccessKeyInfo", "asks whose a key is").reads(),
    ],
);
