//! How things are said: numbers, times, what a service's units are called, and text that may come from a thief.

use tripmeter_model::{Family, Finding, MAX_TEXT, Service, Stage, Timestamp, bounded, printable};

/// The longest text of a record that is shown to people, in characters; an ARN can be ten times as long.
const MAX_SHOWN: usize = 200;

/// Text out of a record, as people see it: printable, short, and inert wherever it is pasted. An angle bracket
/// opens no tag and no mention, and an address is no link.
///
/// ```text
/// <b>http://x  ->  ‹b›http[://]x
/// ```
pub(crate) fn shown(text: &str) -> String {
    let safe: String = text
        .replace("://", "[://]")
        .chars()
        .map(|c| match c {
            '<' => '‹',
            '>' => '›',
            c if printable(c) => c,
            _ => '?',
        })
        .collect();
    shortened(safe.trim(), MAX_SHOWN)
}

/// The text, or its beginning and an ellipsis: never more than `max` characters.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// The text as one line of printable ASCII: blanks of any sort are one space, and every other character is a `?`.
pub(crate) fn ascii_line(text: &str) -> String {
    let ascii = |c: char| match c {
        '‹' => '<',
        '›' => '>',
        '…' => '.',
        ' '..='~' => c,
        _ => '?',
    };
    let words = text
        .split_whitespace()
        .map(|word| word.chars().map(ascii).collect::<String>());
    words.collect::<Vec<_>>().join(" ")
}

/// Text for machines: as it was, but printable, and bounded so that a finding fits into one message.
pub(crate) fn clean(text: &str) -> String {
    bounded(text, MAX_TEXT / 2)
}

/// An identity's id for machines: an ARN may be longer than other text.
pub(crate) fn clean_id(id: &str) -> String {
    bounded(id, MAX_TEXT * 4)
}

/// `40000` as `40,000`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 call`, `1,200 calls`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// How long, in the unit that a person would use: `40 seconds`, `24 minutes`, `5 hours`, `3 days`.
pub(crate) fn lasted(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    match seconds {
        0..120 => counted(seconds, "second", "seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", grouped(seconds / 86_400)),
    }
}

/// A time for people: `2026-03-17 03:14`, UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    at.to_string().replace('T', " ").chars().take(16).collect()
}

/// What people call the service.
pub(crate) fn service(service: Service) -> &'static str {
    match service {
        Service::AgentCore => "Bedrock AgentCore",
        Service::BedrockMantle => "Bedrock (mantle endpoint)",
        Service::ClaudePlatform => "Claude Platform on AWS",
        Service::ServiceQuotas => "Service Quotas",
        Service::FreeTier => "the Free Tier plan",
        Service::Signin => "sign-in",
        Service::CostExplorer => "Cost Explorer",
        Service::IdentityCenter => "IAM Identity Center",
        Service::RolesAnywhere => "IAM Roles Anywhere",
        Service::Logs => "CloudWatch Logs",
        other => other.name(),
    }
}

/// One unit of what the finding counts, and several.
pub(crate) fn units(finding: &Finding) -> (&'static str, &'static str) {
    let calls = &finding.evidence.calls;
    match finding.finding_type.service {
        // Each subscription sends a mail that asks whether it was meant.
        Service::Sns if !calls.is_empty() && calls.iter().all(|call| call.value == "Subscribe") => {
            ("mail that asks to confirm", "mails that ask to confirm")
        }
        Service::OpenAi if !counts_tokens(finding) => ("unit", "units"),
        service => units_of(service),
    }
}

/// Whether all that a finding about OpenAI counts are tokens: not images, searches, seconds or thousands of characters.
pub(crate) fn counts_tokens(finding: &Finding) -> bool {
    const OF_TOKENS: [&str; 4] = ["completions", "embeddings", "moderations", "decisions"];
    let mut calls = finding.evidence.calls.iter();
    calls.all(|call| OF_TOKENS.contains(&call.value.as_str()))
}

/// One unit of the service's use, and several.
fn units_of(service: Service) -> (&'static str, &'static str) {
    match service {
        Service::Ses | Service::WorkMail => ("mail", "mails"),
        Service::Sns => ("message", "messages"),
        Service::Sms => ("text message", "text messages"),
        Service::Cognito => ("sign-up message", "sign-up messages"),
        Service::Bedrock | Service::BedrockMantle | Service::ClaudePlatform => ("model call", "model calls"),
        Service::AgentCore => ("agent call", "agent calls"),
        Service::SageMaker => ("endpoint call", "endpoint calls"),
        Service::OpenAi => ("token", "tokens"),
        _ => ("call", "calls"),
    }
}

/// One target of the service, and several.
pub(crate) fn targets(service: Service) -> (&'static str, &'static str) {
    match service {
        Service::Ses => ("sender", "senders"),
        Service::Sns => ("topic", "topics"),
        Service::Sms => ("country", "countries"),
        Service::Bedrock | Service::BedrockMantle | Service::ClaudePlatform | Service::OpenAi => ("model", "models"),
        Service::Iam | Service::Sts | Service::Signin => ("principal", "principals"),
        _ => ("target", "targets"),
    }
}

/// What somebody did at a stage.
pub(crate) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Probe => "looked around",
        Stage::DeniedUse => "tried",
        Stage::PolicyChange => "changed a policy",
        Stage::GuardrailRemoval => "weakened a control",
        Stage::Credential => "issued a credential",
        Stage::SpendSignal => "said that it was spent",
    }
}

/// Whether a call only reads, by its name.
pub(crate) fn reads(call: &str) -> bool {
    ["Get", "List", "Describe", "Search"]
        .iter()
        .any(|verb| call.starts_with(verb))
}

/// Whether findings of this family are about what was spent, rather than about calls that prepare it.
pub(crate) fn is_spending(family: Family) -> bool {
    matches!(
        family,
        Family::Hijack | Family::AnomalousUse | Family::CeilingExceeded | Family::SpendSignal
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_as_people_write_them() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(counted(1, "call", "calls"), "1 call");
        assert_eq!(
            [-5, 1, 119, 120, 7_200, 172_800].map(lasted),
            ["0 seconds", "1 second", "119 seconds", "2 minutes", "2 hours", "2 days"]
        );
        assert_eq!(minute(Timestamp::from_seconds(1_773_717_240)), "2026-03-17 03:14");
    }

    #[test]
    fn text_of_a_thief_opens_no_tag_no_link_and_no_escape() {
        let nasty = "<!channel> http://evil.example\u{1b}[2J\u{202e}";
        assert_eq!(shown(nasty), "‹!channel› http[://]evil.example?[2J?");
        assert_eq!(shown(&"n".repeat(10_000)).chars().count(), MAX_SHOWN);
    }
}
