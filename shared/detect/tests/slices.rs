//! What is judged in batches, from parts that lie in a table, is what is judged in one go from memory: whatever the
//! batches, with messages delivered twice, and with crashes between any two writes.

mod story;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tripmeter_detect::{Engine, Judged, PartKey, ProfileShown, Receipt, Settings, Slice, Terms, Work, with_history};
use tripmeter_model::{Activity, Cause, Finding, FindingType, NoPolicy, Severity, Timestamp};

use story::{Dice, doubled, in_order, late, story};

const ACCOUNT: &str = "111122223333";

/// Parts by key, and what was published of them.
#[derive(Default)]
struct Table {
    parts: BTreeMap<PartKey, Vec<u8>>,
    receipts: Vec<(PartKey, Receipt)>,
    published: Vec<Finding>,
    rounds: usize,
}

impl Table {
    /// Judges from what lies in the table.
    fn judge(&mut self, work: Work<'_>, terms: &Terms<NoPolicy>) -> Judged {
        let mut slice = Slice::new(ACCOUNT);
        if let Work::Advance(_) = work {
            for (key, body) in &self.parts {
                slice.put(*key, Some(body.clone()));
            }
        }
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(rounds < 12, "judging never comes to an end");
            let judged = slice.judge(work, terms);
            assert_eq!(judged.errors, []);
            if judged.missing.is_empty() {
                self.rounds += rounds;
                return judged;
            }
            for key in judged.missing.parts {
                slice.put(key, self.parts.get(&key).cloned());
                for (_, receipt) in self.receipts.iter().filter(|(of, _)| *of == key) {
                    slice.put_receipt(key, receipt);
                }
            }
            if let Some(slots) = judged.missing.openings {
                for (key, body) in &self.parts {
                    if matches!(key, PartKey::Opening(slot, ..) if slots.contains(slot)) {
                        slice.put(*key, Some(body.clone()));
                    }
                }
                slice.put_openings(slots);
            }
        }
    }

    /// Writes what was judged, facts first; a crash leaves off before the last writes.
    fn write(&mut self, mut judged: Judged, crash: Option<usize>) -> bool {
        judged.changed.sort_by_key(|(key, _)| (!key.is_fact(), *key));
        self.receipts.append(&mut judged.receipts);
        let writes = crash.map_or(judged.changed.len(), |left| judged.changed.len().saturating_sub(left));
        let whole = writes == judged.changed.len();
        let written: BTreeSet<PartKey> = judged.changed.iter().take(writes).map(|(key, _)| *key).collect();
        self.parts.extend(judged.changed.into_iter().take(writes));
        let moved = judged.moved.into_iter().filter(|moved| written.contains(&moved.part));
        self.published.extend(moved.map(|moved| moved.finding));
        whole
    }

    fn work(&mut self, work: Work<'_>, terms: &Terms<NoPolicy>, crash: Option<usize>) {
        let judged = self.judge(work, terms);
        if !self.write(judged, crash) {
            let again = self.judge(work, terms);
            self.write(again, None);
        }
    }
}

type Told = (FindingType, Severity, u64, Vec<String>);

/// Each episode as it was published last, but those that were taken back.
fn ends(published: &[Finding]) -> BTreeMap<String, Told> {
    let last: BTreeMap<&str, &Finding> = published.iter().map(|f| (f.uid.as_str(), f)).collect();
    let stands = last.into_values().filter(|f| f.cause != Cause::Explained);
    let told = stands.map(|f| {
        let told = (f.finding_type, f.severity, f.count, f.evidence.event_ids.clone());
        (f.uid.clone(), told)
    });
    told.collect()
}

fn newest(story: &[Activity]) -> Timestamp {
    let start = Timestamp::from_seconds(0);
    story.iter().map(|activity| activity.time).fold(start, Timestamp::max)
}

fn far_future(story: &[Activity]) -> Timestamp {
    newest(story).plus(90 * 86_400)
}

fn in_one_go(story: &[Activity]) -> Vec<Finding> {
    let mut engine = Engine::new(Settings::default(), NoPolicy);
    let mut out = Vec::new();
    for activity in story {
        engine.observe(activity, &mut out);
    }
    engine.advance(far_future(story), &mut out);
    out
}

fn in_batches(arrivals: &[Activity], mut dice: Dice, crashes: bool) -> Table {
    let terms = Terms::new(Settings::default(), NoPolicy);
    let mut table = Table::default();
    let mut rest = arrivals;
    let mut day = None;
    while !rest.is_empty() {
        let size = (1 + dice.roll(40) as usize).min(rest.len());
        let (batch, after) = rest.split_at(size);
        rest = after;
        let crash = (crashes && dice.roll(3) == 0).then(|| 1 + dice.roll(6) as usize);
        table.work(Work::Activities(batch), &terms, crash);
        let today = batch.iter().map(|activity| activity.time.day()).max();
        if today > day {
            day = today;
            table.work(Work::Advance(newest(batch)), &terms, None);
        }
    }
    table.work(Work::Advance(far_future(arrivals)), &terms, None);
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_find_what_one_go_finds(seed in any::<u64>(), dice in any::<u64>()) {
        let story = in_order(story(seed));
        let table = in_batches(&story, Dice(dice), false);
        prop_assert_eq!(ends(&table.published), ends(&in_one_go(&story)));
    }

    #[test]
    fn late_and_repeated_messages_and_crashes_change_nothing(seed in any::<u64>(), dice in any::<u64>()) {
        let story = in_order(story(seed));
        let arrivals = doubled(&late(&story, dice), dice);
        let table = in_batches(&arrivals, Dice(dice), true);
        prop_assert_eq!(ends(&table.published), ends(&in_one_go(&story)));
    }
}

