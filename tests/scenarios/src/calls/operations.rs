//! What surrounds the watched services: quotas and support, deployments, and the everyday reads of an account.

use crate::record::{Call, FRESH_ID, HIDDEN};

/// A read of a quota.
pub fn get_service_quota(service: &str, quota: &str) -> Call {
    Call::management(
        "servicequotas.amazonaws.com",
        "GetServiceQuota",
        "servicequotas.{}.amazonaws.com",
        true,
    )
    .with(format!(r#"{{"serviceCode":"{service}","quotaCode":"{quota}"}}"#))
}

/// A read of all quotas of a service.
pub fn list_service_quotas(service: &str) -> Call {
    Call::management(
        "servicequotas.amazonaws.com",
        "ListServiceQuotas",
        "servicequotas.{}.amazonaws.com",
        true,
    )
    .with(format!(r#"{{"serviceCode":"{service}"}}"#))
}

/// A support case: how a sandbox is left.
pub fn create_case(service: &str) -> Call {
    Call::management(
        "support.amazonaws.com",
        "CreateCase",
        "support.us-east-1.amazonaws.com",
        false,
    )
    .with(format!(
        r#"{{"serviceCode":"{service}","categoryCode":"general","subject":"{HIDDEN}","communicationBody":"{HIDDEN}"}}"#
    ))
    .answered(format!(r#"{{"caseId":"case-{FRESH_ID}"}}"#))
}

/// New code for a function. Lambda's names carry the date of its API.
pub fn update_function_code(function: &str) -> Call {
    Call {
        api_version: Some("2015-03-31"),
        ..Call::management(
            "lambda.amazonaws.com",
            "UpdateFunctionCode20150331v2",
            "lambda.{}.amazonaws.com",
            false,
        )
        .with(format!(
            r#"{{"functionName":"{function}","publish":true,"dryRun":false}}"#
        ))
    }
}

/// New settings for a function.
pub fn update_function_configuration(function: &str) -> Call {
    Call {
        api_version: Some("2015-03-31"),
        ..Call::management(
            "lambda.amazonaws.com",
            "UpdateFunctionConfiguration20150331v2",
            "lambda.{}.amazonaws.com",
            false,
        )
        .with(format!(r#"{{"functionName":"{function}","timeout":30}}"#))
    }
}

/// A change of a stack.
pub fn update_stack(account: &str, region: &str, stack: &str) -> Call {
    Call::management(
        "cloudformation.amazonaws.com",
        "UpdateStack",
        "cloudformation.{}.amazonaws.com",
        false,
    )
    .with(format!(r#"{{"stackName":"{stack}"}}"#))
    .answered(format!(
        r#"{{"stackId":"arn:aws:cloudformation:{region}:{account}:stack/{stack}/{FRESH_ID}"}}"#
    ))
}

/// Everyday reads that nobody watches: source, name, host, data event.
pub const EVERYDAY: [(&str, &str, &str, bool); 12] = [
    ("s3.amazonaws.com", "GetObject", "s3.{}.amazonaws.com", true),
    ("s3.amazonaws.com", "PutObject", "s3.{}.amazonaws.com", true),
    ("s3.amazonaws.com", "ListObjects", "s3.{}.amazonaws.com", true),
    ("s3.amazonaws.com", "GetBucketLocation", "s3.{}.amazonaws.com", false),
    ("ec2.amazonaws.com", "DescribeInstances", "ec2.{}.amazonaws.com", false),
    (
        "ec2.amazonaws.com",
        "DescribeNetworkInterfaces",
        "ec2.{}.amazonaws.com",
        false,
    ),
    ("kms.amazonaws.com", "Decrypt", "kms.{}.amazonaws.com", false),
    ("kms.amazonaws.com", "GenerateDataKey", "kms.{}.amazonaws.com", false),
    ("sts.amazonaws.com", "AssumeRole", "sts.{}.amazonaws.com", false),
    ("lambda.amazonaws.com", "Invoke", "lambda.{}.amazonaws.com", true),
    (
        "logs.amazonaws.com",
        "DescribeLogStreams",
        "logs.{}.amazonaws.com",
        false,
    ),
    (
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        "secretsmanager.{}.amazonaws.com",
        false,
    ),
];

/// One everyday read.
pub fn everyday((source, name, host, data): (&'static str, &'static str, &'static str, bool)) -> Call {
    let read_only = name != "PutObject";
    if data {
        Call::data(source, name, host, read_only)
    } else {
        Call::management(source, name, host, read_only)
    }
}
