//! Whether what the detector judges is recorded at all: trails, what they leave out, and data events.

use std::collections::{BTreeMap, BTreeSet};

use tripmeter_catalogue::{Call, calls, patterns};
use tripmeter_model::{Service, Severity};

use super::{Case, list};
use crate::gap::{Gap, GapId, Repair, command};
use crate::inventory::{Selectors, Trail};
use crate::selectors::Event;

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let Some(trails) = &case.inventory.trails else {
        return Vec::new();
    };
    let mut gaps = stopped(trails);
    gaps.extend(missing(case, trails));
    gaps.extend(dropped(case, trails));
    gaps
}

fn stopped(trails: &[Trail]) -> Vec<Gap> {
    let stopped = trails.iter().filter(|trail| trail.logging == Some(false));
    stopped
        .map(|trail| {
            let gap = Gap::new(GapId::TrailStopped, "A trail is there and logs nothing.")
                .regions([trail.home.as_str()])
                .evidence([&trail.name]);
            let gap = if trail.of_organisation {
                gap.repair(Repair::step(
                    "it is the organisation's: whoever manages that can start it",
                ))
            } else {
                gap.repair(Repair::run(
                    command(
                        "aws cloudtrail start-logging --name {} --region {}",
                        &[&trail.name, &trail.home],
                    ),
                    command(
                        "aws cloudtrail stop-logging --name {} --region {}",
                        &[&trail.name, &trail.home],
                    ),
                ))
            };
            gap.repair(Repair::step(
                "find out who stopped it: look for StopLogging in the event history",
            ))
        })
        .collect()
}

impl Trail {
    fn covers(&self, region: &str) -> bool {
        self.every_region || self.home == region
    }
}

fn missing(case: &Case<'_>, trails: &[Trail]) -> Option<Gap> {
    // A trail of which nobody knows whether it logs may well do so.
    let on = case.inventory.regions_on();
    let all = on.len();
    let without: Vec<&str> = on
        .into_iter()
        .filter(|region| !trails.iter().any(|t| t.logging != Some(false) && t.covers(region)))
        .collect();
    if without.is_empty() {
        return None;
    }
    let everywhere = without.len() == all;
    let gap = Gap::new(
        GapId::TrailMissing,
        if everywhere {
            "No trail logs anywhere in the account."
        } else {
            "No trail logs in these regions."
        },
    );
    let single = trails
        .iter()
        .find(|trail| trail.logging == Some(true) && !trail.every_region && !trail.of_organisation);
    let gap = match single {
        Some(trail) => gap.evidence([&trail.name]).repair(Repair::run(
            command(
                "aws cloudtrail update-trail --name {} --is-multi-region-trail --region {}",
                &[&trail.name, &trail.home],
            ),
            command(
                "aws cloudtrail update-trail --name {} --no-is-multi-region-trail --region {}",
                &[&trail.name, &trail.home],
            ),
        )),
        None => gap.repair(trail_of_ours(case, ManagementEvents::Recorded)),
    };
    Some(
        gap.regions(without)
            .severity(if everywhere { Severity::Critical } else { Severity::High }),
    )
}

/// How a call of the catalogue is recorded in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    Management,
    Reads,
    Data,
}

/// What is lost on a service, by the regions in which it is.
type Lost = BTreeMap<(Loss, Service), BTreeMap<Vec<&'static str>, Vec<String>>>;

fn dropped(case: &Case<'_>, trails: &[Trail]) -> Vec<Gap> {
    let mut lost: Lost = BTreeMap::new();
    for region in case.inventory.regions_on() {
        let covering: Vec<&Trail> = trails
            .iter()
            .filter(|trail| trail.logging != Some(false) && trail.covers(region))
            .collect();
        // Of a trail whose selectors are not known, nothing can be said.
        let selectors: Option<Vec<&Selectors>> = covering.iter().map(|trail| trail.selectors.as_ref()).collect();
        let Some(selectors) = selectors.filter(|selectors| !selectors.is_empty()) else {
            continue;
        };
        for (key, names) in lost_by(&selectors, &case.inventory.partition) {
            lost.entry(key)
                .or_default()
                .entry(names)
                .or_default()
                .push(region.to_owned());
        }
    }
    let mut gaps = Vec::new();
    gaps.extend(reads_dropped(case, &lost));
    gaps.extend(management_dropped(case, &lost));
    // One stack for all of it: no repair takes back what another brought.
    let management = if gaps.is_empty() {
        ManagementEvents::LeftOut
    } else {
        ManagementEvents::Recorded
    };
    for ((loss, service), by_names) in &lost {
        if *loss == Loss::Data {
            gaps.extend(
                by_names
                    .iter()
                    .map(|(names, regions)| data_missing(case, *service, names, regions, management)),
            );
        }
    }
    gaps
}

