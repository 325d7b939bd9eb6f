//! Which service a meter is about: what bills, quotas, metrics and people's budgets call the services that are watched.

use tripmeter_model::Service;

/// Parts of names, most telling first: as bills spell them, in lower case.
const PHRASES: &[(&str, Service)] = &[
    ("simple email service", Service::Ses),
    ("simple notification service", Service::Sns),
    ("end user messaging", Service::Sms),
    ("bedrock agentcore", Service::AgentCore),
    ("bedrock mantle", Service::BedrockMantle),
    ("bedrock", Service::Bedrock),
    ("claude platform", Service::ClaudePlatform),
    ("sagemaker", Service::SageMaker),
    ("workmail", Service::WorkMail),
    ("cognito", Service::Cognito),
];

/// Words that name a service by themselves: codes of Service Quotas, `AWS/Usage`, `EstimatedCharges` and Trusted
/// Advisor, and what people put into a budget's name.
const WORDS: &[(&str, Service)] = &[
    ("ses", Service::Ses),
    ("amazonses", Service::Ses),
    ("sns", Service::Sns),
    ("amazonsns", Service::Sns),
    ("sms", Service::Sms),
    ("smsvoice", Service::Sms),
    ("agentcore", Service::AgentCore),
    ("mantle", Service::BedrockMantle),
    ("bedrockmantle", Service::BedrockMantle),
];

/// The watched service that a name is about, if it is about one.
pub fn service_named(name: &str) -> Option<Service> {
    let name: String = name.chars().take(512).collect::<String>().to_lowercase();
    let phrase = PHRASES.iter().find(|(phrase, _)| name.contains(phrase));
    let word = || {
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        words.find_map(|word| WORDS.iter().find(|(known, _)| *known == word))
    };
    phrase.or_else(word).map(|(_, service)| *service)
}

/// The watched service whose metrics a CloudWatch namespace holds.
pub fn service_of_namespace(namespace: &str) -> Option<Service> {
    Some(match namespace {
        "AWS/SES" => Service::Ses,
        "AWS/SNS" => Service::Sns,
        "AWS/SMSVoice" => Service::Sms,
        "AWS/Bedrock" => Service::Bedrock,
        "AWS/BedrockMantle" => Service::BedrockMantle,
        "AWS/SageMaker" => Service::SageMaker,
        "AWS/Cognito" => Service::Cognito,
        _ => return None,
    })
}

/// The country of a usage type of text messages: `USE1-OutboundSMS-FR-Standard-SenderId-MessageCount`.
pub(super) fn country_of_usage_type(usage_type: &str) -> Option<[u8; 2]> {
    let mut fields = usage_type
        .split('-')
        .skip_while(|field| !is_message_type(field))
        .skip(1);
    let code = <[u8; 2]>::try_from(fields.next()?.as_bytes()).ok()?;
    code.iter().all(u8::is_ascii_uppercase).then_some(code)
}

fn is_message_type(field: &str) -> bool {
    ["SMS", "MMS", "Voice"].iter().any(|kind| field.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_what_bills_and_people_call_it() {
        for (name, service) in [
            ("Amazon Simple Email Service", Service::Ses),
            ("AmazonSES", Service::Ses),
            ("prod-SES-monthly", Service::Ses),
            ("AWS End User Messaging", Service::Sms),
            ("Amazon Bedrock", Service::Bedrock),
            ("Claude Sonnet 4 (Amazon Bedrock Edition)", Service::Bedrock),
            ("Amazon Bedrock AgentCore", Service::AgentCore),
            ("sms-voice", Service::Sms),
        ] {
            assert_eq!(service_named(name), Some(service), "{name}");
        }
        for name in [
            "Amazon Elastic Compute Cloud - Compute",
            "monthly",
            "licenses",
            "sessions",
            "",
        ] {
            assert_eq!(service_named(name), None, "{name}");
        }
    }

    #[test]
    fn a_usage_type_of_messages_tells_the_country() {
        assert_eq!(
            country_of_usage_type("APN1-OutboundSMS-JP-Standard-Senderid-MessageCount"),
            Some(*b"JP")
        );
        assert_eq!(
            country_of_usage_type("OutboundSMS-ID-Standard-Sharedroute-MessageCount"),
            Some(*b"ID")
        );
        for none in ["USE1-Recipients", "OutboundSMS", "OutboundSMS-Standard-x", ""] {
            assert_eq!(country_of_usage_type(none), None, "{none}");
        }
    }
}
