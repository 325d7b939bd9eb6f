//! Meters say that it is spent, and no record says by whom.
//!
//! Two ways. A *meter's own count* leaves its baseline, or comes from a region that it never saw, and records do not
//! explain it: mail over SMTP, text messages straight to a number, sign-up messages, model calls that no trail holds.
//! Medium; more with what was opened on the service, whoever opened it, until it is a hijack. A *signal* (a budget, a
//! quota, an alarm, a cost anomaly, AWS itself) says that much was spent: it raises what is found on the service within
//! `TimeWindow`, and where nothing is, it is a finding of its own: Low, or Medium where it is a strong one or a second
//! source says so too.
//!
//! ATT&CK: T1496.004. Evades: what stays within the meter's baseline, and below every budget and alarm; a rise of three
//! tenths beside a rise that records show. False when: a mailing over SMTP that nobody announced; a budget that is too
//! small for the business.

use std::collections::BTreeSet;

use tripmeter_model::{FactorName, Service, Stage, Timestamp};

use super::part;
use crate::baseline::Level;
use crate::cell::{Cell, SHOWS};
use crate::control::{ControlScene, Verdict};
use crate::ledger::{Ledger, Opening};
use crate::settings::Settings;
use crate::units::Unit;
use crate::weigh::{Facts, Note, Part, Scene, Weighed};

/// More than anybody is on record for: what makes a meter's rise Medium.
const UNRECORDED: f64 = 20.0;
/// A signal, and a strong one: a limit was reached, not only forecast.
const SIGNAL: f64 = 20.0;
const STRONG: f64 = 30.0;
/// A second source that says so, too: sources share causes, so it weighs less than the first.
const SECOND_SOURCE: f64 = 10.0;
/// A strong signal that nothing else explains.
const STRONG_ALONE: f64 = 40.0;
/// Above a ceiling.
const CEILING: f64 = 70.0;

/// What meters said of a service around some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signals<'a> {
    /// The strongest, of equals the first.
    pub told: &'a Opening,
    /// Sources that said something.
    pub sources: usize,
}

impl Signals<'_> {
    fn points(&self) -> f64 {
        let first = if self.told.grave { STRONG } else { SIGNAL };
        let more = if self.sources > 1 { SECOND_SOURCE } else { 0.0 };
        first + more
    }
}

/// The signals about a service, or about the account's whole bill, between two times.
pub(crate) fn signals(ledger: &Ledger, service: Service, from: Timestamp, to: Timestamp) -> Option<Signals<'_>> {
    let about = |opening: &&Opening| {
        opening.stage == Stage::SpendSignal && (opening.service == service || opening.service == Service::Billing)
    };
    let told: Vec<&Opening> = ledger.all(from, to).map(|(_, opening)| opening).filter(about).collect();
    let sources: BTreeSet<&str> = told.iter().map(|opening| opening.identity.id.as_str()).collect();
    let first = |a: &&&Opening, b: &&&Opening| {
        let rank = |of: &Opening| (!of.grave, of.first, of.identity.id.clone());
        rank(a).cmp(&rank(b))
    };
    Some(Signals {
        told: told.iter().min_by(first)?,
        sources: sources.len(),
    })
}

/// Weighs signals beside an hour that belongs to an episode anyway.
pub(crate) fn corroborate<'a>(scene: &Scene<'a>, facts: &Facts, weighed: &mut Weighed<'a>) {
    if weighed.points < SHOWS {
        return;
    }
    let reach = scene.settings.correlation();
    let (from, to) = (facts.first.plus(-reach), facts.last.plus(reach));
    if let Some(signals) = signals(scene.ledger, scene.service, from, to) {
        weighed.add(FactorName::SpendSignal, signals.points(), Note::Signals(signals));
    }
}

/// The same, as a factor by itself.
pub(crate) fn as_part(signals: Signals<'_>) -> Part<'_> {
    Part {
        name: FactorName::SpendSignal,
        points: signals.points() as u32,
        note: Note::Signals(signals),
    }
}

/// Whether a meter counted enough where it never counted before.
pub(crate) fn fresh(facts: &Facts, new_place: f64, settings: &Settings, weighed: &mut Weighed<'_>) -> bool {
    let fresh = new_place > 0.0 && facts.sums.fresh >= settings.fresh_uses;
    if fresh {
        weighed.add(FactorName::Fresh, 20.0, Note::Times(facts.sums.fresh.into()));
    }
    fresh
}

/// Weighs that no record shows whose a meter's unusual use is.
pub(crate) fn unrecorded<'a>(scene: &Scene<'a>, facts: &Facts, level: Level, fresh: bool, weighed: &mut Weighed<'a>) {
    if level >= Level::Anomalous || fresh || facts.first_of_service && facts.enough {
        weighed.add(FactorName::Unrecorded, UNRECORDED, Note::BlindSpot(scene.service));
    }
}

