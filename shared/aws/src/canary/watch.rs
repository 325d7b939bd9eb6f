//! Whether a canary's call is heard: pure, from what is written down about it.
//!
//! A call is a miss when it was answered and, by the next round, no later record of the canary has arrived than the
//! latest before it was sent. Only event times of the same region are compared, and those with each other: neither
//! our clock's skew nor a delay that is long but steady makes a miss. A record that arrives a round late forgives
//! the miss, since it shows that the way is open.

use std::collections::BTreeMap;
use std::time::SystemTime;

use tripmeter_model::{Service, Timestamp};

/// Misses in a row from which a region counts as lost.
pub const LOST_AFTER: u32 = 2;

/// A round is over after ten minutes: schedules are kept to about a minute, and an invocation that AWS repeats
/// comes within a few.
const ROUND: i64 = 10 * 60 * 1_000;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// What a clock shows.
    pub fn of(clock: SystemTime) -> Self {
        let since = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The second that it is in.
    pub fn second(self) -> Timestamp {
        Timestamp::from_seconds(self.0.div_euclid(1_000))
    }
}

impl From<Timestamp> for Millis {
    fn from(time: Timestamp) -> Self {
        Self(time.seconds().saturating_mul(1_000))
    }
}

/// A harmless read that the canary makes. Each takes the way of another service's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// `ses:GetAccount`, which answers with what may be sent.
    MailAccount,
    /// `sns:GetSMSAttributes`, which answers with what text messages may cost.
    SmsAttributes,
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 2] = [Self::MailAccount, Self::SmsAttributes];

    /// Its name as in IAM, which is also its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::MailAccount => "ses:GetAccount",
            Self::SmsAttributes => "sns:GetSMSAttributes",
        }
    }

    /// The call of the name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.name() == name)
    }

    /// The call that a record is about, if it is the canary's.
    pub fn of(service: Service, event_name: &str) -> Option<Self> {
        match (service, event_name) {
            (Service::Ses, "GetAccount") => Some(Self::MailAccount),
            (Service::Sns, "GetSMSAttributes") => Some(Self::SmsAttributes),
            _ => None,
        }
    }
}

/// Rounds in a row that were answered and not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// How many.
    pub times: u32,
    /// When the first was sent.
    pub since: Millis,
    /// When the latest was sent.
    pub until: Millis,
}

/// What is written down about one call in one region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// When it was last sent, by our clock.
    pub sent_at: Option<Millis>,
    /// When a call was last answered, this one or an earlier one. A call that is refused or never reaches AWS is not,
    /// and is no miss.
    pub answered_at: Option<Millis>,
    /// The latest event time that had been heard when it was last sent.
    pub heard_before: Option<Millis>,
    /// The latest event time that was heard, whole seconds.
    pub heard_at: Option<Millis>,
    /// When we heard it, by our clock.
    pub seen_at: Option<Millis>,
    /// Misses in a row, as of the last time it was sent.
    pub missed: Option<Missed>,
}

/// What to do with a call now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The round goes on and the call is answered: nothing. An invocation was repeated.
    Rest,
    /// The round goes on, but its call was never answered: make it again.
    Again,
    /// A new round: write this down, then make the call.
    Next(Watch),
}

impl Watch {
    /// What to do now.
    pub fn turn(&self, now: Millis) -> Turn {
        match self.sent_at {
            // A time far ahead was written by a clock that was wrong: it must not stop the canary.
            Some(sent) if (-ROUND..ROUND).contains(&now.0.saturating_sub(sent.0)) => {
                if self.answered() {
                    Turn::Rest
                } else {
                    Turn::Again
                }
            }
            _ => Turn::Next(self.next(now)),
        }
    }

    /// From event time to our hearing it, where something was heard since the last round began: milliseconds.
    pub fn delay(&self) -> Option<i64> {
        let (heard, seen) = (self.heard_at?, self.seen_at?);
        self.heard().then(|| seen.0.saturating_sub(heard.0).max(0))
    }

    fn next(&self, now: Millis) -> Self {
        let missed = match (self.sent_at, self.missed) {
            _ if self.heard() => None,
            (Some(sent), missed) if self.answered() => Some(Missed {
                times: missed.map_or(0, |missed| missed.times).saturating_add(1),
                since: missed.map_or(sent, |missed| missed.since),
                until: sent,
            }),
            // Nothing was asked, so silence says nothing.
            (_, missed) => missed,
        };
        Self {
            sent_at: Some(now),
            heard_before: self.heard_at,
            missed,
            ..*self
        }
    }

    fn answered(&self) -> bool {
        self.answered_at >= self.sent_at
    }

    fn heard(&self) -> bool {
        self.heard_at > self.heard_before
    }
}

