//! Policy documents of IAM, resources and organisations, read statement by statement.
//!
//! It is a reading, not IAM: resources are not looked at, and a condition is only known to be there. So an allowance
//! may be narrower than it looks; that is said wherever it is used. Source: IAM User Guide, "Grammar of the IAM JSON
//! policy language".

use serde_json::Value;

use crate::wildcard;

/// A policy document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    statements: Vec<Statement>,
}

/// A statement of it.
#[derive(Clone, Debug)]
pub(crate) struct Statement(Value);

impl Document {
    /// Out of JSON; what cannot be read says nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        let statements = many(document.get("Statement"));
        Self {
            statements: statements.into_iter().cloned().map(Statement).collect(),
        }
    }

    /// The statements that allow.
    pub(crate) fn allowing(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|statement| statement.effect("Allow"))
    }

    /// The statements that deny.
    pub(crate) fn denying(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(|statement| statement.effect("Deny"))
    }

    /// Whether a statement allows the action on something.
    pub(crate) fn allows(&self, action: &str) -> bool {
        self.allowing().any(|statement| statement.is_about(action))
    }

    /// Whether a statement denies the action on everything, whatever the circumstances.
    pub(crate) fn denies(&self, action: &str) -> bool {
        self.denying()
            .any(|statement| statement.is_about(action) && statement.is_on_everything() && !statement.is_conditional())
    }
}

impl Statement {
    /// Whether it is about the action, as in `ses:SendEmail`.
    pub(crate) fn is_about(&self, action: &str) -> bool {
        match (self.0.get("Action"), self.0.get("NotAction")) {
            (Some(actions), _) => named(actions, action),
            (None, Some(others)) => !named(others, action),
            (None, None) => false,
        }
    }

    /// Whether it is about every resource.
    pub(crate) fn is_on_everything(&self) -> bool {
        self.texts("Resource").any(|resource| resource == "*")
    }

    /// Whether it holds under conditions alone.
    pub(crate) fn is_conditional(&self) -> bool {
        self.conditions().next().is_some()
    }

    /// Its conditions: operator, key, values.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&str, &str, Vec<&str>)> {
        let operators = self.0.get("Condition").and_then(Value::as_object);
        operators.into_iter().flatten().flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| {
                let texts = many(Some(values)).into_iter().filter_map(Value::as_str);
                (operator.as_str(), key.as_str(), texts.collect())
            })
        })
    }

    /// The AWS services that it is about; `*` for everybody.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        let principal = self.0.get("Principal");
        let everybody = principal
            .is_some_and(|principal| principal == "*" || many(principal.get("AWS")).into_iter().any(|aws| aws == "*"));
        let services = many(principal.and_then(|principal| principal.get("Service")));
        let named = services.into_iter().filter_map(Value::as_str);
        named.chain(everybody.then_some("*"))
    }

    fn effect(&self, wanted: &str) -> bool {
        self.0.get("Effect").and_then(Value::as_str) == Some(wanted)
    }

    fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        many(self.0.get(name)).into_iter().filter_map(Value::as_str)
    }
}

/// Actions are compared without regard to case, as IAM does.
fn named(actions: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    many(Some(actions))
        .into_iter()
        .filter_map(Value::as_str)
        .any(|pattern| wildcard::matches(&pattern.to_ascii_lowercase(), &action))
}

fn many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(many)) => many.iter().collect(),
        Some(one) => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(statements: &str) -> Document {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#))
    }

    #[test]
    fn actions_are_allowed_by_name_by_wildcard_and_by_exclusion() {
        let document = of(r#"[{"Effect":"Allow","Action":["SES:Send*"],"Resource":"*"},
            {"Effect":"Allow","NotAction":["iam:*","ses:*"],"Resource":"*"}]"#);

        assert!(document.allows("ses:SendEmail") && document.allows("sns:Publish"));
        assert!(!document.allows("ses:PutAccountDetails") && !document.allows("iam:CreateUser"));
    }

    #[test]
    fn only_a_denial_of_everything_without_conditions_is_sure() {
        let everything = of(r#"{"Effect":"Deny","Action":"ses:*","Resource":"*"}"#);
        let some = of(r#"{"Effect":"Deny","Action":"ses:*","Resource":"arn:aws:ses:eu-west-1:1:identity/a.com"}"#);
        let abroad = of(r#"{"Effect":"Deny","Action":"*","Resource":"*",
            "Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1"]}}}"#);

        assert!(everything.denies("ses:SendEmail"));
        assert!(!some.denies("ses:SendEmail") && !abroad.denies("ses:SendEmail"));
    }

    #[test]
    fn what_cannot_be_read_allows_nothing() {
        for text in [
            "",
            "null",
            "[]",
            r#"{"Statement":7}"#,
            r#"{"Statement":[{"Effect":"Allow"}]}"#,
        ] {
            assert!(!Document::parse(text).allows("ses:SendEmail"), "{text}");
        }
    }
}