/// Weighs what a meter counted above the service's ceiling.
pub(crate) fn ceiling<'a>(scene: &Scene<'a>, facts: &Facts, cell: &Cell, weighed: &mut Weighed<'a>) {
    let Some((shipped_hour, shipped_day)) = scene.settings.ceilings(scene.service) else {
        return;
    };
    let most = scene.most.unwrap_or(u64::MAX).max(1);
    let in_calls = Unit::of(scene.service, scene.identity) == Unit::Tokens && scene.service != Service::OpenAi;
    let hour = if in_calls {
        cell.journal.count
    } else {
        cell.journal.units
    };
    let day = scene.profile.day_so_far(facts.hour, in_calls);
    let (largest_hour, largest_day) = scene.profile.largest(in_calls);
    let multiple = scene.settings.ceiling_peak_multiple;
    let raised = |shipped: u64, largest: f64| shipped.max((multiple * largest) as u64).min(most);
    let (ceiling_hour, ceiling_day) = (raised(shipped_hour, largest_hour), raised(shipped_day, largest_day));
    if hour > ceiling_hour {
        weighed.add(FactorName::Ceiling, CEILING, Note::Above(hour, ceiling_hour, "hour"));
    } else if day > ceiling_day {
        weighed.add(FactorName::Ceiling, CEILING, Note::Above(day, ceiling_day, "day"));
    }
}

/// Judges signals that nothing else explains.
pub(super) fn judge<'a>(scene: &ControlScene<'a>) -> Verdict<'a> {
    let (Some(first), Some(last)) = (scene.control.journal.first, scene.control.journal.last) else {
        return Vec::new();
    };
    let reach = scene.settings.correlation();
    let Some(signals) = signals(scene.ledger, scene.key.service, first.plus(-reach), last.plus(reach)) else {
        return Vec::new();
    };
    let base = if scene.control.grave { STRONG_ALONE } else { SIGNAL };
    let mut verdict = vec![part(FactorName::Base, base, scene.control.journal.count)];
    if signals.sources > 1 {
        let second = if scene.control.grave {
            SECOND_SOURCE
        } else {
            STRONG_ALONE - SIGNAL
        };
        verdict.push(part(FactorName::SpendSignal, second, signals.sources as u64));
    }
    verdict
}

