//! From TOML to rules, with every problem on the way.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};
use tripmeter_model::{Family, Owner, Service, Severity, bounded};

use crate::builtin::Builtin;
use crate::file::{FARTHEST, PolicyFile};
use crate::pattern::{IdentityPattern, Pattern, TypePattern, is_account};
use crate::problem::{PolicyError, Problems, suggestion};
use crate::rules::{
    Automation, Campaign, Mute, Ownership, RegionLists, Regions, Rule, RuleKind, Scope, VouchedNetwork,
};
use crate::section::{Edge, Section, list, table, tables, text};

/// The sections of a file, as `[name]` or `[[name]]`.
const SECTIONS: [&str; 8] = [
    "regions",
    "accounts",
    "automation",
    "campaign",
    "mute",
    "network",
    "owner",
    "builtin",
];

type Key<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

/// Reads a whole file.
pub(crate) fn policy_file(text: &str) -> Result<PolicyFile, PolicyError> {
    let mut problems = Problems::new(text);
    let (document, broken) = DeTable::parse_recoverable(text);
    for error in broken {
        let offset = error.span().map_or(0, |span| span.start);
        problems.error(offset, format!("this is no TOML: {}", error.message()));
    }
    let mut policy = PolicyFile::default();
    // What a broken line left behind would only be misunderstood.
    if !problems.has_errors() {
        policy = sections(document.get_ref(), &mut problems);
        if document.get_ref().is_empty() {
            problems.warning(
                0,
                "there is nothing in this file: the rules that ship hold, and no other",
            );
        }
        repeated_ids(&policy, &mut problems);
    }
    let warnings = problems.finish()?;
    Ok(PolicyFile { warnings, ..policy })
}

fn sections<'a>(document: &'a DeTable<'a>, problems: &mut Problems<'_>) -> PolicyFile {
    let mut policy = PolicyFile::default();
    for (key, value) in document {
        match key.get_ref().as_ref() {
            "regions" => policy.regions = regions(value, problems),
            "accounts" => policy.accounts = accounts(value, problems),
            "automation" => policy.automation = rules("automation", value, problems, automation),
            "campaign" => policy.campaigns = rules("campaign", value, problems, campaign),
            "mute" => policy.mutes = rules("mute", value, problems, mute),
            "network" => policy.networks = rules("network", value, problems, network),
            "owner" => policy.owners = rules("owner", value, problems, ownership),
            "builtin" => policy.builtin = builtin(value, problems),
            other => problems.error(
                key.span().start,
                format!(
                    "there is no section '{}'{}",
                    bounded(other, 60),
                    suggestion(other, &SECTIONS)
                ),
            ),
        }
    }
    policy
}

/// Reads each `[[name]]` table as one rule; they are numbered from 1.
fn rules<'a, T>(
    name: &str,
    value: &'a Value<'a>,
    problems: &mut Problems<'_>,
    read: fn(usize, usize, &'a DeTable<'a>, &mut Problems<'_>) -> T,
) -> Vec<T> {
    let tables = tables(name, value, problems);
    let numbered = tables.into_iter().zip(1..);
    numbered
        .map(|((span, table), number)| read(number, span.start, table, problems))
        .collect()
}

fn automation<'a>(number: usize, at: usize, table: &'a DeTable<'a>, problems: &mut Problems<'_>) -> Automation {
    let required = [
        "identities",
        "services",
        "per_hour",
        "per_day",
        "owner",
        "reason",
        "expires",
    ];
    let mut section = Section::open("[[automation]]", at, table, &required, &["accounts", "id"], problems);
    let (per_hour, per_day) = (section.units("per_hour"), section.units("per_day"));
    if per_hour > per_day && per_day.is_some() {
        section.error(
            "per_hour",
            "'per_hour' is above 'per_day', which would always be reached first",
        );
    }
    Automation {
        rule: rule(&mut section, RuleKind::Automation, number, "expires"),
        scope: scope(&mut section),
        per_hour: per_hour.unwrap_or_default(),
        per_day: per_day.unwrap_or_default(),
    }
}

