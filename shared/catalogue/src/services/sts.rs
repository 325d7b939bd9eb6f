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
        credential("AssumeRoot", "an administrator becomes another account's root user")
            .about(About::BecomesRoot("targetPrincipal")).reads().grave(),
        context("GetSessionToken", "a user takes a session's keys").reads(),
        credential("GetFederationToken", "makes keys that outlive the deletion of a user's own")
            .about(About::BecomesFederatedUser("name")).reads(),
        context("GetCallerIdentity", "asks who it is: what a found key is tried with").reads(),
        context("GetAccessKeyInfo", "asks whose a key is").reads(),
    ],
);

#[cfg(test)]
mod tests {
    use tripmeter_model::{Identity, Kind, Record, UserIdentity};

    use super::*;
    use crate::testing::{call, of, record};

    #[test]
    fn a_role_is_linked_under_the_id_that_its_sessions_have() {
        let assumed = call(
            Service::Sts,
            "AssumeRole",
            r#"{"roleArn":"arn:aws:iam::111122223333:role/path/app","roleSessionName":"s"}"#,
        );
        assert_eq!((assumed.kind, assumed.stage()), (Kind::Context, None));
        assert_eq!(assumed.links, ["arn:aws:iam::111122223333:role/path/app"]);
    }

    #[test]
    fn a_permission_set_is_linked_with_its_person() {
        let role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b";
        let signed_in = call(
            Service::Sts,
            "AssumeRoleWithSAML",
            &format!(r#"{{"roleArn":"{role}","roleSessionName":"dana@example.com"}}"#),
        );
        let later = UserIdentity::parse(&format!(
            r#"{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0a1b/dana@example.com","sessionContext":{{"sessionIssuer":{{"arn":"{role}"}}}}}}"#
        ));
        assert_eq!(signed_in.links, [Identity::of(&later, false, "e").id]);
    }

    #[test]
    fn a_federated_user_is_a_credential_issued() {
        let federated = call(Service::Sts, "GetFederationToken", r#"{"name":"eve"}"#);
        assert_eq!(federated.kind, Kind::CredentialIssue);
        assert_eq!(federated.links, ["arn:aws:sts::111122223333:federated-user/eve"]);
    }

    #[test]
    fn root_assumed_is_a_credential_of_the_other_account_s_root() {
        let assumed = call(
            Service::Sts,
            "AssumeRoot",
            r#"{"targetPrincipal":"444455556666","taskPolicyArn":{"arn":"arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword"}}"#,
        );
        assert_eq!((assumed.kind, assumed.grave), (Kind::CredentialIssue, true));
        assert_eq!(assumed.links, ["arn:aws:iam::444455556666:root"]);
    }

    #[test]
    fn arns_are_of_the_callers_partition() {
        let federated = of(&Record {
            event_name: "GetFederationToken".into(),
            request_parameters: Some(r#"{"name":"eve"}"#),
            user_identity: Some(r#"{"type":"IAMUser","arn":"arn:aws-cn:iam::111122223333:user/dana"}"#),
            region: Some("cn-north-1".into()),
            ..record(Service::Sts)
        });
        assert_eq!(federated.links, ["arn:aws-cn:sts::111122223333:federated-user/eve"]);
    }
}