/// Where use goes that no record shows, by service.
pub(crate) fn blind_spot(service: Service) -> &'static str {
    match service {
        Service::Ses | Service::WorkMail => {
            "mail over SMTP, which no trail holds, or through the API without data events in the trail"
        }
        Service::Sns => "text messages straight to a number, or publishing without data events in the trail",
        Service::Sms => "text or voice messages without data events in the trail",
        Service::Cognito => "sign-up and sign-in messages, which Cognito sends and no trail holds",
        Service::Bedrock
        | Service::BedrockMantle
        | Service::AgentCore
        | Service::ClaudePlatform
        | Service::SageMaker => "model calls without records, or as many calls with far more tokens",
        Service::OpenAi => "use of the organisation's keys",
        _ => "what no trail holds, or a trail that is stopped",
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{
        Activity, Cause, Family, Finding, Identity, Kind, PolicyEffect, Quantity, Service, Severity,
    };

    use crate::testing::{activity, at, by, found, kind, published, quiet_days, worst};

    /// What a meter counted in some minutes that begin at a time.
    pub(crate) fn counted(service: Service, region: &str, calls: u64, hour: i64) -> Activity {
        let mut counted = activity(service, "Send", at(hour));
        counted.identity = Identity::meter("AWS/SES Send");
        counted.region = region.into();
        counted.origin.network.0.clear();
        counted.origin.client.0.clear();
        counted.target = None;
        counted.quantity = Quantity {
            calls,
            ..Quantity::of(calls)
        };
        counted
    }

    /// Forty days of mail over SMTP in office hours, as the meter counts it.
    fn metered_days() -> Vec<Activity> {
        let hours = (0..40).flat_map(|day| (8..18).map(move |hour| day * 24 + hour));
        let count = |hour: i64| 40 + (hour * 7).rem_euclid(23) as u64;
        hours
            .map(|hour| counted(Service::Ses, "eu-west-1", count(hour), hour))
            .collect()
    }

    const NIGHT: i64 = 39 * 24 + 20;

    fn signal(service: Service, source: &str, strong: bool, hour: i64) -> Activity {
        let mut signal = kind(counted(service, "", 1, hour), Kind::SpendSignal);
        signal.identity = Identity::meter(source);
        signal.call = "AWS Budgets notification".into();
        signal.why = "actual 120 USD of 100 USD".into();
        signal.grave = strong;
        signal
    }

    fn of_family(findings: &[Finding], family: Family) -> &Finding {
        findings
            .iter()
            .find(|f| f.finding_type.family == family)
            .unwrap_or_else(|| panic!("no {family:?} in {findings:#?}"))
    }

    #[test]
    fn mass_mail_over_smtp_is_found_from_the_meter_alone_and_says_where_to_look() {
        let mut story = metered_days();
        story.push(counted(Service::Ses, "eu-west-1", 600, NIGHT));
        let findings = found(story);
        let told = of_family(&findings, Family::SpendSignal);
        assert!(told.severity >= Severity::Medium, "{told:#?}");
        assert_eq!((told.count, told.units), (600, 600));
        assert!(
            told.factors.iter().any(|factor| factor.text.contains("SMTP")),
            "{told:#?}"
        );
    }

    #[test]
    fn a_meter_that_goes_on_as_ever_says_nothing() {
        assert_eq!(found(metered_days()), []);
    }

    #[test]
    fn a_meter_that_begins_is_no_stranger() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend((0..6).map(|n| counted(Service::Ses, "eu-west-1", 90, 39 * 24 + 8 + n)));
        assert_eq!(found(story), []);
    }

    #[test]
    fn a_service_that_only_now_moves_a_meter_is_a_first_use_where_other_meters_were_read_for_weeks() {
        let mut story: Vec<Activity> = metered_days();
        story.extend((0..2).map(|n| {
            let mut text = counted(Service::Sns, "eu-west-1", 90, NIGHT + n);
            text.identity = Identity::meter("AWS/SNS SMS");
            text
        }));
        assert!(worst(&found(story), Family::SpendSignal) >= Some(Severity::Medium));
    }

    #[test]
    fn a_region_that_a_meter_never_saw_is_medium() {
        let mut story = metered_days();
        story.push(counted(Service::Ses, "ap-south-1", 30, NIGHT));
        assert_eq!(worst(&found(story), Family::SpendSignal), Some(Severity::Medium));
    }

    /// The same mail as records show it: by one role in office hours, and so many more in the night.
    fn recorded(more: i64) -> Vec<Activity> {
        let mut story: Vec<Activity> = quiet_days(Service::Ses, 40);
        story.extend((0..more).map(|n| activity(Service::Ses, "SendEmail", at(NIGHT).plus(n * 5))));
        story
    }

    #[test]
    fn what_records_show_is_told_of_them_and_not_of_the_meter() {
        let story = [metered_days(), recorded(600)].concat();
        let findings = found([story, vec![counted(Service::Ses, "eu-west-1", 600, NIGHT)]].concat());
        assert_eq!(worst(&findings, Family::SpendSignal), None);
        assert!(worst(&findings, Family::AnomalousUse).is_some());
    }

    #[test]
    fn what_records_show_of_half_of_it_explains_nothing() {
        let story = [metered_days(), recorded(300)].concat();
        let findings = found([story, vec![counted(Service::Ses, "eu-west-1", 600, NIGHT)]].concat());
        let told = of_family(&findings, Family::SpendSignal);
        assert_eq!(told.evidence.identities[0].value, "arn:aws:iam::111122223333:role/app");
    }

    #[test]
    fn use_in_another_region_explains_nothing() {
        let story = [metered_days(), recorded(600)].concat();
        let findings = found([story, vec![counted(Service::Ses, "ap-south-1", 600, NIGHT)]].concat());
        assert!(worst(&findings, Family::SpendSignal) >= Some(Severity::Medium));
    }

    #[test]
    fn records_that_come_after_the_meter_take_its_finding_back() {
        let mut late = recorded(600);
        let usual = late.len() - 600;
        let after = late.split_off(usual);
        let mut before = [metered_days(), late].concat();
        before.sort_by_key(|activity| activity.time);
        before.push(counted(Service::Ses, "eu-west-1", 600, NIGHT));
        before.extend(after);
        let causes: Vec<Cause> = published(&before)
            .iter()
            .filter(|f| f.finding_type.family == Family::SpendSignal)
            .map(|f| f.cause)
            .collect();
        assert_eq!(causes, [Cause::Created, Cause::Explained]);
    }

    #[test]
    fn a_policy_opened_by_anybody_and_a_meter_that_rises_are_a_hijack() {
        let mut story = metered_days();
        let mut opened = kind(
            by(activity(Service::Ses, "PutAccountDetails", at(NIGHT - 1)), "thief"),
            Kind::PolicyChange,
        );
        opened.effect = Some(PolicyEffect::AccessEnabled);
        story.push(opened);
        story.push(counted(Service::Ses, "eu-west-1", 600, NIGHT));
        let findings = found(story);
        let hijack = of_family(&findings, Family::Hijack);
        assert!(hijack.severity >= Severity::High, "{hijack:#?}");
        assert_eq!(hijack.linked, ["arn:aws:iam::111122223333:user/thief"]);
    }

    #[test]
    fn a_meter_has_the_ceiling_of_its_service_from_the_first_hour() {
        let story = vec![counted(Service::Ses, "eu-west-1", 50_001, 1)];
        assert_eq!(worst(&found(story), Family::CeilingExceeded), Some(Severity::High));
    }

    #[test]
    fn a_signal_that_nothing_explains_is_low_and_a_strong_one_medium() {
        let alone = |strong| found(vec![signal(Service::Ses, "AWS Budgets", strong, NIGHT)]);
        assert_eq!(worst(&alone(false), Family::SpendSignal), Some(Severity::Low));
        assert_eq!(worst(&alone(true), Family::SpendSignal), Some(Severity::Medium));
    }

    #[test]
    fn two_sources_are_medium_and_one_source_twice_is_not() {
        let of = |second| {
            let signals = vec![
                signal(Service::Ses, "AWS Budgets", false, NIGHT),
                signal(Service::Ses, second, false, NIGHT + 1),
            ];
            worst(&found(signals), Family::SpendSignal)
        };
        assert_eq!(of("AWS Budgets"), Some(Severity::Low));
        assert_eq!(of("Cost Anomaly Detection"), Some(Severity::Medium));
    }

    #[test]
    fn a_signal_raises_what_is_found_whichever_comes_first_and_is_no_finding_beside_it() {
        let mut jump = quiet_days(Service::Bedrock, 40);
        jump.extend((0..600).map(|n| activity(Service::Bedrock, "InvokeModel", at(NIGHT).plus(n * 5))));
        let points = |findings: &[Finding]| of_family(findings, Family::AnomalousUse).points;
        let alone = points(&found(jump.clone()));
        for (about, hour) in [
            (Service::Bedrock, NIGHT - 3),
            (Service::Bedrock, NIGHT + 3),
            (Service::Billing, NIGHT),
        ] {
            let findings = found([jump.clone(), vec![signal(about, "AWS Budgets", false, hour)]].concat());
            assert_eq!(points(&findings), alone + 20, "{about} at {hour}");
            assert_eq!(worst(&findings, Family::SpendSignal), None, "{about} at {hour}");
        }
    }

    #[test]
    fn a_signal_about_another_service_changes_nothing() {
        let mut jump = quiet_days(Service::Bedrock, 40);
        jump.extend((0..600).map(|n| activity(Service::Bedrock, "InvokeModel", at(NIGHT).plus(n * 5))));
        let alone = of_family(&found(jump.clone()), Family::AnomalousUse).points;
        jump.push(signal(Service::Ses, "AWS Budgets", true, NIGHT));
        assert_eq!(of_family(&found(jump), Family::AnomalousUse).points, alone);
    }

    #[test]
    fn an_alarm_that_is_over_changes_nothing() {
        let over = kind(signal(Service::Ses, "CloudWatch", true, NIGHT), Kind::Context);
        assert_eq!(found(vec![over]), []);
    }
}