fn campaign<'a>(number: usize, at: usize, table: &'a DeTable<'a>, problems: &mut Problems<'_>) -> Campaign {
    let required = ["identities", "services", "from", "to", "expected", "owner", "reason"];
    let mut section = Section::open("[[campaign]]", at, table, &required, &["accounts", "id"], problems);
    let rule = rule(&mut section, RuleKind::Campaign, number, "to");
    let from = section.moment("from", Edge::Begin);
    if let (Some(from), Some(to)) = (from, rule.expires) {
        if to <= from {
            section.error("to", "'to' is not after 'from'; the window is empty");
        } else if to.since(from) > FARTHEST {
            section.error(
                "to",
                "the window is longer than 366 days; a campaign ends, a new level is learned",
            );
        }
    }
    Campaign {
        rule,
        scope: scope(&mut section),
        from: from.unwrap_or_default(),
        expected: section.units("expected").unwrap_or_default(),
    }
}

fn mute<'a>(number: usize, at: usize, table: &'a DeTable<'a>, problems: &mut Problems<'_>) -> Mute {
    let required = ["types", "owner", "reason", "expires"];
    let optional = ["identities", "services", "accounts", "max_severity", "id"];
    let mut section = Section::open("[[mute]]", at, table, &required, &optional, problems);
    let mute = Mute {
        rule: rule(&mut section, RuleKind::Mute, number, "expires"),
        types: section.list("types", TypePattern::new),
        scope: scope(&mut section),
        max_severity: severity(&mut section),
    };
    if mute.scope.is_everything() && mute.types.iter().any(TypePattern::is_everything) {
        section.error(
            "types",
            "this mutes every finding there is; name types, identities, services or accounts",
        );
    }
    if let Some((family, least)) = never_matched(&mute) {
        section.warning(
            "max_severity",
            format!(
                "'{}' never matches {}: such a finding is {least} or worse, and this hides up to {}",
                mute.rule.id,
                family.name(),
                mute.max_severity
            ),
        );
    }
    if mute.max_severity >= Severity::High {
        section.warning(
            "max_severity",
            format!("'{}' may hide findings up to {}", mute.rule.id, mute.max_severity),
        );
    }
    mute
}

/// A family that a type of the mute names and that its severity never reaches down to, with the least that it has.
fn never_matched(mute: &Mute) -> Option<(Family, Severity)> {
    mute.types.iter().find_map(|of| {
        let named = |family: &&Family| Service::ALL.iter().any(|service| of.matches(*service, **family));
        let least = |family: &Family| (*family, least_severity(*family));
        let families: Vec<(Family, Severity)> = Family::ALL.iter().filter(named).map(least).collect();
        let (mildest, least) = families.into_iter().min_by_key(|(_, least)| *least)?;
        (least > mute.max_severity).then_some((mildest, least))
    })
}

/// What a finding of a family is at the least: these do not fade, and nothing makes them milder.
fn least_severity(family: Family) -> Severity {
    match family {
        Family::LeakedKey | Family::CeilingExceeded => Severity::High,
        Family::DeniedRegion | Family::Hijack => Severity::Medium,
        _ => Severity::Low,
    }
}

fn network<'a>(number: usize, at: usize, table: &'a DeTable<'a>, problems: &mut Problems<'_>) -> VouchedNetwork {
    let required = ["cidr", "owner", "reason", "expires"];
    let mut section = Section::open("[[network]]", at, table, &required, &["accounts", "id"], problems);
    let written = section.text("cidr");
    let cidr = cidr(&written).unwrap_or_else(|message| {
        if !written.is_empty() {
            section.error("cidr", message);
        }
        IpNet::default()
    });
    VouchedNetwork {
        rule: rule(&mut section, RuleKind::Network, number, "expires"),
        cidr,
        accounts: section.list("accounts", account),
    }
}

