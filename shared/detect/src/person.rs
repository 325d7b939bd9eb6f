//! What an account knows of one identity beside its use: ties to others, habits, where it changed things.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tripmeter_model::{Digest, Family, HOUR, Service, Timestamp};

use crate::habits::Days;
use crate::shelf::Shelf;

/// Ties of one identity.
const MAX_TIES: usize = 16;
/// Habits of one identity, and regions in which it changed something.
const MAX_HABITS: usize = 1_024;
/// Identities whose ways are kept; of more, only ties and uses are.
const MAX_PERSONS: usize = 20_000;

/// See the module's docs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Identities that this one is tied to.
    ties: BTreeMap<Digest, Tie>,
    /// What it does again and again, by the shape of the call.
    habits: BTreeMap<Digest, Days>,
    /// The first day on which it changed something in a region.
    changed_in: BTreeMap<Digest, i32>,
    /// Services that it has spent on.
    pub uses: BTreeSet<Service>,
    /// Episodes of its control plane, of the last days.
    pub controls: BTreeSet<(i32, Service, Family)>,
}

/// When two identities were seen to be tied: first, and the last hour since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tie {
    first: Timestamp,
    last_hour: i64,
    /// The other one's durable id, where it became this one.
    became: Option<String>,
}

/// The identities of an account.
pub(crate) type Persons = Shelf<Digest, Person>;

impl Person {
    /// How an identity's habit of a shape was kept, if it has one.
    pub(crate) fn habit(&self, shape: Digest) -> Option<&Days> {
        self.habits.get(&shape)
    }

    /// Notes what it does on a day.
    pub(crate) fn note_habit(&mut self, shape: Digest, day: i32) {
        if self.habits.len() < MAX_HABITS || self.habits.contains_key(&shape) {
            self.habits.entry(shape).or_default().note(day);
        }
    }

    /// Notes that it changed something in a region on a day.
    pub(crate) fn note_change(&mut self, region: Digest, day: i32) {
        if self.changed_in.len() < MAX_HABITS || self.changed_in.contains_key(&region) {
            let first = self.changed_in.entry(region).or_insert(day);
            *first = day.min(*first);
        }
    }

    /// Whether it has changed things since a day or longer.
    pub(crate) fn has_changed_since(&self, day: i32) -> bool {
        self.changed_in.values().any(|first| *first <= day)
    }

    /// Whether it changed something in a region before a day.
    pub(crate) fn changed_before(&self, region: Digest, day: i32) -> bool {
        self.changed_in.get(&region).is_some_and(|first| *first < day)
    }

    /// Takes in what was known of it elsewhere.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (to, tie) in &other.ties {
            self.tie(*to, tie.first);
            self.tie(*to, Timestamp::from_seconds(tie.last_hour * HOUR));
            if let Some(id) = &tie.became {
                self.note_became(*to, id);
            }
        }
        for (shape, days) in &other.habits {
            days.each(|day| self.note_habit(*shape, day));
        }
        for (region, day) in &other.changed_in {
            self.note_change(*region, *day);
        }
        self.uses.extend(&other.uses);
        self.controls.extend(&other.controls);
    }

    /// Forgets what cannot matter any more. Says whether anything is left.
    pub(crate) fn expire(&mut self, day: i32, ties_before: Timestamp) -> bool {
        self.habits.retain(|_, days| days.seen_since(day - 63));
        self.changed_in.retain(|_, first| *first > day - 400);
        self.ties.retain(|_, tie| tie.last_hour >= ties_before.hour());
        self.controls.retain(|(of, ..)| *of >= day - 3);
        *self != Self::default()
    }

    /// Says whether the tie was not known before this time: a repeated delivery says so again.
    fn tie(&mut self, to: Digest, at: Timestamp) -> bool {
        if let Some(tie) = self.ties.get_mut(&to) {
            let first = at <= tie.first;
            tie.first = at.min(tie.first);
            tie.last_hour = at.hour().max(tie.last_hour);
            first
        } else if self.ties.len() < MAX_TIES {
            let (last_hour, became) = (at.hour(), None);
            self.ties.insert(
                to,
                Tie {
                    first: at,
                    last_hour,
                    became,
                },
            );
            true
        } else {
            false
        }
    }
}

impl Person {
    /// Names an identity that is tied to this one because it became it.
    fn note_became(&mut self, by: Digest, id: &str) {
        if let Some(tie) = self.ties.get_mut(&by).filter(|tie| tie.became.is_none()) {
            tie.became = Some(id.to_owned());
        }
    }

    /// The durable ids of those that became this one since a time, to the hour.
    pub(crate) fn assumed_by(&self, since: Timestamp) -> impl Iterator<Item = &str> {
        let recent = self.ties.values().filter(move |tie| tie.last_hour >= since.hour());
        recent.filter_map(|tie| tie.became.as_deref())
    }
}

/// The ways of an identity, to be changed, if there is room for them.
pub(crate) fn ways(persons: &mut Persons, who: Digest) -> Option<&mut Person> {
    if persons.len() >= MAX_PERSONS && !persons.contains_key(&who) {
        return None;
    }
    Some(persons.entry(who).or_default())
}

/// Ties two identities together at a time. Says whether they were not tied before it.
pub(crate) fn tie(persons: &mut Persons, a: Digest, b: Digest, at: Timestamp) -> bool {
    let there = persons.entry(a).or_default().tie(b, at);
    let back = persons.entry(b).or_default().tie(a, at);
    there || back
}

/// Names an identity that became another: of whoever assumes a role, the durable id is kept beside the tie.
pub(crate) fn became(persons: &mut Persons, role: Digest, by: Digest, id: &str) {
    persons.entry(role).or_default().note_became(by, id);
}

/// The identity itself and those it is tied to, up to two steps away, by ties seen since `since`, to the hour.
pub(crate) fn kin(persons: &Persons, who: Digest, since: Timestamp) -> Vec<Digest> {
    let mut kin = vec![who];
    let mut edge = 0..1;
    for _ in 0..2 {
        let start = kin.len();
        for at in edge.clone() {
            let Some(person) = kin.get(at).and_then(|from| persons.get(from)) else {
                continue;
            };
            for (to, _) in person
                .ties
                .iter()
                .filter(|(_, tie)| tie.last_hour * HOUR + HOUR > since.seconds())
            {
                if kin.len() < MAX_TIES && !kin.contains(to) {
                    kin.push(*to);
                }
            }
        }
        edge = start..kin.len();
    }
    kin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn kin_are_found_two_steps_away_and_not_by_old_ties() {
        let mut persons = Persons::whole();
        tie(&mut persons, Digest(1), Digest(2), at(5));
        tie(&mut persons, Digest(2), Digest(3), at(6));
        tie(&mut persons, Digest(3), Digest(4), at(6));
        tie(&mut persons, Digest(1), Digest(9), at(1));
        assert_eq!(kin(&persons, Digest(1), at(3)), vec![Digest(1), Digest(2), Digest(3)]);
        persons.retain(|_, person| person.expire(at(7).day(), at(7)));
        assert_eq!(kin(&persons, Digest(1), at(3)), vec![Digest(1)]);
    }

    #[test]
    fn a_tie_is_new_for_the_event_that_made_it_however_often_it_comes() {
        let mut persons = Persons::whole();
        assert!(tie(&mut persons, Digest(1), Digest(2), at(5)));
        assert!(!tie(&mut persons, Digest(1), Digest(2), at(6)));
        assert!(tie(&mut persons, Digest(1), Digest(2), at(5)), "delivered once more");
    }
}