/// A time in which a region is not heard: one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the first call was sent that was not heard. It names the outage.
    pub since: Millis,
    /// When the latest was sent.
    pub until: Millis,
    /// Misses in a row by call, at most.
    pub misses: BTreeMap<Call, u32>,
}

/// How a region stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is heard, or it is too early to say.
    Heard,
    /// It is lost.
    Lost(Outage),
    /// It was lost, and every call is heard again.
    HeardAgain(Outage),
}

/// What is written down about a region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// By call.
    pub watches: BTreeMap<Call, Watch>,
    /// The outage that is open.
    pub outage: Option<Outage>,
}

impl Region {
    /// Whether a call of the canary was heard there, and none of it is missed since.
    pub fn is_heard(&self) -> bool {
        let heard = |watch: &Watch| watch.heard_at.is_some() && watch.missed.is_none();
        self.watches.values().any(heard)
    }

    /// Misses in a row, the most of all calls.
    pub fn misses(&self) -> u32 {
        let missed = self.watches.values().filter_map(|watch| watch.missed);
        missed.map(|missed| missed.times).max().unwrap_or_default()
    }

    /// How it stands. One call is enough to lose it, since somebody may have silenced one rule; all of them are
    /// needed to have it back.
    pub fn standing(&self) -> Standing {
        let missed = || {
            let watches = self.watches.iter();
            watches.filter_map(|(call, watch)| Some((*call, watch.missed?)))
        };
        let is_lost = missed().any(|(_, missed)| missed.times >= LOST_AFTER);
        let began = match &self.outage {
            Some(outage) if missed().next().is_none() => return Standing::HeardAgain(outage.clone()),
            Some(outage) => Some(outage.clone()),
            None if is_lost => None,
            None => return Standing::Heard,
        };
        let since = missed().map(|(_, missed)| missed.since).min().unwrap_or_default();
        let mut outage = began.unwrap_or(Outage {
            since,
            until: since,
            misses: BTreeMap::new(),
        });
        for (call, missed) in missed() {
            outage.until = outage.until.max(missed.until);
            let times = outage.misses.entry(call).or_default();
            *times = missed.times.max(*times);
        }
        Standing::Lost(outage)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUARTER: i64 = 15 * 60 * 1_000;

    /// What happens at a watch: time goes on, a round, its answer, a record that arrives.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Round { answered: bool },
        Hear(i64),
    }

    /// What the table does with a record: the latest event time stays.
    fn hear(watch: &mut Watch, event: i64, now: i64) {
        if watch.heard_at < Some(Millis(event)) {
            watch.heard_at = Some(Millis(event));
            watch.seen_at = Some(Millis(now));
        }
    }

    /// Rounds a quarter of an hour apart; between them what is heard.
    fn play(steps: &[Step]) -> Watch {
        let (mut watch, mut now) = (Watch::default(), 1_800_000_000_000);
        for step in steps {
            match *step {
                Step::Round { answered } => {
                    now += QUARTER;
                    let Turn::Next(next) = watch.turn(Millis(now)) else {
                        panic!("a round is due after a quarter of an hour")
                    };
                    watch = next;
                    watch.answered_at = if answered {
                        Some(Millis(now + 90))
                    } else {
                        watch.answered_at
                    };
                }
                Step::Hear(rounds_ago) => hear(&mut watch, now - rounds_ago * QUARTER, now + 1_000),
            }
        }
        watch
    }

    fn times(watch: &Watch) -> u32 {
        watch.missed.map_or(0, |missed| missed.times)
    }

    const ROUND: Step = Step::Round { answered: true };
    const REFUSED: Step = Step::Round { answered: false };

    #[test]
    fn a_round_that_is_heard_is_no_miss_and_one_that_is_not_is() {
        let heard = play(&[ROUND, Step::Hear(0), ROUND]);
        let deaf = play(&[ROUND, ROUND, ROUND]);

        assert_eq!(times(&heard), 0);
        assert_eq!(times(&deaf), 2);
        let missed = deaf.missed.unwrap();
        assert_eq!(missed.until.0 - missed.since.0, QUARTER);
    }

    #[test]
    fn what_was_refused_or_never_arrived_is_no_miss_and_forgives_none() {
        assert_eq!(times(&play(&[REFUSED, REFUSED, REFUSED, ROUND])), 0);
        assert_eq!(times(&play(&[ROUND, REFUSED, ROUND])), 1);
    }

    #[test]
    fn a_steady_delay_of_more_than_a_round_is_no_loss() {
        let late = [
            ROUND,
            ROUND,
            Step::Hear(1),
            ROUND,
            Step::Hear(1),
            ROUND,
            Step::Hear(1),
            ROUND,
        ];

        let worst = (0..=late.len()).map(|n| times(&play(&late[..n]))).max();

        assert_eq!(worst, Some(1));
    }

