//! What there is to read in each region beside rules: limits, Bedrock's logging, and which services have metrics.

use std::collections::BTreeSet;

use tripmeter_doctor::{Mail, Region, SpendLimit};
use tripmeter_model::Service;

use crate::asker::Asker;
use crate::calls::Call;

/// Metrics that a service has once it was used, by namespace and name; CloudWatch lists those of two weeks.
/// Source: each service's "Monitoring with Amazon CloudWatch".
const METRICS: [(Service, &str, Option<&str>); 8] = [
    (Service::Ses, "AWS/SES", Some("Send")),
    (Service::Sns, "AWS/SNS", Some("NumberOfMessagesPublished")),
    (Service::Sms, "AWS/SMSVoice", None),
    (Service::Bedrock, "AWS/Bedrock", Some("Invocations")),
    (Service::AgentCore, "AWS/Bedrock-AgentCore", None),
    (Service::BedrockMantle, "AWS/BedrockMantle", None),
    (Service::SageMaker, "AWS/SageMaker", Some("Invocations")),
    (Service::Cognito, "AWS/Cognito", Some("SignUpSuccesses")),
];

/// AWS says so where a quota has no end.
const UNLIMITED: f64 = -1.0;

/// Reads a region, but for its rules.
pub(crate) async fn read(asker: &Asker, name: &str) -> Region {
    let logging = logging(asker, name).await;
    Region {
        rules: None,
        invocation_logging: logging.as_ref().map(|(is_on, _)| *is_on),
        invocation_log_group: logging.and_then(|(_, group)| group),
        mail: mail(asker, name).await,
        sns_monthly_usd: sns_monthly_usd(asker, name).await,
        spend_limits: spend_limits(asker, name).await,
        metered: metered(asker, name).await,
    }
}

/// Whether Bedrock logs, and the log group.
async fn logging(asker: &Asker, name: &str) -> Option<(bool, Option<String>)> {
    let client = aws_sdk_bedrock::Client::new(&asker.config_in(name));
    let answer = client.get_model_invocation_logging_configuration().send().await;
    let answer = asker.answer(Call::GetModelInvocationLoggingConfiguration, Some(name), answer)?;
    let Some(config) = answer.logging_config() else {
        return Some((false, None));
    };
    let logs = config.cloud_watch_config();
    let group = logs.map(|logs| logs.log_group_name().to_owned());
    Some((logs.is_some() || config.s3_config().is_some(), group))
}

async fn mail(asker: &Asker, name: &str) -> Option<Mail> {
    let client = aws_sdk_sesv2::Client::new(&asker.config_in(name));
    let answer = client.get_account().send().await;
    let account = asker.answer(Call::GetAccount, Some(name), answer)?;
    let quota = account.send_quota()?;
    Some(Mail {
        sending: account.sending_enabled(),
        production: account.production_access_enabled(),
        per_day: Some(quota.max24_hour_send()).filter(|quota| *quota > UNLIMITED),
        sent_last_day: quota.sent_last24_hours(),
    })
}

async fn sns_monthly_usd(asker: &Asker, name: &str) -> Option<f64> {
    let client = aws_sdk_sns::Client::new(&asker.config_in(name));
    let answer = client.get_sms_attributes().attributes("MonthlySpendLimit").send().await;
    let answer = asker.answer(Call::GetSmsAttributes, Some(name), answer)?;
    answer.attributes()?.get("MonthlySpendLimit")?.parse().ok()
}

async fn spend_limits(asker: &Asker, name: &str) -> Option<Vec<SpendLimit>> {
    let client = aws_sdk_pinpointsmsvoicev2::Client::new(&asker.config_in(name));
    let pages = client.describe_spend_limits().into_paginator().items().send();
    let limits = asker.all(Call::DescribeSpendLimits, Some(name), pages).await?;
    let limit = |limit: &aws_sdk_pinpointsmsvoicev2::types::SpendLimit| SpendLimit {
        name: limit.name().as_str().to_owned(),
        enforced_usd: limit.enforced_limit() as f64,
        maximum_usd: limit.max_limit() as f64,
    };
    Some(limits.iter().map(limit).collect())
}

async fn metered(asker: &Asker, name: &str) -> Option<BTreeSet<Service>> {
    let client = aws_sdk_cloudwatch::Client::new(&asker.config_in(name));
    let mut found = BTreeSet::new();
    for (service, namespace, metric) in METRICS {
        let request = client
            .list_metrics()
            .namespace(namespace)
            .set_metric_name(metric.map(str::to_owned));
        let answer = asker.answer(Call::ListMetrics, Some(name), request.send().await)?;
        if !answer.metrics().is_empty() {
            found.insert(service);
        }
    }
    Some(found)
}
