//! Episodes of the control plane, kept and judged.

use std::borrow::Cow;
use std::collections::BTreeSet;

use tripmeter_model::{
    Activity, Cause, DAY, Digest, Factor, Family, Finding, Identity, PolicyEffect, Service, Tactic, Timestamp,
};

use super::{Account, Bench, ControlEpisode, Used};
use crate::cell::SHOWS;
use crate::control::{Acquaintance, Control, ControlKey, ControlScene, Told};
use crate::detections::{self, region_sweep};
use crate::episode::{Draft, Published, publish, take_back};
use crate::journal::{Context, Field};
use crate::ledger::principal_digest;
use crate::novelty::Attribute;
use crate::part::{Moved, PartKey};
use crate::person;
use crate::settings::Settings;

/// Episodes of the control plane that are kept at once, before mere looks are left out.
const MAX_CONTROLS: usize = 10_000;

impl Account {
    /// Says how many uses were carried out around an identity's refusals, and whether there are refusals.
    pub(super) fn restate_served(&mut self, who: Digest, activity: &Activity) -> bool {
        let used = self.used.get(&(activity.service, who));
        self.ledger
            .restate_served(who, activity.service, activity.time, |until| {
                used.map_or(0, |used| used.profile.served_around(until))
            })
    }

    #[expect(clippy::too_many_arguments)]
    pub(super) fn control(
        &mut self,
        who: Digest,
        identity: Identity,
        (family, tactic): (Family, Tactic),
        activity: &Activity,
        context: &Context,
        bench: &Bench<'_>,
        out: &mut Vec<Moved>,
    ) {
        let key = ControlKey {
            who,
            day: activity.time.day(),
            service: activity.service,
            family,
        };
        // A flood of identities that only look around ends here; what they change or spend is still judged.
        if family == Family::LimitProbe && self.controls.len() >= MAX_CONTROLS && !self.controls.contains_key(&key) {
            return;
        }
        let uses = |link: &String| self.profiles_of(principal_digest(link)).next().is_some();
        let about_user = family == Family::CredentialIssued && activity.links.iter().any(uses);
        if let Some(person) = person::ways(&mut self.persons, who) {
            person.controls.insert((key.day, key.service, key.family));
        }
        let episode = self.controls.entry(key).or_insert_with(|| ControlEpisode {
            control: Control::new(identity, tactic, activity),
            published: Published::default(),
        });
        episode.control.about_user |= about_user;
        // Who may take a role that spends changes hands.
        episode.control.grave |= about_user && activity.effect == Some(PolicyEffect::PolicyOpened);
        if episode.control.add(activity, context) {
            let told_as = self.tour(key).first().copied().unwrap_or(key);
            self.judge_control(told_as, activity.time, bench, out);
        }
    }

    /// The episodes of the same identity and day that only look around, in the order of their first calls: one tour
    /// over services, told once, as the first of them. Of any other episode, that alone.
    pub(super) fn tour(&self, key: ControlKey) -> Vec<ControlKey> {
        let person = self.persons.get(&key.who);
        let of_day = person.into_iter().flat_map(|person| &person.controls);
        let alike = of_day.filter(|(day, _, family)| *day == key.day && *family == key.family);
        let mut tour: Vec<(Timestamp, ControlKey)> = alike
            .map(|(_, service, _)| ControlKey {
                service: *service,
                ..key
            })
            .filter_map(|of| {
                let control = &self.controls.get(&of)?.control;
                control.only_looks(key.family).then_some((control.journal.first?, of))
            })
            .collect();
        tour.sort_unstable();
        if tour.iter().any(|(_, of)| *of == key) {
            tour.into_iter().map(|(_, of)| of).collect()
        } else {
            vec![key]
        }
    }

