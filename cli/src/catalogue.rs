//! `tripmeter catalogue`: what is watched, and why.

use serde_json::{Value, json};
use tripmeter_catalogue::{Call, calls, openai};
use tripmeter_model::Kind;

use crate::args::ListFormat;
use crate::table::Table;

/// Every watched call, for people or as one JSON array.
pub(crate) fn list(format: ListFormat) -> String {
    match format {
        ListFormat::Table => {
            let mut table = Table::new(["SERVICE", "CALL", "KIND", "WHY", "CONDITION"]);
            for call in calls().chain(openai::calls()) {
                table.row([
                    call.service.name(),
                    call.name,
                    word(call.kind),
                    call.why,
                    &condition(call),
                ]);
            }
            table.to_string()
        }
        ListFormat::Json => format!("{:#}\n", calls().chain(openai::calls()).map(as_json).collect::<Value>()),
    }
}

fn as_json(call: &Call) -> Value {
    json!({
        "service": call.service.name(),
        "event_source": call.service.event_source(),
        "call": call.name,
        "kind": word(call.kind),
        "effect": call.effect,
        "condition": condition(call),
        "target": call.target.to_string(),
        "quantity": call.quantity.to_string(),
        "read_only": call.read_only,
        "data_event": call.data_event,
        "routine": call.routine,
        "grave": call.grave,
        "why": call.why,
    })
}

/// What has to be so for the call to mean what its row says.
fn condition(call: &Call) -> String {
    let conditions = [call.rule.to_string(), call.ours.to_string()];
    let said: Vec<&str> = conditions
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    said.join("; ")
}

/// The kind as people say it.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Probe => "probe",
        Kind::PolicyChange => "policy change",
        Kind::GuardrailRemoval => "guardrail removal",
        Kind::CredentialIssue => "credential issue",
        Kind::Use => "use",
        Kind::LeakedKey => "leaked key",
        Kind::SpendSignal => "spend signal",
        Kind::Context => "context",
    }
}
