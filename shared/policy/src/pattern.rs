//! Patterns with `*`, and the things that they are matched against: identities and finding types.

use tripmeter_model::{Family, Identity, Service, bounded};

use crate::problem::suggestion;

/// A text in which `*` stands for any run of characters, also none, also across `/` and `:`. All else is literal,
/// and upper and lower case differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    first: String,
    /// What follows each `*`.
    rest: Vec<String>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces = text.split('*').map(str::to_owned);
        Self {
            first: pieces.next().unwrap_or_default(),
            rest: pieces.collect(),
        }
    }

    /// Whether the whole of `text` fits. Without allocation, in time linear in the text for each `*`.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((last, middle)) = self.rest.split_last() else {
            return text == self.first;
        };
        let Some(mut text) = text
            .strip_prefix(self.first.as_str())
            .and_then(|t| t.strip_suffix(last.as_str()))
        else {
            return false;
        };
        // The leftmost place for each piece leaves the most room for the next: no need to go back.
        middle.iter().all(|piece| match text.split_once(piece.as_str()) {
            Some((_, after)) => {
                text = after;
                true
            }
            None => false,
        })
    }
}

/// A pattern for durable identities: `arn:aws:iam::111122223333:role/deploy-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentityPattern {
    pattern: Pattern,
    names_account: bool,
}

/// Identities that nobody could have meant: a pattern that fits one of them fits everybody of its sort.
const NOBODY: [&str; 4] = [
    "arn:aws:iam::000000000000:role/\u{1}",
    "arn:aws:iam::000000000000:user/\u{1}",
    "arn:aws:iam::000000000000:role/aws-reserved/sso.amazonaws.com/\u{1}/AWSReservedSSO_\u{1}#\u{1}",
    "000000000000/\u{1}",
];

impl IdentityPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it and what to write instead: it fits everybody, or could never fit a durable identity.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let shown = bounded(text, 80);
        let pattern = Pattern::new(text);
        if NOBODY.iter().any(|id| pattern.matches(id)) {
            return Err(format!(
                "'{shown}' matches everybody; name who is meant, as in *:role/deploy-*"
            ));
        }
        if text.starts_with("AKIA") || text.starts_with("ASIA") {
            return Err(format!(
                "'{shown}' is an access key, which is never an identity; name the user or role that holds it"
            ));
        }
        if text.contains(":assumed-role/") {
            return Err(format!(
                "'{shown}' is a session; an identity is the role behind it, as in arn:aws:iam::111122223333:role/NAME"
            ));
        }
        if !text.starts_with('*') && !text.contains([':', '/', '#']) && !is_service(text) && !is_account(text) {
            let whole = if text.contains('@') { "*#" } else { "*:role/" };
            return Err(format!(
                "'{shown}' matches no identity, which is a whole ARN; to match by name write {whole}{shown}"
            ));
        }
        Ok(Self {
            names_account: text.split(':').any(is_account),
            pattern,
        })
    }

    /// Whether it fits, for something done in `account`. A pattern that leaves the account open means the account
    /// itself: somebody else's role may have any name its owner likes.
    pub(crate) fn matches(&self, identity: &Identity, account: &str) -> bool {
        self.pattern.matches(&identity.id)
            && (self.names_account || account_of(&identity.id).is_none_or(|own| own == account))
    }
}

/// Whether a text has the form of an account's id: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The account field of an ARN; `None` for what is no ARN.
fn account_of(arn: &str) -> Option<&str> {
    arn.starts_with("arn:").then(|| arn.split(':').nth(4))?
}

/// Whether a text is an AWS service's name, as CloudTrail writes it in `invokedBy`.
pub(crate) fn is_service(text: &str) -> bool {
    text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn")
}

/// A pattern for finding types: `Discovery:*/LimitProbe`, `Bedrock/*`, `LimitProbe`. The tactic follows from the
/// family, so it is checked when the pattern is read and not compared again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypePattern {
    services: Vec<Service>,
    families: Vec<Family>,
}

const TACTICS: [&str; 5] = [
    "Discovery",
    "Persistence",
    "DefenseEvasion",
    "CredentialAccess",
    "Impact",
];

impl TypePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Which part of it fits no type, and what was probably meant.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let (tactic, rest) = text.split_once(':').unwrap_or(("*", text));
        let (service, family) = rest.split_once('/').unwrap_or(("*", rest));
        let services: Vec<&str> = Service::ALL.iter().map(|s| s.name()).collect();
        let families: Vec<&str> = Family::ALL.iter().map(|f| f.name()).collect();
        fitting("tactic", tactic, &TACTICS)?;
        fitting("service", service, &services)?;
        fitting("family of findings", family, &families)?;
        let (service, family) = (Pattern::new(service), Pattern::new(family));
        Ok(Self {
            services: Service::ALL
                .iter()
                .copied()
                .filter(|s| service.matches(s.name()))
                .collect(),
            families: Family::ALL
                .iter()
                .copied()
                .filter(|f| family.matches(f.name()))
                .collect(),
        })
    }

    /// Whether every type fits.
    pub(crate) fn is_everything(&self) -> bool {
        self.services.len() == Service::ALL.len() && self.families.len() == Family::ALL.len()
    }

    /// Whether a finding of this family on this service fits.
    pub(crate) fn matches(&self, service: Service, family: Family) -> bool {
        self.families.contains(&family) && self.services.contains(&service)
    }
}