/// The calls that none of the selectors records, by service.
fn lost_by(selectors: &[&Selectors], partition: &str) -> BTreeMap<(Loss, Service), Vec<&'static str>> {
    let mut lost: BTreeMap<(Loss, Service), Vec<&'static str>> = BTreeMap::new();
    let recorded = |event: Event<'_>| selectors.iter().any(|selectors| selectors.record(event));
    for call in calls().filter(|call| is_recordable(call, partition)) {
        let as_event = |read_only, resource_type| Event {
            source: call.service.event_source(),
            name: call.name,
            read_only,
            resource_type,
        };
        let types = types_of(call);
        let records = |read_only| match call.data_event {
            None => recorded(as_event(read_only, None)),
            Some(_) => types.iter().any(|of| recorded(as_event(read_only, Some(of)))),
        };
        if records(call.read_only) {
            continue;
        }
        let sort = match call.data_event {
            // It would be recorded, were it a write: the selectors drop what reads.
            _ if call.read_only && records(false) => Loss::Reads,
            None => Loss::Management,
            Some(_) => Loss::Data,
        };
        lost.entry((sort, call.service)).or_default().push(call.name);
    }
    lost
}

/// Whether CloudTrail would record it in an account of the partition.
fn is_recordable(call: &Call, partition: &str) -> bool {
    let commercial_only = matches!(
        call.service,
        Service::BedrockMantle | Service::ClaudePlatform | Service::WorkMail
    );
    call.service != Service::OpenAi && (partition == "aws" || !commercial_only)
}

/// The resource types that record a data event: one of them is enough.
fn types_of(call: &Call) -> Vec<&'static str> {
    let Some(own) = call.data_event else {
        return Vec::new();
    };
    let of_call = patterns::data_events()
        .into_iter()
        .filter(|(_, names)| names.contains(&call.name))
        .map(|(resource_type, _)| resource_type);
    // Another service may have a call of the same name.
    let family = |of: &str| of.split("::").nth(1).map(str::to_owned);
    of_call.filter(|of| family(of) == family(own)).collect()
}

/// What of one sort is lost: services, calls, regions.
fn of_sort(lost: &Lost, sort: Loss) -> Option<(Vec<Service>, Vec<&'static str>, Vec<&str>)> {
    let of = || lost.iter().filter(|((loss, _), _)| *loss == sort);
    let services: Vec<Service> = of().map(|((_, service), _)| *service).collect();
    let (names, regions): (Vec<_>, Vec<_>) = of().flat_map(|(_, by_names)| by_names).unzip();
    let names = names.into_iter().flatten().copied().collect();
    (!services.is_empty()).then(|| (services, names, distinct(regions.into_iter().flatten())))
}

fn reads_dropped(case: &Case<'_>, lost: &Lost) -> Option<Gap> {
    let (services, names, regions) = of_sort(lost, Loss::Reads)?;
    Some(
        Gap::new(
            GapId::ReadsDropped,
            "The trail's selectors keep what writes alone, and drop what CloudTrail marks as a read.",
        )
        .services(services)
        .regions(regions)
        .evidence(names)
        .repair(trail_of_ours(case, ManagementEvents::Recorded))
        .repair(Repair::step(
            "or, without paying for a second copy, let the trail record reads too: docs/deploy.md, The trail",
        )),
    )
}

fn management_dropped(case: &Case<'_>, lost: &Lost) -> Option<Gap> {
    let (services, names, regions) = of_sort(lost, Loss::Management)?;
    Some(
        Gap::new(
            GapId::ManagementEventsDropped,
            format!("The trail leaves out management events of {}.", list(&services)),
        )
        .regions(regions)
        .services(services)
        .evidence(names)
        .repair(trail_of_ours(case, ManagementEvents::Recorded))
        .repair(Repair::step(
            "or, without paying for a second copy, let the trail record every event source: docs/deploy.md, The trail",
        )),
    )
}

fn data_missing(
    case: &Case<'_>,
    service: Service,
    names: &[&str],
    regions: &[String],
    management: ManagementEvents,
) -> Gap {
    let severity = if case.uses(service) {
        Severity::High
    } else {
        Severity::Medium
    };
    Gap::new(
        GapId::DataEventsMissing,
        format!("No trail records {service}'s data events: {}.", list(names)),
    )
    .severity(severity)
    .services([service])
    .regions(regions.iter().map(String::as_str))
    .repair(trail_of_ours(case, management))
    .repair(Repair::step(
        "or add what `tripmeter patterns --format selectors` prints to a trail of yours: docs/deploy.md, The trail",
    ))
}

/// Whether our own trail records management events, of which only the first copy is free.
#[derive(Clone, Copy)]
enum ManagementEvents {
    Recorded,
    LeftOut,
}

fn trail_of_ours(case: &Case<'_>, management: ManagementEvents) -> Repair {
    let parameter = match management {
        ManagementEvents::Recorded => "ManagementEvents=yes",
        ManagementEvents::LeftOut => "ManagementEvents=no",
    };
    Repair::deploy("tripmeter-trail", "infra/trail.yaml", &case.inventory.hub, &[parameter])
}

fn distinct<'a>(regions: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let distinct: BTreeSet<&str> = regions.map(String::as_str).collect();
    distinct.into_iter().collect()
}
