//! Whether somebody listens: the hub's rules and the forwarders', held against the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tripmeter_catalogue::patterns::{self, EventRule, Route, State, Wanted};
use tripmeter_model::{Service, Severity};

use super::{Case, list};
use crate::event_pattern::EventPattern;
use crate::gap::{Gap, GapId, Repair, command, delete_stack};
use crate::inventory::{Rule, RuleState, Switch};

/// How an event of the catalogue is heard in a region, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard<'a> {
    Well,
    InWrongState(&'a Rule),
    ByDisabled(&'a Rule),
    Not,
}

pub(super) fn look(case: &Case<'_>) -> Vec<Gap> {
    let wanted: Vec<EventRule> = patterns::rules()
        .into_iter()
        .filter(|rule| is_wanted(rule, &case.inventory.partition))
        .collect();
    let mut found = Found::default();
    for (name, region) in &case.inventory.regions {
        let Some(rules) = region.rules.as_deref().map(|rules| ours(case, name, rules)) else {
            continue;
        };
        let heard: Vec<(&EventRule, Heard<'_>)> = wanted.iter().map(|rule| (rule, how(rule, &rules))).collect();
        if heard.iter().all(|(_, heard)| *heard == Heard::Not) {
            found.silent.insert(name);
        } else {
            found.note(name, &heard);
        }
    }
    found.gaps(case)
}

/// A rule of the detector.
struct Listening<'a> {
    rule: &'a Rule,
    pattern: EventPattern,
}

/// Rules of the detector: in its hub by the stack's name, where that is known; elsewhere it is those that forward.
fn ours<'a>(case: &Case<'_>, region: &str, rules: &'a [Rule]) -> Vec<Listening<'a>> {
    let stack = case.inventory.stack.as_deref().filter(|_| region == case.inventory.hub);
    let is_ours =
        |rule: &&Rule| stack.is_none_or(|stack| rule.name.strip_prefix(stack).is_some_and(|id| id.starts_with('-')));
    let listening = |rule: &'a Rule| {
        let pattern = EventPattern::parse(&rule.pattern)?;
        Some(Listening { rule, pattern })
    };
    rules.iter().filter(is_ours).filter_map(listening).collect()
}

fn is_wanted(rule: &EventRule, partition: &str) -> bool {
    match rule.wanted {
        Wanted::Always => true,
        Wanted::InCommercialRegions => partition == "aws",
        Wanted::WhenRolesAreRouted => false,
    }
}

/// How the worst heard of a rule's calls is heard.
fn how<'a>(wanted: &EventRule, rules: &[Listening<'a>]) -> Heard<'a> {
    let events = events(wanted);
    let heard = events.iter().map(|event| {
        let matching = rules.iter().filter(|listening| listening.pattern.matches(event));
        let each = matching.map(|Listening { rule, .. }| match (wanted.state, rule.state) {
            (_, RuleState::Disabled) => Heard::ByDisabled(rule),
            (State::EnabledWithAllCloudtrailManagementEvents, RuleState::Enabled) => Heard::InWrongState(rule),
            _ => Heard::Well,
        });
        each.min().unwrap_or(Heard::Not)
    });
    heard.max().unwrap_or(Heard::Not)
}

/// An event for each call that a rule of the catalogue names.
fn events(rule: &EventRule) -> Vec<Value> {
    let first = |path: &str| {
        let texts = rule.pattern.pointer(path).and_then(Value::as_array);
        texts.and_then(|texts| texts.first()).cloned().unwrap_or_default()
    };
    let (detail_type, source) = (first("/detail-type"), first("/detail/eventSource"));
    let prefix = source
        .as_str()
        .and_then(|source| source.split('.').next())
        .unwrap_or_default();
    let names = rule.pattern.pointer("/detail/eventName").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter(|name| name.is_string());
    let event = |name: &Value| {
        json!({
            "source": format!("aws.{prefix}"),
            "detail-type": detail_type,
            "detail": {"eventSource": source, "eventName": name},
        })
    };
    names.map(event).collect()
}

