//! What a policy lets its bearer do: whether it reaches a service that Tripmeter watches, or everything.

use std::borrow::Cow;

use serde_json::Value;

use crate::parameters::member;

/// IAM action prefixes of the services whose use is watched, and of those that give the keys to them.
/// Source: Service Authorization Reference.
const REACHES: &[&str] = &[
    "*",
    "ses",
    "sns",
    "sms-voice",
    "bedrock",
    "bedrock-agentcore",
    "bedrock-mantle",
    "aws-external-anthropic",
    "sagemaker",
    "workmail",
    "iam",
];

/// Beginnings of actions that neither spend, raise, enable nor grant.
const HARMLESS: &[&str] = &["get", "list", "describe", "passrole"];

/// AWS managed policies (by name) that reach a watched service or everything.
/// Source: AWS Managed Policy Reference Guide.
pub(crate) fn managed_reaches(name: &str) -> bool {
    const WHOLE: &[&str] = &["administratoraccess", "poweruseraccess", "iamfullaccess"];
    const BEGINNINGS: &[&str] = &[
        "amazonses",
        "amazonsns",
        "amazonbedrock",
        "bedrock",
        "anthropic",
        "amazonsagemakerfull",
        "amazonworkmail",
    ];
    let name = name.to_ascii_lowercase();
    let reaches = WHOLE.contains(&name.as_str())
        || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || name.contains("smsvoice");
    reaches && !name.contains("readonly")
}

/// The watched services, in alphabetical order, that the document reaches by statements that do not deny. A document
/// is an object, JSON text, or URL-encoded JSON text; what cannot be read reaches nothing.
pub(crate) fn reaches(document: &Value) -> Vec<String> {
    let document = decoded(document);
    let mut services: Vec<String> = allowing(&document).flat_map(reached_by).collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// Whom a policy of a resource or role lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Admitted {
    /// Nobody: it only denies.
    Nobody,
    /// The account's own principals, AWS services, and identity providers.
    Own,
    /// Another account, everybody, or somebody of whom nothing is known.
    Others,
}

/// Whom the document lets in at the most, seen from this account; `None` where it cannot be read.
pub(crate) fn admits(document: &Value, account: &str) -> Option<Admitted> {
    let document = decoded(document);
    member(&document, "Statement")?;
    let most = allowing(&document)
        .map(|statement| admitted_by(statement, account))
        .max();
    Some(most.unwrap_or(Admitted::Nobody))
}

/// Whether the document can be read and grants nothing: it only denies.
pub(crate) fn only_denies(document: &Value) -> bool {
    let document = decoded(document);
    member(&document, "Statement").is_some() && allowing(&document).next().is_none()
}

fn admitted_by(statement: &Value, account: &str) -> Admitted {
    let Some(principal) = member(statement, "Principal") else {
        return Admitted::Others;
    };
    let is_own = |id: &str| {
        let of = if id.starts_with("arn:") {
            id.split(':').nth(4)
        } else {
            Some(id)
        };
        !account.is_empty() && of == Some(account) || id == "*" && holds_to(statement, account)
    };
    let aws = match principal {
        Value::String(_) => Some(principal),
        named => member(named, "AWS"),
    };
    let others = one_or_many(aws).any(|id| !id.as_str().is_some_and(is_own));
    if others || member(principal, "CanonicalUser").is_some() {
        Admitted::Others
    } else {
        Admitted::Own
    }
}

/// Whether a statement for everybody holds only within the account, as the policy does that a new topic has.
fn holds_to(statement: &Value, account: &str) -> bool {
    const KEYS: [&str; 4] = [
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:principalaccount",
        "kms:calleraccount",
    ];
    let conditions = member(statement, "Condition").and_then(Value::as_object);
    conditions.into_iter().flatten().any(|(operator, keys)| {
        operator.to_ascii_lowercase().starts_with("stringequals")
            && keys.as_object().is_some_and(|keys| {
                keys.iter().any(|(key, values)| {
                    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
                        && one_or_many(Some(values)).all(|value| value.as_str() == Some(account))
                })
            })
    })
}

/// The AWS principals that a resource's policy lets in by statements that do not deny: ARNs and account ids, each
/// once. `*` is nobody in particular, and services are not principals that call for themselves.
pub(crate) fn lets_in(document: &Value) -> Vec<String> {
    let document = decoded(document);
    let mut principals: Vec<String> = allowing(&document)
        .filter_map(|statement| member(statement, "Principal"))
        .flat_map(|principal| one_or_many(member(principal, "AWS")))
        .filter_map(Value::as_str)
        .filter(|principal| *principal != "*")
        .map(str::to_owned)
        .collect();
    principals.sort_unstable();
    principals.dedup();
    principals
}

fn decoded(document: &Value) -> Cow<'_, Value> {
    match document {
        Value::String(text) => Cow::Owned(parse(text).unwrap_or_default()),
        other => Cow::Borrowed(other),
    }
}

