//! A finding with shorter lists, for a message that holds no more.

use tripmeter_model::{Finding, bounded};

use super::Places;

/// How many entries of each list are kept, tried in this order.
pub(super) const KEEPS: [usize; 6] = [16, 8, 4, 2, 1, 0];

/// A finding of which something was cut.
pub(super) struct Trimmed {
    /// What is left.
    pub(super) finding: Finding,
    /// What was cut: `evidence.addresses: 60 of 64`.
    pub(super) cut: Vec<String>,
    /// Where the whole is.
    pub(super) whole: String,
}

impl Trimmed {
    /// For people, below the text.
    pub(super) fn note(&self) -> String {
        format!(
            "\nTrimmed to fit one message; left out: {}.\nThe whole: {}\n",
            self.cut.join("; "),
            self.whole
        )
    }
}

/// Where the whole of a finding is.
pub(super) fn pointer(finding: &Finding, places: &Places) -> String {
    format!(
        "tripmeter findings show {} --table {}",
        bounded(&finding.uid, 64),
        bounded(&places.findings_table, 255)
    )
}

/// The finding with at most `keep` entries in each list of its evidence. Reasons, which add up to the severity, and
/// units by target, from which the cost is estimated, stay.
pub(super) fn trimmed(finding: &Finding, keep: usize, places: &Places) -> Trimmed {
    let mut finding = finding.clone();
    let whole = pointer(&finding, places);
    let mut cut = Vec::new();
    let seen = &mut finding.evidence;
    shorten("linked", &mut finding.linked, keep, &mut cut);
    shorten("evidence.event_ids", &mut seen.event_ids, keep, &mut cut);
    shorten("evidence.regions", &mut seen.regions, keep, &mut cut);
    shorten("evidence.networks", &mut seen.networks, keep, &mut cut);
    shorten("evidence.clients", &mut seen.clients, keep, &mut cut);
    shorten("evidence.targets", &mut seen.targets, keep, &mut cut);
    shorten("evidence.addresses", &mut seen.addresses, keep, &mut cut);
    shorten("evidence.calls", &mut seen.calls, keep, &mut cut);
    shorten("evidence.sessions", &mut seen.sessions, keep, &mut cut);
    shorten("evidence.openings", &mut seen.openings, keep, &mut cut);
    shorten("evidence.issued", &mut seen.issued, keep, &mut cut);
    shorten("evidence.assumed_by", &mut seen.assumed_by, keep, &mut cut);
    Trimmed { finding, cut, whole }
}

fn shorten<T>(name: &str, list: &mut Vec<T>, keep: usize, cut: &mut Vec<String>) {
    let all = list.len();
    if all > keep {
        list.truncate(keep);
        cut.push(format!("{name}: {} of {all}", all - keep));
    }
}
