//! Which calls are the detector's own.
//!
//! Own calls are told apart by the exact ARN of the stack's roles, and each role has only its own: the canary's two
//! reads, notify's messages to the stack's topics. Anything else that one of these roles does, and a role whose ARN a
//! record does not give in full, is judged like anybody's: a thief may have its credentials. What the functions read
//! and write in their tables and queues is in no rule, so it is not here.

use tripmeter_model::{Activity, IdentityKind, Service, Target};

use crate::canary::Call;

/// A call that the detector is expected to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// The canary's, which is noted as heard.
    Canary(Call),
    /// A message to one of the stack's topics.
    Publish,
}

/// The roles and topics of this stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnCalls {
    canary: Option<String>,
    notify: Option<String>,
    topics: Vec<Topic>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Topic {
    region: String,
    account: String,
    name: String,
}

impl OwnCalls {
    /// From the ARNs of the stack's roles, the canary's first and notify's second, and of its topics. What is no ARN
    /// matches nothing.
    pub fn new<'a>(roles: &[String], topics: impl IntoIterator<Item = &'a str>) -> Self {
        let role = |place: usize| roles.get(place).filter(|arn| arn.contains(":role/")).cloned();
        Self {
            canary: role(0),
            notify: role(1),
            topics: topics.into_iter().filter_map(Topic::of).collect(),
        }
    }

    /// Whether the activity is one that the detector is expected to make, and which. How it ended does not matter: a
    /// canary that is refused is heard too.
    pub fn is_expected(&self, activity: &Activity) -> Option<Own> {
        // A bearer token makes another kind of the same role: the detector uses none.
        if activity.identity.kind != IdentityKind::Role {
            return None;
        }
        let by = |role: &Option<String>| role.as_deref() == Some(activity.identity.id.as_str());
        if by(&self.canary) {
            return Call::of(activity.service, &activity.call).map(Own::Canary);
        }
        let is_message = activity.service == Service::Sns && activity.call == "Publish";
        (by(&self.notify) && is_message && self.topics.iter().any(|topic| topic.is_of(activity)))
            .then_some(Own::Publish)
    }
}

impl Topic {
    fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
            ("sns", region, account, name) => Some(Self {
                region: region.to_owned(),
                account: account.to_owned(),
                name: name.to_owned(),
            }),
            _ => None,
        }
    }

    fn is_of(&self, activity: &Activity) -> bool {
        activity.region == self.region
            && activity.account == self.account
            && matches!(&activity.target, Some(Target::Topic(name)) if *name == self.name)
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_catalogue::{Classified, Scope, classify};
    use tripmeter_model::Record;

    use super::*;

    const CANARY: &str = "arn:aws:iam::111122223333:role/security/prod-CanaryRole-1A";
    const NOTIFY: &str = "arn:aws:iam::111122223333:role/security/prod-NotifyRole-1B";

    fn ours() -> OwnCalls {
        OwnCalls::new(
            &[
                CANARY.into(),
                NOTIFY.into(),
                "arn:aws:iam::111122223333:role/prod-UsageRole-1C".into(),
            ],
            ["arn:aws:sns:eu-west-1:111122223333:prod-Findings-2A", ""],
        )
    }

    /// What the catalogue makes of a call by the role.
    fn call(role: &str, source: &'static str, name: &'static str, parameters: &'static str) -> Activity {
        let session = role
            .replace(":iam:", ":sts:")
            .replace(":role/security/", ":assumed-role/");
        let user = format!(
            r#"{{"type":"AssumedRole","arn":"{session}/prod-Function","accountId":"111122223333",
                "sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"{role}"}}}}}}"#
        );
        let record = Record {
            event_source: source.into(),
            event_name: name.into(),
            region: Some("eu-west-1".into()),
            recipient_account: Some("111122223333".into()),
            user_identity: Some(&user),
            request_parameters: Some(parameters),
            ..Record::default()
        };
        match classify(&record, &Scope::default()) {
            Classified::Activity(activity) => *activity,
            other => panic!("{name} is {other:?}"),
        }
    }

    const TO_OURS: &str = r#"{"topicArn":"arn:aws:sns:eu-west-1:111122223333:prod-Findings-2A"}"#;

    #[test]
    fn the_canarys_reads_and_notifys_messages_are_expected() {
        let mail = call(CANARY, "ses.amazonaws.com", "GetAccount", "{}");
        let sms = call(CANARY, "sns.amazonaws.com", "GetSMSAttributes", "{}");
        let message = call(NOTIFY, "sns.amazonaws.com", "Publish", TO_OURS);

        assert_eq!(ours().is_expected(&mail), Some(Own::Canary(Call::MailAccount)));
        assert_eq!(ours().is_expected(&sms), Some(Own::Canary(Call::SmsAttributes)));
        assert_eq!(ours().is_expected(&message), Some(Own::Publish));
    }

    #[test]
    fn what_else_these_roles_do_is_judged_like_anybodys() {
        let elsewhere = r#"{"topicArn":"arn:aws:sns:eu-west-1:111122223333:orders"}"#;
        let other_region = Activity {
            region: "us-east-1".into(),
            ..call(NOTIFY, "sns.amazonaws.com", "Publish", TO_OURS)
        };
        for activity in [
            call(CANARY, "ses.amazonaws.com", "GetSendQuota", "{}"),
            call(CANARY, "sns.amazonaws.com", "Publish", TO_OURS),
            call(NOTIFY, "ses.amazonaws.com", "GetAccount", "{}"),
            call(NOTIFY, "sns.amazonaws.com", "Publish", elsewhere),
            call(NOTIFY, "sns.amazonaws.com", "PublishBatch", TO_OURS),
            other_region,
        ] {
            assert_eq!(ours().is_expected(&activity), None, "{activity:?}");
        }
    }

    #[test]
    fn a_namesake_of_a_role_is_somebody_else() {
        for namesake in [
            "arn:aws:iam::444455556666:role/security/prod-CanaryRole-1A",
            "arn:aws:iam::111122223333:role/prod-CanaryRole-1A",
            "arn:aws:iam::111122223333:role/security/prod-CanaryRole-1A2",
            "arn:aws:iam::111122223333:role/security/prod-canaryrole-1a",
        ] {
            let activity = call(namesake, "ses.amazonaws.com", "GetAccount", "{}");
            assert_eq!(ours().is_expected(&activity), None, "{namesake}");
        }
    }

    #[test]
    fn a_token_of_the_role_is_somebody_else() {
        let mut activity = call(CANARY, "ses.amazonaws.com", "GetAccount", "{}");
        activity.identity.kind = IdentityKind::BedrockApiKey;

        assert_eq!(ours().is_expected(&activity), None);
    }

    #[test]
    fn nothing_is_expected_of_a_stack_that_names_no_roles() {
        let nobody = OwnCalls::new(&[String::new()], [""]);

        let nameless = Activity {
            identity: tripmeter_model::Identity {
                kind: IdentityKind::Role,
                id: String::new(),
            },
            ..call(CANARY, "ses.amazonaws.com", "GetAccount", "{}")
        };
        assert_eq!(nobody.is_expected(&nameless), None);
    }
}