fn allowing(document: &Value) -> impl Iterator<Item = &Value> {
    statements(document).filter(|statement| {
        member(statement, "Effect")
            .and_then(Value::as_str)
            .is_none_or(|effect| !effect.eq_ignore_ascii_case("deny"))
    })
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&percent_decoded(text)?).ok())
}

fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    one_or_many(member(document, "Statement"))
}

fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.into_iter().flat_map(|value| match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    })
}

fn reached_by(statement: &Value) -> Vec<String> {
    // `NotAction` with `Allow` is everything but a few.
    if member(statement, "NotAction").is_some() {
        return vec!["*".to_owned()];
    }
    one_or_many(member(statement, "Action"))
        .filter_map(Value::as_str)
        .map(str::to_ascii_lowercase)
        .filter_map(|action| {
            let (service, name) = action.split_once(':').unwrap_or((&action, "*"));
            let harmless = HARMLESS.iter().any(|verb| name.starts_with(verb));
            REACHES
                .iter()
                .find(|watched| !harmless && (wildcard(service, watched) || **watched == service))
                .map(|watched| (*watched).to_owned())
        })
        .collect()
}

/// Whether a service prefix that holds a `*` covers a watched one, as `bed*` does.
fn wildcard(pattern: &str, service: &str) -> bool {
    pattern
        .split_once('*')
        .is_some_and(|(head, tail)| service.starts_with(head) && service.ends_with(tail))
}

/// Text with its `%XX` read; `None` when there is nothing to read, or what comes out is no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digit = |b: Option<u8>| char::from(b?).to_digit(16);
                (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8
            }
            b'+' => b' ',
            other => other,
        });
    }
    text.contains('%').then(|| String::from_utf8(decoded).ok())?
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_policy_admits_others_only_where_it_allows_somebody_beyond_the_account() {
        let of = |statement: serde_json::Value| {
            super::admits(&serde_json::json!({"Statement": [statement]}), "111122223333")
        };
        let cases = [
            (
                json!({"Effect": "Deny", "Principal": "*", "Action": "*"}),
                super::Admitted::Nobody,
            ),
            (
                json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}),
                super::Admitted::Own,
            ),
            (
                json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}),
                super::Admitted::Own,
            ),
            (
                json!({"Effect": "Allow", "Principal": {"AWS": "*"},
                       "Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}}),
                super::Admitted::Own,
            ),
            (
                json!({"Effect": "Allow", "Principal": {"AWS": "*"},
                       "Condition": {"StringEquals": {"AWS:SourceOwner": "999988887777"}}}),
                super::Admitted::Others,
            ),
            (json!({"Effect": "Allow", "Principal": "*"}), super::Admitted::Others),
            (
                json!({"Effect": "Allow", "Principal": {"AWS": ["111122223333", "999988887777"]}}),
                super::Admitted::Others,
            ),
            (
                json!({"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}}),
                super::Admitted::Others,
            ),
        ];
        for (statement, expected) in cases {
            assert_eq!(of(statement.clone()), Some(expected), "{statement}");
        }
        assert_eq!(super::admits(&json!("{not json"), "111122223333"), None);
    }

    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_policy_lets_in_whom_its_allowing_statements_name() {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::444455556666:root", "111122223333"]}},
            {"Effect": "Allow", "Principal": {"AWS": "*"}},
            {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}},
            {"Effect": "Deny", "Principal": {"AWS": "999988887777"}},
        ]});
        let expected = ["111122223333", "arn:aws:iam::444455556666:root"];
        assert_eq!(lets_in(&policy), expected);
        assert_eq!(lets_in(&json!(policy.to_string())), expected);
        assert!(lets_in(&json!("{not json")).is_empty());
    }

    #[test]
    fn statements_that_allow_reach_what_they_name() {
        let of = |action: Value| reaches(&json!({"Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}));
        assert_eq!(of(json!("bedrock:*")), ["bedrock"]);
        assert_eq!(of(json!(["s3:GetObject", "ses:Send*"])), ["ses"]);
        assert_eq!(of(json!("*")), ["*"]);
        assert_eq!(of(json!("bed*:Invoke*")), ["bedrock"]);
        assert!(of(json!(["s3:*", "ses:GetSendQuota", "dynamodb:PutItem"])).is_empty());
    }

    #[test]
    fn deny_statements_reach_nothing() {
        let denies = json!({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]});
        assert!(reaches(&denies).is_empty());
    }

    #[test]
    fn a_document_is_read_as_object_text_or_url_encoded_text() {
        let text = r#"{"Statement":[{"Effect":"Allow","Action":"ses:*","Resource":"*"}]}"#;
        let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22ses%3A*%22%7D%5D%7D";
        assert_eq!(reaches(&serde_json::from_str(text).unwrap()), ["ses"]);
        assert_eq!(reaches(&json!(text)), ["ses"]);
        assert_eq!(reaches(&json!(encoded)), ["ses"]);
    }

    #[test]
    fn what_cannot_be_read_reaches_nothing() {
        for document in [
            json!(null),
            json!(7),
            json!("%7"),
            json!("%ff%fe"),
            json!("words"),
            json!({"Statement": 1}),
        ] {
            assert!(reaches(&document).is_empty(), "{document}");
        }
    }
}
