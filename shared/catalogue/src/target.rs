//! What a call is about, written the same way whatever the region: a model's id out of its ARN, a sender's domain
//! out of its address, a country out of a phone number.

use tripmeter_model::{Target, bounded};

use crate::call::About;
use crate::dial_prefixes;
use crate::parameters::Parameters;

/// The longest target that is kept, in bytes.
const MAX_TARGET: usize = 256;

/// What the parameters say the call is about. Principals are found in [`crate::principal`].
pub(crate) fn of(about: About, parameters: &Parameters) -> Option<Target> {
    let (About::Model(paths)
    | About::Topic(paths)
    | About::Sender(paths)
    | About::Country(paths)
    | About::Resource(paths)) = about
    else {
        return None;
    };
    of_text(about, &parameters.first_text(paths)?)
}

/// The target in an ARN, a name or whatever else the parameter holds.
pub(crate) fn of_text(about: About, text: &str) -> Option<Target> {
    let keep = |text: &str| Some(bounded(text, MAX_TARGET)).filter(|t| !t.is_empty());
    match about {
        About::Model(_) => keep(model(text)).map(Target::Model),
        About::Topic(_) => keep(topic(text)).map(Target::Topic),
        About::Sender(_) => domain(text).map(Target::Sender),
        About::Country(_) => country(text).map(|code| Target::Country(code_text(code))),
        About::Resource(_) if looks_like_phone_number(text) => None,
        About::Resource(_) => keep(resource(text)).map(Target::Resource),
        _ => None,
    }
}

/// An ISO code as text.
pub(crate) fn code_text(code: [u8; 2]) -> String {
    code.iter().map(|b| char::from(*b)).collect()
}

/// What follows region and account in an ARN; other text as it is.
fn resource(text: &str) -> &str {
    let text = text.trim();
    if text.starts_with("arn:") {
        return text.splitn(6, ':').nth(5).unwrap_or_default();
    }
    match text.split_once("://") {
        Some((_, url)) => url.trim_end_matches('/').rsplit('/').next().unwrap_or_default(),
        None => text,
    }
}

/// Where inference profiles route to: the part before the model's provider.
/// Source: "Supported Regions and models for inference profiles", Amazon Bedrock User Guide.
const GEOGRAPHIES: &[&str] = &[
    "af", "ap", "apac", "au", "br", "ca", "eu", "global", "il", "in", "jp", "kr", "me", "mx", "sa", "sg", "uk", "us",
    "us-gov",
];

/// A model's id: without ARN, region, account, and without the geography of a cross-region inference profile.
fn model(text: &str) -> &str {
    let resource = resource(text);
    let id = match resource.split_once('/') {
        Some(("foundation-model" | "inference-profile", id)) => id,
        _ => resource,
    };
    match id.split_once('.') {
        Some((geography, rest)) if GEOGRAPHIES.contains(&geography) => rest,
        _ => id,
    }
}

/// A topic's name, out of its ARN or that of one of its subscriptions.
fn topic(text: &str) -> &str {
    resource(text).split(':').next().unwrap_or_default()
}

/// The mail domain of an address, a domain, or an identity's ARN, in lower case.
fn domain(text: &str) -> Option<String> {
    let text = resource(text);
    let text = text.strip_prefix("identity/").unwrap_or(text);
    let host = text.rsplit('@').next().unwrap_or_default();
    let host: String = host
        .trim()
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .collect::<String>()
        .to_lowercase();
    let host = host.trim_matches('.');
    host.contains('.').then(|| bounded(host, MAX_TARGET))
}

/// A country's own code, or that of a phone number.
fn country(text: &str) -> Option<[u8; 2]> {
    let text = text.trim();
    match <[u8; 2]>::try_from(text.as_bytes()) {
        Ok(code) if code.iter().all(u8::is_ascii_alphabetic) => Some(code.map(|b| b.to_ascii_uppercase())),
        _ => dial_prefixes::country(text),
    }
}

fn looks_like_phone_number(text: &str) -> bool {
    text.trim().starts_with('+') || dial_prefixes::country(text).is_some()
}

/// The ARN that the message of a denied call names: `... on resource: ARN because ...`.
pub(crate) fn denied_resource(message: &str) -> Option<&str> {
    let (_, after) = message.split_once("on resource: ")?;
    let arn = after.split([' ', ',', '"', '\n']).next()?;
    (arn.starts_with("arn:") && !arn.ends_with('*')).then_some(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_its_id_whatever_the_region_geography_or_account() {
        for text in [
            "anthropic.claude-sonnet-4-20250514-v1:0",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "global.anthropic.claude-sonnet-4-20250514-v1:0",
            "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0",
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0",
        ] {
            assert_eq!(model(text), "anthropic.claude-sonnet-4-20250514-v1:0", "{text}");
        }
        assert_eq!(
            model("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2"),
            "application-inference-profile/a1b2"
        );
        assert_eq!(model("zai.glm-4.6"), "zai.glm-4.6");
    }

    #[test]
    fn a_sender_is_its_mail_domain() {
        for text in [
            "Name <a@News.Example.com>",
            "a@news.example.com",
            "news.example.com",
            "\"x@y\" <a@news.example.com>",
            "arn:aws:ses:us-east-1:111122223333:identity/news.example.com",
        ] {
            assert_eq!(domain(text).as_deref(), Some("news.example.com"), "{text}");
        }
        assert_eq!(domain("HIDDEN_DUE_TO_SECURITY_REASONS"), None);
    }

    #[test]
    fn of_a_phone_number_nothing_but_the_country_is_kept() {
        let about = About::Country(&["x"]);
        assert_eq!(of_text(about, "+2250712345678"), Some(Target::Country("CI".into())));
        assert_eq!(of_text(about, "gb"), Some(Target::Country("GB".into())));
        assert_eq!(of_text(About::Resource(&["x"]), "+2250712345678"), None);
        assert_eq!(of_text(About::Resource(&["x"]), "2250712345678"), None);
    }

    #[test]
    fn a_denied_call_names_its_resource_in_the_message() {
        let message = "User: arn:aws:iam::1:user/x is not authorized to perform: ses:CreateEmailIdentity on resource: arn:aws:ses:us-east-1:1:identity/example.com because no identity-based policy allows it";
        assert_eq!(
            denied_resource(message),
            Some("arn:aws:ses:us-east-1:1:identity/example.com")
        );
        assert_eq!(denied_resource("... on resource: * because"), None);
    }
}