    /// An episode as it is told: with the others of its tour, and of a sweep with the regions that were called before
    /// it was one.
    fn told(&self, tour: &[ControlKey], settings: &Settings) -> Option<Cow<'_, Control>> {
        let (first, rest) = tour.split_first()?;
        let mut told = Cow::Borrowed(&self.controls.get(first)?.control);
        for control in rest.iter().filter_map(|key| self.controls.get(key)) {
            told.to_mut().join(&control.control);
        }
        if first.family == Family::RegionSweep {
            let swept = told.to_mut();
            let services: BTreeSet<Service> = tour.iter().map(|key| key.service).collect();
            let from = swept.journal.first?.plus(-settings.sweep_seconds);
            let openings = self.ledger.of(first.who, from, swept.journal.last?);
            region_sweep::restate(
                &mut swept.journal,
                openings.filter(|o| services.contains(&o.service)),
                from,
            );
        }
        Some(told)
    }

    pub(super) fn judge_control(&mut self, key: ControlKey, time: Timestamp, bench: &Bench<'_>, out: &mut Vec<Moved>) {
        let Some(draft) = self.control_draft(key, bench) else {
            return;
        };
        if let Some(episode) = self.controls.get_mut(&key) {
            let tell = match episode.control.told {
                Told::Here => publish,
                Told::Elsewhere => take_back,
            };
            let part = PartKey::control(key);
            tell(draft, &mut episode.published, part, time, bench.policy, out);
        }
    }

    pub(super) fn control_draft(&self, key: ControlKey, bench: &Bench<'_>) -> Option<Draft> {
        let tour = self.tour(key);
        if tour.first() != Some(&key) {
            return None;
        }
        let told = self.told(&tour, bench.settings)?;
        let control = told.as_ref();
        let used = self.used.get(&(key.service, key.who));
        let judged = control.journal.first?.plus(-bench.settings.lateness()).day();
        let scene = ControlScene {
            key,
            control,
            ledger: &self.ledger,
            persons: &self.persons,
            settings: bench.settings,
            standing: if self.span.first_day > key.day - bench.settings.learning_days {
                Acquaintance::NewAccount
            } else if self.is_at_home(key, control, bench) {
                Acquaintance::AtHome
            } else {
                Acquaintance::Somebody
            },
            regions_before: &|region| {
                let region = tripmeter_model::digest64(&[region]);
                let person = self.persons.get(&key.who);
                person.is_some_and(|person| person.changed_before(region, judged))
            },
            from_new_network: control.journal.values(Field::Network).iter().any(|network| {
                let first = self.seen.first(Attribute::Network, network.digest);
                first.is_some_and(|first| first.day() > self.span.first_day && first.since(network.first) > -DAY)
            }),
            read_by_others: &|shape| {
                let learned = judged - bench.settings.learning_days;
                self.seen.is_read_by_others(shape, key.who, learned)
            },
            in_use: self.services.contains_key(&key.service),
            mean_day: used.map_or(0.0, |used| used.profile.mean_before(key.day)),
        };
        let verdict = detections::judge(&scene);
        let factors: Vec<Factor> = verdict
            .iter()
            .filter(|part| part.points > 0)
            .map(|part| detections::words(&scene, part))
            .collect();
        if factors.iter().map(|factor| factor.points).sum::<u32>() < SHOWS {
            return None;
        }
        let day = key.day.to_string();
        let finding_type = control.finding_type(&key);
        Some(Draft {
            uid: tripmeter_model::stable_uid(&[
                &self.id,
                &control.identity.id,
                key.service.name(),
                key.family.name(),
                &day,
            ]),
            finding_type,
            kind: control.kind,
            account: self.id.clone(),
            identity: control.identity.clone(),
            linked: control.admitted.iter().cloned().collect(),
            assumed_by: self.assumed_by(key.who, &control.journal, bench),
            identities: self.suspects(key.service, control),
            factors,
            journal: control.journal.clone(),
            openings: Vec::new(),
            busiest: (control.journal.units, control.journal.units),
            new: Vec::new(),
            explained: self.held(key.family, control.journal.last, bench),
        })
    }

    /// Whether an identity acted from networks and with clients that its own use has shown for weeks, or, where it has
    /// changed things for as long, the account has.
    fn is_at_home(&self, key: ControlKey, control: &Control, bench: &Bench<'_>) -> bool {
        let known = |field, attribute| {
            let values = control.journal.values(field);
            move |used: &Used| {
                let since = |first: Timestamp| first.day() <= key.day - bench.settings.learning_days;
                values
                    .iter()
                    .all(|value| used.around.seen.first(attribute, value.digest).is_some_and(since))
            }
        };
        let (network, client) = (
            known(Field::Network, Attribute::Network),
            known(Field::Client, Attribute::Client),
        );
        if self.profiles_of(key.who).any(|(_, used)| network(used) && client(used)) {
            return true;
        }
        let learned = key.day - bench.settings.learning_days;
        let known_here = |field, attribute| {
            let mut values = control.journal.values(field).iter();
            values.all(|value| {
                let first = self.seen.first(attribute, value.digest);
                first.is_some_and(|first| first.day() <= learned)
            })
        };
        self.persons
            .get(&key.who)
            .is_some_and(|person| person.has_changed_since(learned))
            && known_here(Field::Network, Attribute::Network)
            && known_here(Field::Client, Attribute::Client)
    }

    pub(super) fn control_finding(&self, key: ControlKey, bench: &Bench<'_>) -> Option<Finding> {
        let episode = self
            .controls
            .get(&key)
            .filter(|episode| episode.control.told == Told::Here)?;
        let draft = self.control_draft(key, bench)?;
        let time = draft.journal.last?;
        draft.finding(&episode.published, Cause::Created, time, bench.policy)
    }
}