/// # Errors
/// The pattern fits none of the names.
fn fitting(what: &str, pattern: &str, names: &[&str]) -> Result<(), String> {
    let compiled = Pattern::new(pattern);
    if names.iter().any(|name| compiled.matches(name)) {
        return Ok(());
    }
    Err(format!(
        "'{}' is no {what}{}",
        bounded(pattern, 80),
        suggestion(pattern, names)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tripmeter_model::IdentityKind;

    fn role(id: &str) -> Identity {
        Identity {
            kind: IdentityKind::Role,
            id: id.to_owned(),
        }
    }

    /// The definition, read aloud: slow, and hard to get wrong.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| naive(rest, &text[n..])),
            Some((c, rest)) => text.split_first().is_some_and(|(t, text)| t == c && naive(rest, text)),
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_the_definition(pattern in "[ab*é]{0,8}", text in "[abé]{0,12}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                Pattern::new(&pattern).matches(&text),
                naive(&chars(&pattern), &chars(&text))
            );
        }
    }

    #[test]
    fn a_star_stands_for_any_run_and_all_else_for_itself() {
        for (pattern, text, fits) in [
            ("app", "app", true),
            ("app", "apps", false),
            ("app*", "app", true),
            ("*:role/*-ci", "arn:aws:iam::1:role/path/web-ci", true),
            ("*:role/*-ci", "arn:aws:iam::1:role/path/web-ci-2", false),
            ("a*a", "a", false),
            ("App*", "apple", false),
            ("a.c", "abc", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_that_leaves_the_account_open_does_not_let_strangers_in() {
        let open = IdentityPattern::new("*:role/deploy").unwrap();
        let named = IdentityPattern::new("arn:aws:iam::444455556666:role/deploy").unwrap();
        let own = role("arn:aws:iam::111122223333:role/deploy");
        let foreign = role("arn:aws:iam::444455556666:role/deploy");

        assert!(open.matches(&own, "111122223333"));
        assert!(!open.matches(&foreign, "111122223333"));
        assert!(named.matches(&foreign, "111122223333"));
    }

    #[test]
    fn a_role_pattern_does_not_cover_the_api_key_of_the_role() {
        let pattern = IdentityPattern::new("arn:aws:iam::111122223333:role/app").unwrap();
        let key = Identity {
            kind: IdentityKind::BedrockApiKey,
            id: "arn:aws:iam::111122223333:role/app#bedrock-api-key".to_owned(),
        };
        assert!(!pattern.matches(&key, "111122223333"));
    }

    #[test]
    fn a_pattern_for_everybody_or_for_nobody_is_refused() {
        for text in [
            "*",
            "**",
            "",
            "arn:aws:iam::*:role/*",
            "*:user/*",
            "*#*",
            "deploy",
            "deploy-*",
            "dana@example.com",
            "AKIAEXAMPLE",
            "arn:aws:sts::111122223333:assumed-role/app/session",
        ] {
            assert!(IdentityPattern::new(text).is_err(), "{text}");
        }
        for text in [
            "*deploy*",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::*:root",
            "*#dana@example.com",
            "scheduler.amazonaws.com",
            "444455556666/AIDAEXAMPLE",
            "111122223333",
        ] {
            assert!(IdentityPattern::new(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_type_may_be_written_whole_in_part_or_by_family() {
        let fits = |pattern: &str| {
            let pattern = TypePattern::new(pattern).unwrap();
            (
                pattern.matches(Service::Ses, Family::LimitProbe),
                pattern.matches(Service::Bedrock, Family::Hijack),
            )
        };
        assert_eq!(fits("Discovery:SES/LimitProbe"), (true, false));
        assert_eq!(fits("Discovery:*/LimitProbe"), (true, false));
        assert_eq!(fits("LimitProbe"), (true, false));
        assert_eq!(fits("Bedrock/*"), (false, true));
        assert_eq!(fits("*"), (true, true));
        assert!(TypePattern::new("*:*/*").unwrap().is_everything());
        assert!(TypePattern::new("Discovery:SES/LimitProbes").is_err());
        assert!(TypePattern::new("Discovry:SES/LimitProbe").is_err());
        assert!(TypePattern::new("Discovery:Email/LimitProbe").is_err());
    }
}