fn ownership<'a>(_: usize, at: usize, table: &'a DeTable<'a>, problems: &mut Problems<'_>) -> Ownership {
    let optional = ["contact", "identities", "services", "accounts"];
    let mut section = Section::open("[[owner]]", at, table, &["name"], &optional, problems);
    let scope = scope(&mut section);
    if !["identities", "services", "accounts"]
        .iter()
        .any(|key| section.value(key).is_some())
    {
        section.error(
            "name",
            "this owns everything; name its identities, services or accounts",
        );
    }
    Ownership {
        scope,
        owner: Owner {
            name: section.text("name"),
            contact: section.value("contact").map(|_| section.text("contact")),
        },
    }
}

/// The part that every exception has; `end` is the key that says until when it holds.
fn rule(section: &mut Section<'_, '_, '_>, kind: RuleKind, number: usize, end: &str) -> Rule {
    let (owner, reason) = (section.text("owner"), section.text("reason"));
    let id = match section.value("id") {
        Some(_) => section.text("id"),
        None => format!("{}:{number}:{}", kind.name(), slug(&reason)),
    };
    Rule {
        id,
        kind,
        owner,
        reason,
        expires: section.moment(end, Edge::End),
        line: Some(section.problems.line(section.at)),
    }
}

fn scope(section: &mut Section<'_, '_, '_>) -> Scope {
    Scope {
        identities: section.list("identities", IdentityPattern::new),
        services: section.list("services", service),
        accounts: section.list("accounts", account),
    }
}

fn severity(section: &mut Section<'_, '_, '_>) -> Severity {
    if section.value("max_severity").is_none() {
        return Mute::DEFAULT_MAX_SEVERITY;
    }
    let written = section.text("max_severity");
    written.parse().unwrap_or_else(|message: String| {
        if !written.is_empty() {
            section.error("max_severity", message);
        }
        Mute::DEFAULT_MAX_SEVERITY
    })
}

fn regions<'a>(value: &'a Value<'a>, problems: &mut Problems<'_>) -> Regions {
    let mut regions = Regions::default();
    for (key, value) in table("regions", value, problems).into_iter().flatten() {
        let name = key.get_ref().as_ref();
        if is_account(name) {
            let own = regions.by_account.entry(name.to_owned()).or_default();
            let lists = table(&format!("regions.{name}"), value, problems);
            for (key, value) in lists.into_iter().flatten() {
                region_list(own, key, value, problems);
            }
        } else {
            region_list(&mut regions.everywhere, key, value, problems);
        }
    }
    regions
}

fn region_list(lists: &mut RegionLists, key: &Key<'_>, value: &Value<'_>, problems: &mut Problems<'_>) {
    let name = key.get_ref().as_ref();
    let patterns = list(value, name, region, problems);
    if name == "all" {
        if value.get_ref().as_array().is_some_and(|array| array.is_empty()) {
            problems.error(
                value.span().start,
                "'all' allows no region at all; leave it out to allow every one",
            );
        }
        lists.all = Some(patterns);
        return;
    }
    match service(name) {
        Ok(service) if lists.by_service.iter().any(|(known, _)| *known == service) => {
            problems.error(
                key.span().start,
                format!("{service} has a list already; make one of both"),
            );
        }
        Ok(service) => lists.by_service.push((service, patterns)),
        Err(message) => problems.error(
            key.span().start,
            format!("[regions] has 'all', services and accounts as keys; {message}"),
        ),
    }
}

fn accounts<'a>(value: &'a Value<'a>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (key, value) in table("accounts", value, problems).into_iter().flatten() {
        let id = key.get_ref().as_ref();
        if let Err(message) = account(id) {
            problems.error(key.span().start, message);
        }
        names.insert(id.to_owned(), text(value, id, problems).unwrap_or_default());
    }
    names
}