#[test]
fn a_batch_that_comes_again_in_other_batches_much_later_is_counted_once() {
    let terms = Terms::new(Settings::default(), NoPolicy);
    let story: Vec<Activity> = in_order((0..3).flat_map(story).collect());
    let app = |activity: &&Activity| activity.call == "InvokeModel" && activity.time.day() == story[0].time.day() + 3;
    let mut day: Vec<Activity> = story.iter().filter(app).cloned().collect();
    for (n, activity) in day.iter_mut().enumerate() {
        activity.identity = story[0].identity.clone();
        activity.event_id = Some(format!("event-{n}"));
    }
    let busy: Vec<Activity> = (0..16)
        .flat_map(|copy| {
            day.iter().map(move |activity| Activity {
                event_id: activity.event_id.as_ref().map(|id| format!("{id}-{copy}")),
                ..activity.clone()
            })
        })
        .collect();
    assert!(busy.len() > 500, "{} uses are no hot profile", busy.len());
    let mut once = Table::default();
    let mut again = Table::default();
    for batch in busy.chunks(200) {
        once.work(Work::Activities(batch), &terms, None);
        again.work(Work::Activities(batch), &terms, None);
    }
    for batch in busy.chunks(70) {
        again.work(Work::Activities(batch), &terms, None);
    }
    let use_parts = |table: &Table| -> Vec<(PartKey, Vec<u8>)> {
        let parts = table
            .parts
            .iter()
            .filter(|(key, _)| matches!(key, PartKey::Use(..) | PartKey::Service(_)));
        parts.map(|(key, body)| (*key, body.clone())).collect()
    };
    assert_eq!(use_parts(&once), use_parts(&again));
}

#[test]
fn what_history_taught_and_what_came_since_is_one_profile() {
    let story: Vec<Activity> = in_order(story(11))
        .into_iter()
        .filter(|a| a.call == "InvokeModel")
        .collect();
    let noon = newest(&story).day() - 1;
    let noon = Timestamp::from_seconds(i64::from(noon) * 86_400 + 12 * 3_600);
    let engine_of = |from: Timestamp, to: Timestamp| {
        let mut engine = Engine::new(Settings::default(), NoPolicy);
        let of = story.iter().filter(|activity| (from..to).contains(&activity.time));
        of.for_each(|activity| engine.observe(activity, &mut Vec::new()));
        let parts: BTreeMap<PartKey, Vec<u8>> = engine.parts().map(|(_, key, body)| (key, body)).collect();
        parts
    };
    let (never, ever) = (Timestamp::from_seconds(0), noon.plus(12 * 3_600));
    let (history, live, both) = (engine_of(never, noon), engine_of(noon, ever), engine_of(never, ever));
    let told = |parts: &BTreeMap<PartKey, Vec<u8>>, service, who| {
        let known = parts.get(&PartKey::Known(service, who)).map(Vec::as_slice);
        let shown = ProfileShown::of(service, who, &parts[&PartKey::Use(service, who)], known).unwrap();
        (
            shown.mean_day,
            shown.open_days,
            shown.expected,
            shown.shown,
            shown.last_use,
        )
    };
    let mut compared = 0;
    for (key, body) in &live {
        let PartKey::Use(service, who) = *key else { continue };
        let known = PartKey::Known(service, who);
        let (Some(history_use), Some(history_known)) = (history.get(key), history.get(&known)) else {
            continue;
        };
        let merged = BTreeMap::from([
            (*key, with_history(*key, history_use, body).unwrap()),
            (known, with_history(known, history_known, &live[&known]).unwrap()),
        ]);
        assert_eq!(told(&merged, service, who), told(&both, service, who));
        compared += 1;
    }
    assert!(compared > 0, "nobody went on after noon");
}

#[test]
fn a_batch_of_one_identity_is_judged_in_few_rounds() {
    let story = in_order(story(3));
    let batches = story.len();
    let table = in_batches(&story, Dice(5), false);
    assert!(table.rounds < 4 * batches, "{} rounds for {batches} uses", table.rounds);
}

#[test]
fn what_is_published_in_batches_of_one_is_word_for_word_the_same() {
    let terms = Terms::new(Settings::default(), NoPolicy);
    for seed in 0..12 {
        let story = in_order(story(seed));
        let mut table = Table::default();
        let mut hour = None;
        for activity in &story {
            if hour.is_some_and(|hour| hour < activity.time.hour()) {
                table.work(Work::Advance(activity.time), &terms, None);
            }
            hour = Some(activity.time.hour());
            table.work(Work::Activities(std::slice::from_ref(activity)), &terms, None);
        }
        table.work(Work::Advance(far_future(&story)), &terms, None);
        let opened = |findings: Vec<Finding>| -> Vec<Finding> {
            findings.into_iter().filter(|f| f.cause != Cause::Closed).collect()
        };
        assert_eq!(opened(table.published), opened(in_one_go(&story)), "seed {seed}");
    }
}
