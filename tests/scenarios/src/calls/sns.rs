//! Amazon SNS: topics, and its old SMS calls. Publishing straight to a number is in no record.

use crate::record::{Call, FRESH_ID, HIDDEN};

const SOURCE: &str = "sns.amazonaws.com";
const HOST: &str = "sns.{}.amazonaws.com";

/// A topic's ARN.
pub fn topic_arn(account: &str, region: &str, topic: &str) -> String {
    format!("arn:aws:sns:{region}:{account}:{topic}")
}

/// Publishes one message to a topic.
pub fn publish(account: &str, region: &str, topic: &str) -> Call {
    let arn = topic_arn(account, region, topic);
    Call::data(SOURCE, "Publish", HOST, false)
        .with(format!(
            r#"{{"topicArn":"{arn}","message":"{HIDDEN}","subject":"{HIDDEN}","messageAttributes":"{HIDDEN}"}}"#
        ))
        .answered(format!(r#"{{"messageId":"{FRESH_ID}"}}"#))
        .on(account, "AWS::SNS::Topic", &arn)
}

/// Publishes several messages to a topic at once.
pub fn publish_batch(account: &str, region: &str, topic: &str, messages: usize) -> Call {
    let arn = topic_arn(account, region, topic);
    let entries: Vec<_> = (1..=messages)
        .map(|i| format!(r#"{{"id":"{i}","message":"{HIDDEN}"}}"#))
        .collect();
    let done: Vec<_> = (1..=messages)
        .map(|i| format!(r#"{{"id":"{i}","messageId":"{FRESH_ID}"}}"#))
        .collect();
    Call::data(SOURCE, "PublishBatch", HOST, false)
        .with(format!(
            r#"{{"topicArn":"{arn}","publishBatchRequestEntries":[{}]}}"#,
            entries.join(",")
        ))
        .answered(format!(r#"{{"successful":[{}],"failed":[]}}"#, done.join(",")))
        .on(account, "AWS::SNS::Topic", &arn)
}

/// A read: `GetSMSAttributes`, `ListTopics` and their kin.
pub fn read(name: &'static str) -> Call {
    Call::management(SOURCE, name, HOST, true)
}

/// Raises what may be spent on SMS in a month, in dollars.
pub fn set_sms_spend_limit(dollars: i64) -> Call {
    Call::management(SOURCE, "SetSMSAttributes", HOST, false).with(format!(
        r#"{{"attributes":{{"MonthlySpendLimit":"{dollars}","DefaultSMSType":"Transactional"}}}}"#
    ))
}

/// Adds a number to the sandbox.
pub fn create_sandbox_number() -> Call {
    Call::management(SOURCE, "CreateSMSSandboxPhoneNumber", HOST, false)
        .with(format!(r#"{{"phoneNumber":"{HIDDEN}","languageCode":"en-US"}}"#))
}

/// Proves a number of the sandbox.
pub fn verify_sandbox_number() -> Call {
    Call::management(SOURCE, "VerifySMSSandboxPhoneNumber", HOST, false)
        .with(format!(r#"{{"phoneNumber":"{HIDDEN}","oneTimePassword":"{HIDDEN}"}}"#))
}

/// A new topic.
pub fn create_topic(account: &str, region: &str, topic: &str) -> Call {
    let arn = topic_arn(account, region, topic);
    Call::management(SOURCE, "CreateTopic", HOST, false)
        .with(format!(r#"{{"name":"{topic}"}}"#))
        .answered(format!(r#"{{"topicArn":"{arn}"}}"#))
}

/// A new subscription of a queue to a topic.
pub fn subscribe_queue(account: &str, region: &str, topic: &str, queue: &str) -> Call {
    subscribe(
        account,
        region,
        topic,
        "sqs",
        &format!("arn:aws:sqs:{region}:{account}:{queue}"),
    )
}

/// A new subscription of a phone number to a topic.
pub fn subscribe_phone(account: &str, region: &str, topic: &str) -> Call {
    subscribe(account, region, topic, "sms", HIDDEN)
}

fn subscribe(account: &str, region: &str, topic: &str, protocol: &str, endpoint: &str) -> Call {
    let arn = topic_arn(account, region, topic);
    Call::management(SOURCE, "Subscribe", HOST, false)
        .with(format!(
            r#"{{"topicArn":"{arn}","protocol":"{protocol}","endpoint":"{endpoint}","returnSubscriptionArn":true}}"#
        ))
        .answered(format!(r#"{{"subscriptionArn":"{arn}:{FRESH_ID}"}}"#))
}

/// Sets how a topic delivers.
pub fn set_topic_delivery(account: &str, region: &str, topic: &str) -> Call {
    let arn = topic_arn(account, region, topic);
    Call::management(SOURCE, "SetTopicAttributes", HOST, false).with(format!(
        r#"{{"topicArn":"{arn}","attributeName":"DeliveryPolicy","attributeValue":"{{\"http\":{{\"defaultHealthyRetryPolicy\":{{\"numRetries\":3}}}}}}"}}"#
    ))
}
