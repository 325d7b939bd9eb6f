//! A labelled sample, to try whether findings arrive.
//!
//! It enters where events enter, behind the rules, which admit only what AWS sends: at the queue. It is stored as a finding that
//! says that nothing happened, and published like any other. Nothing is judged, and nothing learned.

use serde::{Deserialize, Serialize};
use tripmeter_model::{
    Cause, Evidence, Factor, FactorName, Family, Finding, FindingType, Identity, Service, Severity, Status, Tactic,
    Timestamp, bounded, stable_uid,
};

/// What a sample says of itself.
const REASON: &str = "nothing happened: somebody tries whether findings arrive";

/// See the module's docs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    tripmeter: Word,
    /// The account that it is said to be of.
    pub account: String,
    /// What tells it from other samples.
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Sample,
}

impl Sample {
    /// A sample of an account; of the same id, the same finding.
    pub fn new(account: &str, id: &str) -> Self {
        Self {
            tripmeter: Word::Sample,
            account: account.to_owned(),
            id: id.to_owned(),
        }
    }

    /// Out of a message, if it is one.
    pub fn read(message: &str) -> Option<Self> {
        let sample: Self = serde_json::from_str(message).ok()?;
        let digits = sample.account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && sample.account.len() == 12 && sample.id.len() <= 64).then_some(sample)
    }

    /// The message that it is.
    ///
    /// # Errors
    /// None that its parts could bring about.
    pub fn message(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// The id of its finding.
    pub fn uid(&self) -> String {
        stable_uid(&["sample", &self.account, &self.id])
    }

    /// Its finding, closed as soon as it is told.
    pub fn finding(&self, region: &str, at: Timestamp) -> Finding {
        Finding {
            uid: self.uid(),
            revision: 1,
            cause: Cause::Created,
            status: Status::Closed,
            finding_type: FindingType {
                tactic: Tactic::Impact,
                service: Service::Ses,
                family: Family::AnomalousUse,
            },
            severity: Severity::High,
            points: 70,
            factors: vec![Factor {
                name: FactorName::Base,
                points: 70,
                text: REASON.to_owned(),
                observed: None,
                expected: None,
            }],
            account: self.account.clone(),
            account_name: None,
            region: bounded(region, 32),
            identity: Identity::account(&self.account),
            linked: Vec::new(),
            time: at,
            first_seen: at,
            last_seen: at,
            count: 0,
            units: 0,
            units_per_hour: 0,
            units_by_target: Vec::new(),
            cost_micros: None,
            evidence: Evidence::default(),
            owner: None,
            suppressed: None,
            sample: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_read_as_it_was_sent_and_nothing_else_is_one() {
        let sample = Sample::new("111122223333", "first");
        assert_eq!(Sample::read(&sample.message().unwrap()), Some(sample));
        for other in [
            "",
            r#"{"tripmeter":"tick","account":"111122223333","id":"x"}"#,
            r#"{"tripmeter":"sample","account":"everybody","id":"x"}"#,
            r#"{"detail-type":"AWS API Call via CloudTrail","detail":{}}"#,
        ] {
            assert_eq!(Sample::read(other), None, "{other}");
        }
    }
}
