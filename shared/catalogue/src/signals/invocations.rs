//! Amazon Bedrock's model-invocation logs: the tokens of each call, with who called.
//!
//! Source: "Monitor model invocation using CloudWatch Logs and Amazon S3", Amazon Bedrock User Guide. Tokens are the sum
//! of what was read, read from the cache, written to the cache and written. The prompts and answers that these logs hold
//! are not looked at.

use serde::Deserialize;
use tripmeter_model::{Activity, Identity, IdentityKind, Kind, Quantity, Service, UserIdentity};

use super::envelope::{Envelope, event_id, region};
use crate::call::About;
use crate::target;

/// A logged call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Use by the meter of whoever called, linked to them.
    pub activity: Activity,
    /// Tokens that were read, from wherever.
    pub tokens_in: u64,
    /// Tokens that were written.
    pub tokens_out: u64,
}

/// As much of an entry as is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    schema_type: String,
    timestamp: String,
    #[serde(default)]
    region: String,
    request_id: String,
    operation: String,
    model_id: String,
    identity: Option<Who>,
    input: Option<Tokens>,
    output: Option<Tokens>,
}

#[derive(Deserialize)]
struct Who {
    arn: Option<String>,
}

/// Counts may be absent or null: of a call that was refused there are none. The cache's are spelled in two ways.
#[derive(Default, Deserialize)]
struct Tokens {
    #[serde(rename = "inputTokenCount")]
    fresh: Option<u64>,
    #[serde(rename = "cacheReadInputTokenCount", alias = "cacheReadInputTokens")]
    from_cache: Option<u64>,
    #[serde(rename = "cacheWriteInputTokenCount", alias = "cacheWriteInputTokens")]
    to_cache: Option<u64>,
    #[serde(rename = "outputTokenCount")]
    written: Option<u64>,
}

impl Tokens {
    fn read(&self) -> u64 {
        let all = [self.fresh, self.from_cache, self.to_cache];
        all.into_iter().flatten().fold(0, u64::saturating_add)
    }
}

/// What an entry of the log says, of the account whose log it is; nothing for one that spent no token, and for what is
/// no entry.
pub fn read(entry: &str, account: &str) -> Option<Invocation> {
    let entry: Entry = serde_json::from_str(entry).ok()?;
    let tokens_in = entry.input.unwrap_or_default().read();
    let tokens_out = entry.output.and_then(|output| output.written).unwrap_or(0);
    let units = tokens_in.saturating_add(tokens_out);
    if entry.schema_type != "ModelInvocationLog" || units == 0 {
        return None;
    }
    let caller = entry.identity.and_then(|who| caller(&who.arn?));
    let meter = match &caller {
        Some(caller) => format!("Bedrock log of {}", caller.short_name()),
        None => "Bedrock log".to_owned(),
    };
    let envelope = Envelope {
        id: entry.request_id,
        source: "aws.bedrock".to_owned(),
        detail_type: entry.operation,
        account: account.to_owned(),
        region: region(&entry.region),
        time: entry.timestamp.parse().ok()?,
        resources: Vec::new(),
        detail: serde_json::Value::Null,
    };
    let activity = Activity {
        event_id: Some(event_id(&["invocation", &envelope.id])),
        target: target::of_text(About::Model(&[]), &entry.model_id),
        quantity: Quantity::of(units),
        links: caller.into_iter().map(|caller| caller.id).collect(),
        ..envelope.activity(&meter, Kind::Use, Service::Bedrock, "")
    };
    Some(Invocation {
        activity,
        tokens_in,
        tokens_out,
    })
}

