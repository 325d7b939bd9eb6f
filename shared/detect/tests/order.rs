//! Order, duplication, lateness and batching do not change what is found.
//!
//! Accounts are drawn from a seed: weeks of ordinary use, then an attack with its openings before, between or after
//! the use. What is compared is the set of episodes at the end: id, type, severity, count, evidence. How often each
//! was published on the way may differ.

mod story;

use proptest::prelude::*;
use tripmeter_detect::{Engine, Settings};
use tripmeter_model::{Activity, Family, Finding, FindingType, NoPolicy, Severity};

use story::{doubled, in_order, late, story};

type Told = (String, FindingType, Severity, u64, Vec<String>);

fn told(findings: Vec<Finding>) -> Vec<Told> {
    findings
        .into_iter()
        .map(|f| (f.uid, f.finding_type, f.severity, f.count, f.evidence.event_ids))
        .collect()
}

fn judge(activities: &[Activity]) -> Vec<Told> {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut out = Vec::new();
    for activity in activities {
        engine.observe(activity, &mut out);
    }
    engine.finish(&mut out);
    told(engine.findings())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lateness_does_not_change_what_is_found(seed in any::<u64>(), delays in any::<u64>()) {
        let story = in_order(story(seed));
        prop_assert_eq!(judge(&late(&story, delays)), judge(&story));
    }

    #[test]
    fn duplicates_do_not_change_what_is_found(seed in any::<u64>(), again in any::<u64>()) {
        let story = in_order(story(seed));
        prop_assert_eq!(judge(&doubled(&story, again)), judge(&story));
    }

    #[test]
    fn lateness_and_duplicates_together_do_not_either(seed in any::<u64>(), dice in any::<u64>()) {
        let story = in_order(story(seed));
        prop_assert_eq!(judge(&doubled(&late(&story, dice), dice)), judge(&story));
    }
}

#[test]
fn the_stories_are_worth_comparing() {
    let severities: Vec<Severity> = (0..40)
        .flat_map(|seed| judge(&in_order(story(seed))))
        .map(|(_, _, severity, ..)| severity)
        .collect();
    let families: Vec<Family> = (0..40)
        .flat_map(|seed| judge(&in_order(story(seed))))
        .map(|(_, finding_type, ..)| finding_type.family)
        .collect();
    for family in [Family::Hijack, Family::AnomalousUse, Family::SpendSignal] {
        assert!(families.contains(&family), "no story has a finding of {family:?}");
    }
    for severity in Severity::ALL {
        assert!(
            severities.contains(&severity),
            "no story has a finding of {severity}: {severities:?}"
        );
    }
}