/// Rules of the detector that do not hear what they are for, by region and name.
type Broken<'a> = BTreeMap<(&'a str, &'a str), BrokenRule<'a>>;

/// One of them.
struct BrokenRule<'a> {
    rule: &'a Rule,
    /// The state that it needs.
    state: State,
    services: BTreeSet<Service>,
}

/// What was found, over all regions.
#[derive(Default)]
struct Found<'a> {
    silent: BTreeSet<&'a str>,
    wrong: Broken<'a>,
    disabled: Broken<'a>,
    missing: BTreeMap<&'a str, Vec<(String, Service, Route)>>,
}

impl<'a> Found<'a> {
    fn note(&mut self, region: &'a str, heard: &[(&EventRule, Heard<'a>)]) {
        for (wanted, heard) in heard {
            let (into, rule) = match *heard {
                Heard::Well => continue,
                Heard::InWrongState(rule) => (&mut self.wrong, rule),
                Heard::ByDisabled(rule) => (&mut self.disabled, rule),
                Heard::Not => {
                    let missing = (wanted.name.clone(), wanted.service, wanted.route);
                    self.missing.entry(region).or_default().push(missing);
                    continue;
                }
            };
            let broken = into.entry((region, &rule.name)).or_insert(BrokenRule {
                rule,
                state: wanted.state,
                services: BTreeSet::new(),
            });
            broken.services.insert(wanted.service);
        }
    }

    fn gaps(mut self, case: &Case<'_>) -> Vec<Gap> {
        let hub = case.inventory.hub.as_str();
        let mut gaps = Vec::new();
        if self.silent.remove(hub) {
            // Without a hub there is nobody to forward to.
            return vec![detector_missing(hub)];
        }
        gaps.extend(unheard(case, &self.silent));
        gaps.extend(self.wrong_state());
        gaps.extend(self.switched_off());
        gaps.extend(self.missing.iter().map(|(region, rules)| missing(hub, region, rules)));
        gaps
    }

    fn wrong_state(&self) -> Option<Gap> {
        let gap = of_rules(
            GapId::RuleState,
            "Rules are ENABLED, and do not hear read-only calls.",
            &self.wrong,
        )?;
        // What enables a rule gives it the plain state.
        Some(put_back(gap, &self.wrong, "enable-rule"))
    }

    fn switched_off(&self) -> Option<Gap> {
        let gap = of_rules(GapId::RuleDisabled, "Rules are disabled.", &self.disabled)?;
        let gap = gap.repair(Repair::step(
            "find out who did it: look for DisableRule in the event history; then",
        ));
        Some(put_back(gap, &self.disabled, "disable-rule"))
    }
}

fn of_rules(id: GapId, words: &str, rules: &Broken<'_>) -> Option<Gap> {
    let services: BTreeSet<Service> = rules.values().flat_map(|broken| &broken.services).copied().collect();
    let regions: BTreeSet<&str> = rules.keys().map(|(region, _)| *region).collect();
    let gap = Gap::new(id, words)
        .services(services)
        .regions(regions)
        .evidence(rules.keys().map(|(_, name)| name));
    (!rules.is_empty()).then_some(gap)
}

/// Gives the first of the rules the state that it needs; `undo` takes it away.
fn put_back(gap: Gap, rules: &Broken<'_>, undo: &str) -> Gap {
    let Some(((region, name), broken)) = rules.first_key_value() else {
        return gap;
    };
    let repair = match broken.state {
        State::Enabled => command("aws events enable-rule --name {} --region {}", &[name, region]),
        // Only putting the rule gives it this state, and it needs the pattern for that.
        State::EnabledWithAllCloudtrailManagementEvents => {
            EventPattern::parse(&broken.rule.pattern).and_then(|pattern| {
                command(
                    "aws events put-rule --name {} --region {} --state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS \
                 --event-pattern {}",
                    &[name, region, &pattern.to_string()],
                )
            })
        }
    };
    let undo = command("aws events {} --name {} --region {}", &[undo, name, region]);
    gap.repair(Repair::run(repair, undo)).repair(Repair::step(
        "each; or the whole stack at once: docs/deploy.md, Repair it",
    ))
}

