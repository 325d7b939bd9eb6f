//! Every episode that was found, as it stood last and at its worst: few words of each, so that all can be counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use tripmeter_model::{Finding, FindingType, Severity};

/// Episodes by finding id.
#[derive(Debug, Default)]
pub(crate) struct Episodes(BTreeMap<String, Episode>);

#[derive(Debug)]
struct Episode {
    finding_type: FindingType,
    severity: Severity,
    /// The rule that keeps it quiet.
    suppressed: Option<String>,
}

/// Episodes of one type and severity.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FindingRow {
    pub(crate) severity: Severity,
    #[serde(rename = "type")]
    pub(crate) finding_type: String,
    pub(crate) episodes: u64,
}

impl Episodes {
    /// Notes how an episode stands now.
    pub(crate) fn note(&mut self, finding: &Finding) {
        let known = self.0.get(&finding.uid).map(|episode| episode.severity);
        let episode = Episode {
            finding_type: finding.finding_type,
            severity: known.map_or(finding.severity, |known| known.max(finding.severity)),
            suppressed: finding.suppressed.as_ref().map(|by| by.rule.clone()),
        };
        self.0.insert(finding.uid.clone(), episode);
    }

    /// Those that nothing keeps quiet, by severity and type, the worst first.
    pub(crate) fn by_type(&self) -> Vec<FindingRow> {
        let mut rows: BTreeMap<(Reverse<Severity>, String), u64> = BTreeMap::new();
        for episode in self.0.values().filter(|episode| episode.suppressed.is_none()) {
            let row = (Reverse(episode.severity), episode.finding_type.to_string());
            *rows.entry(row).or_default() += 1;
        }
        rows.into_iter()
            .map(|((Reverse(severity), finding_type), episodes)| FindingRow {
                severity,
                finding_type,
                episodes,
            })
            .collect()
    }

    /// How many a rule keeps quiet, and the worst severity among them.
    pub(crate) fn suppressed_by(&self, rule: &str) -> (u64, Option<Severity>) {
        let by_rule = || {
            self.0
                .values()
                .filter(|episode| episode.suppressed.as_deref() == Some(rule))
        };
        (
            by_rule().count() as u64,
            by_rule().map(|episode| episode.severity).max(),
        )
    }
}
