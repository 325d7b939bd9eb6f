//! What happened and how bad, in one line.
//!
//! Every line that a person reads first (headline, title, subject, text message, chat) begins with [`what`]: a label
//! for all of them belongs there.

use tripmeter_model::{Family, Finding, IdentityKind, Service, Status};

use crate::words;

/// The longest name in a headline, in characters.
const MAX_NAME: usize = 60;
/// The longest account name in an alert, which has less room.
const MAX_ACCOUNT_NAME: usize = 24;

/// What happened and who did it, without numbers: the same in every revision of an open finding.
///
/// As in `Bedrock is being hijacked by user ci-artifacts`.
pub fn title(finding: &Finding) -> String {
    format!("{} {}", what(finding), who(finding))
}

/// One line: how bad, what, how much, who.
///
/// As in `CRITICAL  Bedrock is being hijacked: 700 model calls in 24 minutes by user ci-artifacts`.
pub fn headline(finding: &Finding) -> String {
    let severity = finding.severity.name().to_uppercase();
    let quiet = match &finding.suppressed {
        Some(by) => format!(" (kept quiet by {})", short(&by.rule)),
        None => String::new(),
    };
    let sentence = match how_much(finding) {
        Some(much) => format!("{}: {much} {}", what(finding), who(finding)),
        None => title(finding),
    };
    format!("{severity:<8}  {sentence}{quiet}")
}

/// How bad, whether it is over, what, and where, most important first, without who: the beginning of what is read on
/// a small screen. As in `CRITICAL: Bedrock is being hijacked in build-prod, us-east-1`.
pub(crate) fn alert(finding: &Finding) -> String {
    let over = if finding.status == Status::Closed {
        ", closed"
    } else {
        ""
    };
    let account = match (&finding.account_name, finding.account.as_str()) {
        (Some(name), _) => format!(" in {}", words::shortened(&words::shown(name), MAX_ACCOUNT_NAME)),
        (None, "") => String::new(),
        (None, id) => format!(" in {}", words::shortened(&words::shown(id), MAX_ACCOUNT_NAME)),
    };
    let region = match (finding.finding_type.family, finding.region.as_str()) {
        // Its sentence names the region.
        (Family::TelemetryLost, _) | (_, "") => String::new(),
        (_, region) => format!(", {}", words::shortened(&words::shown(region), MAX_ACCOUNT_NAME)),
    };
    let severity = finding.severity.name().to_uppercase();
    format!("{severity}{over}: {}{account}{region}", what(finding))
}

/// The beginning of every line: what happened to which service.
fn what(finding: &Finding) -> String {
    if finding.sample {
        return "[SAMPLE] nothing happened, findings arrive: said".to_owned();
    }
    let service = words::service(finding.finding_type.service);
    let is_over = finding.status == Status::Closed;
    let being = if is_over { "was" } else { "is being" };
    let are = if is_over { "were" } else { "are being" };
    match finding.finding_type.family {
        Family::LimitProbe => format!("Limits of {service} {are} read"),
        Family::RegionSweep => {
            let mut calls = finding.evidence.calls.iter();
            // What is not known to be a read alone may be more.
            if calls.len() > 0 && calls.all(|call| words::reads(&call.value)) {
                format!("Limits of {service} {are} read over many regions")
            } else {
                format!("{service} {being} tried over many regions")
            }
        }
        Family::DeniedUse => format!("{service} {being} tried and refused"),
        Family::AccessEnabled => format!("Access to {service} was switched on"),
        Family::LimitRaised if matches!(finding.finding_type.service, Service::ServiceQuotas | Service::Support) => {
            "A higher limit was asked for".to_owned()
        }
        Family::LimitRaised => format!("A limit of {service} was raised"),
        Family::SendingEnabled => format!("Sending by {service} was switched on"),
        Family::SenderAdded => format!("A sender was added to {service}"),
        Family::PolicyOpened => format!("A policy of {service} lets somebody else in"),
        Family::RegionEnabled => "A region was opened".to_owned(),
        Family::GuardrailRemoved => format!("A control of {service} was weakened"),
        Family::CredentialIssued => "A credential was issued or widened".to_owned(),
        Family::LeakedKey => "AWS says that strangers know a key".to_owned(),
        Family::DeniedRegion => format!("{service} {being} called where it is not allowed"),
        Family::AnomalousUse => format!("{service} {being} used as never before"),
        Family::CeilingExceeded => format!("{service} {being} used above its ceiling"),
        Family::SpendSignal if finding.units == 0 && finding.finding_type.service == Service::Billing => {
            "Meters warn of the account's bill".to_owned()
        }
        Family::SpendSignal if finding.units == 0 => format!("Meters warn of spending on {service}"),
        Family::SpendSignal => format!("{service} {being} used more than records show"),
        Family::Hijack => format!("{service} {being} hijacked"),
        Family::TelemetryLost => {
            let arrive = if is_over {
                "did not arrive for a while"
            } else {
                "no longer arrive"
            };
            match finding.region.as_str() {
                "" => format!("Records {arrive}"),
                region => format!("Records of {} {arrive}", short(region)),
            }
        }
    }
}

/// Units or calls, and in which time.
fn how_much(finding: &Finding) -> Option<String> {
    let family = finding.finding_type.family;
    if matches!(family, Family::LeakedKey | Family::TelemetryLost) {
        return None;
    }
    let much = if family == Family::SpendSignal && finding.units == 0 {
        words::counted(finding.count, "signal", "signals")
    } else if words::is_spending(family) {
        let (one, many) = words::units(finding);
        words::counted(finding.units, one, many)
    } else if finding.count > 1 {
        words::counted(finding.count, "call", "calls")
    } else {
        short(&finding.evidence.calls.first()?.value)
    };
    let regions = finding.evidence.regions.len() as u64;
    let place = match (family, finding.region.as_str()) {
        (Family::RegionSweep, _) => format!(" in {}", words::counted(regions, "region", "regions")),
        (Family::DeniedRegion, region) if !region.is_empty() => format!(" in {}", short(region)),
        _ => String::new(),
    };
    let seconds = finding.last_seen.since(finding.first_seen);
    let time = match seconds {
        ..=0 => String::new(),
        _ if place.is_empty() => format!(" in {}", words::lasted(seconds)),
        _ => format!(" within {}", words::lasted(seconds)),
    };
    Some(format!("{much}{place}{time}"))
}

/// Who did it, with the word that joins it to a sentence: `by user ci-artifacts`.
pub(crate) fn who(finding: &Finding) -> String {
    let name = short(&finding.identity.short_name());
    match (finding.identity.kind, finding.finding_type.family) {
        (_, Family::TelemetryLost) | (IdentityKind::Account, Family::SpendSignal) => format!("in {name}"),
        (IdentityKind::Meter, _) => format!("as {name} counts"),
        (IdentityKind::Account, _) => format!("by many identities of {name}"),
        (_, Family::LeakedKey) => format!("of {name}"),
        _ => format!("by {name}"),
    }
}

/// Text of a record, short enough for a headline.
fn short(text: &str) -> String {
    words::shortened(&words::shown(text), MAX_NAME)
}