fn detector_missing(hub: &str) -> Gap {
    Gap::new(
        GapId::DetectorMissing,
        format!("No rule in {hub} listens to what the catalogue names."),
    )
    .regions([hub])
    .repair(Repair::run(
        command("make deploy FIRST=yes", &[]),
        command("sam delete --stack-name tripmeter --region {}", &[hub]),
    ))
    .repair(Repair::step("or name the region that the detector is in with --hub"))
}

fn unheard(case: &Case<'_>, silent: &BTreeSet<&str>) -> Vec<Gap> {
    let inventory = case.inventory;
    let is_opt_in = |name: &str| {
        let switch = inventory.switches.as_ref().and_then(|switches| switches.get(name));
        switch == Some(&Switch::On)
    };
    // What is global is recorded in one region: a detector without it never sees a key made.
    let global = inventory.global_region();
    let (global, others): (Vec<&str>, Vec<&str>) = silent.iter().partition(|name| **name == global);
    let forward = |gap: Gap, region: &str| {
        let bus = format!(
            "HubBusArn=arn:{}:events:{}:{}:event-bus/default",
            inventory.partition, inventory.hub, inventory.account
        );
        // The template is too long for CloudFormation to take it without a bucket.
        let deploy = command(
            "sam deploy --stack-name tripmeter-ear --template-file infra/forwarder.yaml --resolve-s3 --capabilities \
             CAPABILITY_IAM --no-confirm-changeset --region {} --parameter-overrides {}",
            &[region, &bus],
        );
        gap.repair(Repair::run(deploy, delete_stack("tripmeter-ear", region)))
            .repair(Repair::step(
                "in each region, then name them in the hub's parameter WatchedRegions",
            ))
    };
    let mut gaps = Vec::new();
    if let Some(region) = global.first() {
        let words = "Nothing is forwarded from the region that records IAM, Budgets, Account and Organizations.";
        let gap = Gap::new(GapId::RegionUnheard, words)
            .severity(Severity::High)
            .regions([*region]);
        gaps.push(forward(gap, region));
    }
    if let Some(region) = others.first() {
        let opt_in: Vec<&&str> = others.iter().filter(|name| is_opt_in(name)).collect();
        let words = if opt_in.is_empty() {
            "Regions are on, and nothing is forwarded from them.".to_owned()
        } else {
            format!(
                "Regions are on, and nothing is forwarded from them; switched on by somebody: {}.",
                list(opt_in)
            )
        };
        gaps.push(forward(
            Gap::new(GapId::RegionUnheard, words).regions(others.iter().copied()),
            region,
        ));
    }
    gaps
}

fn missing(hub: &str, region: &str, rules: &[(String, Service, Route)]) -> Gap {
    // A forwarder may leave use to the trail's files, by its parameter.
    let use_alone = region != hub && rules.iter().all(|(_, _, route)| *route == Route::Usage);
    let (severity, words) = if use_alone {
        (
            Severity::Low,
            "Use is not forwarded (the forwarder's parameter ForwardUse).",
        )
    } else {
        (
            Severity::Medium,
            "No rule asks for what these rules of the catalogue do.",
        )
    };
    let services: BTreeSet<Service> = rules.iter().map(|(_, service, _)| *service).collect();
    Gap::new(GapId::RuleMissing, words)
        .severity(severity)
        .services(services)
        .regions([region])
        .evidence(rules.iter().map(|(name, _, _)| name))
        .repair(Repair::step(
            "deploy this version there (docs/deploy.md, Change it, upgrade it); a rule that somebody deleted comes back by \
             repairing the stack (Repair it)",
        ))
}