fn builtin<'a>(value: &'a Value<'a>, problems: &mut Problems<'_>) -> Vec<(Builtin, Rule)> {
    let ids = Builtin::ALL.map(Builtin::id);
    let mut disabled = Vec::new();
    if let Some(table) = table("builtin", value, problems) {
        let mut section = Section::open("[builtin]", value.span().start, table, &[], &["disable"], problems);
        disabled = section.list("disable", |id| {
            Builtin::ALL
                .into_iter()
                .find(|b| b.id() == id)
                .ok_or_else(|| format!("'{}' is no rule that ships{}", bounded(id, 60), suggestion(id, &ids)))
        });
    }
    let in_force = Builtin::ALL.into_iter().filter(|b| !disabled.contains(b));
    in_force.map(|b| (b, b.rule())).collect()
}

/// # Errors
/// No service of that name is watched.
fn service(text: &str) -> Result<Service, String> {
    let names: Vec<&str> = Service::ALL.iter().map(|s| s.name()).collect();
    text.parse().map_err(|_| {
        format!(
            "'{}' is no service that is watched{}",
            bounded(text, 60),
            suggestion(text, &names)
        )
    })
}

/// # Errors
/// It has not the form of an account's id.
fn account(text: &str) -> Result<String, String> {
    if is_account(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "'{}' is no account: twelve digits in quotes, as in \"111122223333\"",
        bounded(text, 60)
    ))
}

/// A region, or a pattern for regions: its form only, since AWS opens new ones.
///
/// # Errors
/// It could be no region.
fn region(text: &str) -> Result<Pattern, String> {
    let shown = bounded(text, 60);
    let parts: Vec<&str> = text.split('-').collect();
    let spelled = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*".contains(&b));
    let whole =
        parts.len() >= 3 && parts.iter().all(|part| !part.is_empty()) && text.ends_with(|c: char| c.is_ascii_digit());
    if text.trim_matches(['*', '-']).is_empty() {
        return Err(format!("'{shown}' allows every region; leave the list out"));
    }
    if !spelled || !(whole || text.contains('*')) {
        return Err(format!(
            "'{shown}' is no region; write it as in eu-west-1, or eu-* for all that begin so"
        ));
    }
    Ok(Pattern::new(text))
}

/// # Errors
/// It is no network, or one so wide that nobody can vouch for it.
fn cidr(text: &str) -> Result<IpNet, String> {
    let shown = bounded(text, 60);
    let net = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("'{shown}' is no network; write it as in 203.0.113.0/24 or 2001:db8:7::/48"))?;
    // Our own bound: what is wider holds thousands of strangers beside whoever is meant.
    let widest = if net.addr().is_ipv4() { 8 } else { 16 };
    if net.prefix_len() < widest {
        return Err(format!(
            "'{shown}' is wider than /{widest}: nobody can vouch for it; list the networks that are yours"
        ));
    }
    if net.addr() != net.network() {
        return Err(format!(
            "'{shown}' has bits behind its prefix; did you mean '{}'?",
            net.trunc()
        ));
    }
    Ok(net)
}

/// The words of a reason, as the last part of an id.
fn slug(reason: &str) -> String {
    let words: Vec<String> = reason
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(5)
        .map(str::to_lowercase)
        .collect();
    bounded(&words.join("-"), 40)
}

/// Ids name rules in findings and summaries: two rules with one id would be one.
fn repeated_ids(policy: &PolicyFile, problems: &mut Problems<'_>) {
    let mut seen = HashSet::new();
    let builtin = Builtin::ALL.map(Builtin::id);
    for rule in policy.rules() {
        let Some(line) = rule.line else { continue };
        if builtin.contains(&rule.id.as_str()) || !seen.insert(rule.id.as_str()) {
            problems.error(
                problems.offset(line),
                format!("another rule has the id '{}' too; choose one that is its own", rule.id),
            );
        }
    }
}
