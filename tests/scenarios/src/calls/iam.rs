//! IAM and STS: users, keys, policies, sessions. IAM's records are in us-east-1.

use crate::record::Call;

const IAM: &str = "iam.amazonaws.com";
const IAM_HOST: &str = "iam.amazonaws.com";
const STS_HOST: &str = "sts.{}.amazonaws.com";

/// A new user.
pub fn create_user(account: &str, user: &str, id: &str) -> Call {
    Call::management(IAM, "CreateUser", IAM_HOST, false)
        .with(format!(r#"{{"userName":"{user}"}}"#))
        .answered(format!(
            r#"{{"user":{{"path":"/","arn":"arn:aws:iam::{account}:user/{user}","userId":"{id}","createDate":"Jan 1, 2026, 12:00:00 AM","userName":"{user}"}}}}"#
        ))
}

/// A new long-term key for a user.
pub fn create_access_key(user: &str, key: &str) -> Call {
    Call::management(IAM, "CreateAccessKey", IAM_HOST, false).with(format!(r#"{{"userName":"{user}"}}"#)).answered(
        format!(
            r#"{{"accessKey":{{"userName":"{user}","accessKeyId":"{key}","status":"Active","createDate":"Jan 1, 2026, 12:00:00 AM"}}}}"#
        ),
    )
}

/// A managed policy of AWS attached to a user.
pub fn attach_user_policy(user: &str, policy: &str) -> Call {
    Call::management(IAM, "AttachUserPolicy", IAM_HOST, false).with(format!(
        r#"{{"userName":"{user}","policyArn":"arn:aws:iam::aws:policy/{policy}"}}"#
    ))
}

/// A key for one service: a Bedrock API key.
pub fn create_service_credential(user: &str, service: &str, id: &str) -> Call {
    Call::management(IAM, "CreateServiceSpecificCredential", IAM_HOST, false)
        .with(format!(r#"{{"userName":"{user}","serviceName":"{service}"}}"#))
        .answered(format!(
            r#"{{"serviceSpecificCredential":{{"userName":"{user}","serviceName":"{service}","status":"Active","serviceSpecificCredentialId":"{id}"}}}}"#
        ))
}

/// An inline policy of a role, over queues and logs alone.
pub fn put_role_policy(role: &str, policy: &str) -> Call {
    Call::management(IAM, "PutRolePolicy", IAM_HOST, false).with(format!(
        r#"{{"roleName":"{role}","policyName":"{policy}","policyDocument":"{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":[\"sqs:SendMessage\",\"logs:PutLogEvents\"],\"Resource\":\"*\"}}]}}"}}"#
    ))
}

/// Who am I?
pub fn get_caller_identity() -> Call {
    Call::management("sts.amazonaws.com", "GetCallerIdentity", STS_HOST, true)
}