    #[test]
    fn a_repeated_invocation_makes_no_second_round() {
        let now = Millis(1_800_000_000_000);
        let Turn::Next(mut watch) = Watch::default().turn(now) else {
            panic!("the first round")
        };

        assert_eq!(watch.turn(Millis(now.0 + 60_000)), Turn::Again);
        watch.answered_at = Some(now);

        assert_eq!(watch.turn(Millis(now.0 + 60_000)), Turn::Rest);
        assert_eq!(watch.turn(Millis(now.0 - 60_000)), Turn::Rest);
        assert!(matches!(watch.turn(Millis(now.0 - 30 * 86_400_000)), Turn::Next(_)));
    }

    #[test]
    fn the_delay_is_that_of_a_record_of_this_round() {
        assert_eq!(play(&[ROUND, Step::Hear(0)]).delay(), Some(1_000));
        assert_eq!(play(&[ROUND, Step::Hear(0), ROUND]).delay(), None);
    }

    fn region(mail: &[Step], sms: &[Step]) -> Region {
        Region {
            watches: [(Call::MailAccount, play(mail)), (Call::SmsAttributes, play(sms))].into(),
            outage: None,
        }
    }

    #[test]
    fn one_silent_call_loses_a_region_and_all_of_them_bring_it_back() {
        let mut half = region(
            &[ROUND, ROUND, ROUND],
            &[ROUND, Step::Hear(0), ROUND, Step::Hear(0), ROUND],
        );

        let Standing::Lost(outage) = half.standing() else {
            panic!("lost")
        };
        assert_eq!(outage.misses, [(Call::MailAccount, 2)].into());
        half.outage = Some(outage.clone());
        assert_eq!(half.standing(), Standing::Lost(outage.clone()));

        half.watches
            .insert(Call::MailAccount, play(&[ROUND, ROUND, ROUND, Step::Hear(0), ROUND]));
        assert_eq!(half.standing(), Standing::HeardAgain(outage));
    }

    #[test]
    fn an_outage_keeps_its_beginning_while_it_moves_from_call_to_call() {
        let mut moving = region(
            &[ROUND, ROUND, ROUND],
            &[ROUND, Step::Hear(0), ROUND, Step::Hear(0), ROUND],
        );
        let Standing::Lost(first) = moving.standing() else {
            panic!("lost")
        };
        moving.outage = Some(first.clone());
        moving.watches = region(
            &[ROUND, ROUND, ROUND, Step::Hear(0), ROUND],
            &[ROUND, Step::Hear(0), ROUND, ROUND],
        )
        .watches;

        let Standing::Lost(then) = moving.standing() else {
            panic!("still lost")
        };

        assert_eq!(then.since, first.since);
        assert_eq!(then.misses, [(Call::MailAccount, 2), (Call::SmsAttributes, 1)].into());
    }

    proptest! {
        #[test]
        fn records_may_arrive_in_any_order_and_twice(
            (events, delivered) in prop::collection::vec(0i64..20, 1..8).prop_flat_map(|events| {
                // Each twice, in any order.
                let twice = [events.clone(), events.clone()].concat();
                (Just(events), Just(twice).prop_shuffle())
            }),
        ) {
            let told = |events: &[i64]| {
                let mut watch = play(&[ROUND]);
                for ago in events {
                    hear(&mut watch, 1_800_000_000_000 - ago * 1_000, 1_800_000_500_000);
                }
                watch
            };

            prop_assert_eq!(told(&delivered), told(&events));
        }

        #[test]
        fn a_skew_of_our_clock_or_theirs_makes_no_miss(skew in -3_600_000i64..3_600_000, rounds in 2usize..12) {
            let (mut watch, mut now) = (Watch::default(), 1_800_000_000_000);
            for _ in 0..rounds {
                now += QUARTER;
                if let Turn::Next(next) = watch.turn(Millis(now)) {
                    watch = next;
                }
                watch.answered_at = Some(Millis(now));
                hear(&mut watch, now + skew, now + 5_000);
            }
            prop_assert_eq!(watch.missed, None);
        }

        #[test]
        fn nothing_but_two_answered_rounds_without_a_record_loses_a_region(
            rounds in prop::collection::vec((any::<bool>(), any::<bool>()), 1..20),
        ) {
            let mut steps = Vec::new();
            let mut silent = 0;
            // The last round's own fate is not known yet when it is sent.
            for (answered, heard) in &rounds {
                steps.push(Step::Round { answered: *answered });
                if *heard {
                    steps.push(Step::Hear(0));
                }
                silent = match (heard, answered) {
                    (true, _) => 0,
                    (false, true) => silent + 1,
                    (false, false) => silent,
                };
            }
            steps.push(ROUND);

            let lost = matches!(region(&steps, &[]).standing(), Standing::Lost(_));

            prop_assert_eq!(times(&play(&steps)), silent);
            prop_assert_eq!(lost, silent >= LOST_AFTER);
        }
    }
}
