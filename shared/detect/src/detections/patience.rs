//! Somebody keeps coming back, day after day and never much at once, from where nobody else is.
//!
//! On four days of seven, from a network that is younger than two weeks and that nobody else has shown: 35 points and
//! those of what is new there. An identity that is older shows a client of its own there, too, while the usual goes
//! on: a deployment, or a person who moves, leaves the old place. One that is as young itself is judged by what nobody
//! in the account has shown.
//!
//! ATT&CK: T1496.004. Evades: three days a week; a client that the identity has, from the next network. False when: a
//! role is deployed at a second place with another client, and both go on.

use tripmeter_model::FactorName;

use super::anomalous_use::{FOREIGN, new_factor, p_new};
use crate::cell::Cell;
use crate::journal::CONTEXT;
use crate::novelty::{Attribute, Known};
use crate::weigh::{Facts, Note, Scene, Standing, Weighed};

/// Points of a place that somebody keeps coming back from.
const KEPT: f64 = 35.0;
/// How strange it must be, and how much used within a day.
const STRANGE: f64 = 5.0;
const USES: u32 = 10;

/// What is young about an hour.
#[derive(Default)]
struct Young<'a> {
    parts: Vec<(FactorName, f64, Note<'a>)>,
    points: f64,
    /// Days of the last seven on which a network was shown that nobody else has.
    days: u32,
    client: bool,
}

/// Weighs an hour of it.
pub(crate) fn weigh<'a>(scene: &Scene<'a>, facts: &Facts, cell: &'a Cell, weighed: &mut Weighed<'a>) {
    if cell.kept == 0 || facts.sums.kept < USES || facts.standing == Standing::Learning {
        return;
    }
    let told = facts.first.plus(-scene.settings.lateness()).day();
    let is_newcomer = scene.profile.age_days(facts.day) < scene.settings.learning_days;
    let young = young(scene, facts, cell, told, is_newcomer);
    let strange = if is_newcomer {
        young.points >= FOREIGN
    } else {
        let goes_on = |attribute| scene.around.seen.usual_goes_on(attribute, told);
        let usual_goes_on = goes_on(Attribute::Network) && goes_on(Attribute::Region);
        young.client && usual_goes_on && young.points >= STRANGE
    };
    if young.days == 0 || !strange {
        return;
    }
    weighed.add(FactorName::Lasting, KEPT, Note::Kept(young.days));
    for (name, points, note) in young.parts {
        if weighed.parts.iter().all(|part| part.name != name) {
            weighed.add(name, points, note);
        }
    }
}

/// The most surprising young value of each attribute.
fn young<'a>(scene: &Scene<'a>, facts: &Facts, cell: &'a Cell, told: i32, is_newcomer: bool) -> Young<'a> {
    let seen = &scene.around.seen;
    let mut young = Young::default();
    for (field, attribute) in CONTEXT {
        let values = cell.journal.values(field).iter().filter(|value| {
            seen.is_young(attribute, value.digest, told) && !scene.around.vouched.contains(&value.digest)
        });
        let scored = values.map(|value| {
            let others = scene.shared_seen;
            let known = if others.known_to_others(attribute, value.digest, scene.who, told) {
                Known::ToTheAccount
            } else {
                Known::ToNobody
            };
            (attribute.points(p_new(cell, attribute), known), value, known)
        });
        // To a newcomer everything is new: what others have shown says nothing of it.
        let scored = scored.filter(|(.., known)| !is_newcomer || *known == Known::ToNobody);
        let Some((points, value, known)) = scored.max_by(|a, b| a.0.total_cmp(&b.0)) else {
            continue;
        };
        if attribute == Attribute::Network && known == Known::ToNobody {
            young.days = seen.days_within(attribute, value.digest, told - 6, facts.day);
        }
        young.client |= attribute == Attribute::Client;
        young.points += points;
        young
            .parts
            .push((new_factor(attribute), points, Note::Value { value, known }));
    }
    young
}

#[cfg(test)]
mod tests {
    use tripmeter_model::{Activity, Client, Family, Network, Service, Severity};

    use crate::testing::{activity, at, found, quiet_days, worst};

    /// Twenty calls on each of these days by the usual role from another network.
    fn visits(days: std::ops::Range<i64>, client: &str) -> Vec<Activity> {
        let calls = days.flat_map(|day| (0..20).map(move |n| at(day * 24 + 10).plus(n * 700)));
        let of = |time| {
            let mut call = activity(Service::Bedrock, "InvokeModel", time);
            call.origin.network = Network("192.0.2.0/24".into());
            call.origin.client = Client(client.into());
            call
        };
        calls.map(of).collect()
    }

    #[test]
    fn who_keeps_coming_back_from_elsewhere_beside_the_usual_is_medium() {
        let mut story = quiet_days(Service::Bedrock, 50);
        story.extend(visits(40..50, "aws-cli"));
        let findings = found(story);
        assert!(
            worst(&findings, Family::AnomalousUse) >= Some(Severity::Medium),
            "{findings:#?}"
        );
    }

    #[test]
    fn a_move_that_leaves_the_old_place_is_nothing_to_act_on() {
        let mut story = quiet_days(Service::Bedrock, 40);
        story.extend(visits(40..50, "aws-cli"));
        assert!(found(story).iter().all(|f| f.severity < Severity::Medium));
    }

    #[test]
    fn a_second_network_with_the_usual_client_is_nothing_to_act_on() {
        let mut story = quiet_days(Service::Bedrock, 50);
        story.extend(visits(40..50, "boto3"));
        assert!(found(story).iter().all(|f| f.severity < Severity::Medium));
    }
}