/// The durable identity of an ARN of STS or IAM.
fn caller(arn: &str) -> Option<Identity> {
    let kind = match arn.split(':').nth(5)? {
        "root" => "Root",
        resource if resource.starts_with("assumed-role/") => "AssumedRole",
        resource if resource.starts_with("user/") => "IAMUser",
        resource if resource.starts_with("federated-user/") => "FederatedUser",
        _ => return None,
    };
    let user = UserIdentity {
        kind: Some(kind.to_owned()),
        arn: Some(arn.to_owned()),
        account_id: arn.split(':').nth(4).map(str::to_owned),
        ..UserIdentity::default()
    };
    let identity = Identity::of(&user, false, "");
    (identity.kind != IdentityKind::Stranger).then_some(identity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tripmeter_model::Target;

    use super::*;

    fn entry() -> Value {
        json!({"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-03-17T03:14:00Z",
            "accountId": "999999999999", "region": "us-east-1", "requestId": "r-1", "operation": "ConverseStream",
            "modelId": "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-5-v1:0",
            "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/app/session-17"},
            "input": {"inputContentType": "application/json", "inputBodyJson": {"secret": "prompt"}, "inputTokenCount": 3,
                      "cacheReadInputTokenCount": 100, "cacheWriteInputTokenCount": 31_814},
            "output": {"outputContentType": "application/json", "outputTokenCount": 500}})
    }

    #[test]
    fn tokens_are_the_sum_of_input_cache_and_output_by_the_callers_meter() {
        let read = read(&entry().to_string(), "111122223333").unwrap();

        assert_eq!((read.tokens_in, read.tokens_out), (31_917, 500));
        let activity = read.activity;
        assert_eq!(
            (activity.quantity, activity.account.as_str()),
            (Quantity::of(32_417), "111122223333")
        );
        assert_eq!(activity.identity.id, "meter:Bedrock log of role app");
        assert_eq!(activity.links, ["arn:aws:iam::111122223333:role/app"]);
        assert_eq!(
            activity.target,
            Some(Target::Model("anthropic.claude-sonnet-5-v1:0".into()))
        );
        assert!(!format!("{activity:?}").contains("prompt"));
    }

    #[test]
    fn both_spellings_of_cached_tokens_count() {
        let mut spelled = entry();
        spelled["input"] = json!({"inputTokenCount": 3, "cacheReadInputTokens": 7, "cacheWriteInputTokens": 11});
        assert_eq!(read(&spelled.to_string(), "111122223333").unwrap().tokens_in, 21);
    }

    #[test]
    fn a_refused_call_and_what_is_no_entry_spend_nothing() {
        let mut refused = entry();
        refused["errorCode"] = json!("ThrottlingException");
        refused["input"] = json!({"inputTokenCount": 0, "cacheReadInputTokenCount": null});
        refused["output"] = Value::Null;
        let mut other = entry();
        other["schemaType"] = json!("Other");
        for none in [
            refused.to_string(),
            other.to_string(),
            "{}".into(),
            "GET / 200".into(),
            String::new(),
        ] {
            assert_eq!(read(&none, "111122223333"), None, "{none}");
        }
    }

    #[test]
    fn a_call_that_names_nobody_is_counted_all_the_same() {
        let mut nobody = entry();
        nobody["identity"] = json!({});
        let read = read(&nobody.to_string(), "111122223333").unwrap();
        assert_eq!(
            (read.activity.identity.id.as_str(), read.activity.links.len()),
            ("meter:Bedrock log", 0)
        );
    }

    proptest! {
        #[test]
        fn whatever_the_log_holds_is_bounded(arn in ".{0,600}", model in ".{0,600}", id in ".{0,200}", tokens in any::<u64>()) {
            let mut odd = entry();
            odd["identity"]["arn"] = json!(arn);
            odd["modelId"] = json!(model);
            odd["requestId"] = json!(id);
            odd["input"]["inputTokenCount"] = json!(tokens);
            let read = read(&odd.to_string(), "111122223333").unwrap();
            prop_assert!(read.activity.event_id.is_some_and(|id| id.len() <= 64));
            prop_assert!(read.activity.identity.id.len() <= 160);
            prop_assert!(read.activity.target.is_none_or(|target| target.value().len() <= 256));
        }
    }
}
