//! A diagnosis for people: what is missing, gravest first, then what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use tripmeter_doctor::{Diagnosis, Gap, NotLooked, Powers, Proposal, Repair, ServiceUse};
use tripmeter_findings::Command;
use tripmeter_model::{Severity, bounded};

use crate::table::Table;
use crate::terminal::{HEADING, severity_style};
use crate::words::counted;

/// The widest line, in characters.
const WIDTH: usize = 100;
/// Where what is said of a gap begins, below its name.
const INDENT: usize = 11;
/// The longest name of an owner that is shown, in bytes.
const LONGEST_OWNER: usize = 30;

/// All of it.
pub(super) fn text(diagnosis: &Diagnosis) -> String {
    let mut text = head(diagnosis);
    for gap in &diagnosis.gaps {
        text.push('\n');
        tell(&mut text, gap, diagnosis);
    }
    services(&mut text, &diagnosis.services);
    if let Some(powers) = &diagnosis.powers {
        identities(&mut text, powers);
    }
    proposal(&mut text, &diagnosis.proposal);
    not_looked(&mut text, &diagnosis.not_looked);
    text
}

fn head(diagnosis: &Diagnosis) -> String {
    let name = diagnosis
        .account_name
        .as_ref()
        .map(|name| format!(" ({})", bounded(name, 60)));
    let regions = counted(diagnosis.regions.len() as u64, "region");
    let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
    for gap in &diagnosis.gaps {
        *by_severity.entry(gap.severity).or_default() += 1;
    }
    let counts = by_severity
        .iter()
        .rev()
        .map(|(severity, n)| format!("{n} {}", severity.name().to_lowercase()));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let gaps = match diagnosis.gaps.len() as u64 {
        0 => "No gap was found".to_owned(),
        n => format!("{}: {counts}", counted(n, "gap")),
    };
    format!(
        "Account {}{} with its detector in {}, {regions} looked at\n{gaps}\n",
        diagnosis.account,
        name.unwrap_or_default(),
        bounded(&diagnosis.hub, 40)
    )
}

fn tell(text: &mut String, gap: &Gap, diagnosis: &Diagnosis) {
    let style = severity_style(gap.severity);
    let severity = gap.severity.name().to_uppercase();
    let _ = writeln!(text, "{style}{severity:<8}{style:#}  {HEADING}{}{HEADING:#}", gap.id);
    wrapped(text, "", &gap.missing, 2);
    if !gap.regions.is_empty() {
        wrapped(text, "where", &places(&gap.regions, &diagnosis.regions), INDENT);
    }
    wrapped(text, "unseen", gap.id.unseen(), INDENT);
    if !gap.evidence.is_empty() {
        wrapped(text, "seen by", &evidence(gap), INDENT);
    }
    for (n, step) in gap.repair.iter().enumerate() {
        let label = if n == 0 { "repair" } else { "" };
        match step {
            Repair::Run { command, undo } => {
                pasted(text, label, command);
                pasted(text, "undo", undo);
            }
            Repair::Look(command) => pasted(text, "look", command),
            Repair::Do(what) => wrapped(text, label, what, INDENT),
        }
    }
    wrapped(text, "source", gap.id.source(), INDENT);
}

/// A command as it is: cut, it would be another one.
fn pasted(text: &mut String, label: &str, command: &Command) {
    for (n, line) in command.lines(WIDTH - INDENT).iter().enumerate() {
        let label = if n == 0 { label } else { "" };
        let _ = writeln!(text, "  {label:<9}{line}");
    }
}

fn places(regions: &[String], all: &[String]) -> String {
    if all.len() > 1 && all.iter().all(|region| regions.contains(region)) {
        return "every region that was looked at".to_owned();
    }
    regions.join(", ")
}

fn evidence(gap: &Gap) -> String {
    let named = gap.evidence.join(", ");
    match gap.evidence_in_all - gap.evidence.len() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn services(text: &mut String, services: &[ServiceUse]) {
    let mut table = Table::new(["SERVICE", "MOST A DAY", "OWNER", "SEEN IN"]);
    for used in services {
        let peak = used.peak_day.map(crate::words::count);
        let owner = used.owner.as_ref().map(|owner| bounded(owner, LONGEST_OWNER));
        let regions: Vec<&str> = used.regions.iter().map(String::as_str).collect();
        let seen = match regions.as_slice() {
            [] => "nowhere".to_owned(),
            few if few.len() <= 3 => few.join(", "),
            many => counted(many.len() as u64, "region"),
        };
        table.row([
            used.service.name(),
            peak.as_deref().unwrap_or("-"),
            owner.as_deref().unwrap_or("-"),
            &seen,
        ]);
    }
    let _ = write!(text, "\n{HEADING}Services that spend{HEADING:#}\n{table}");
}

fn identities(text: &mut String, powers: &Powers) {
    let spend = powers.of.iter().filter(|power| !power.spends.is_empty()).count();
    let change = powers.of.iter().filter(|power| !power.changes.is_empty()).count();
    let _ = writeln!(text, "\n{HEADING}Users and roles{HEADING:#}");
    let words = format!(
        "Of them {spend} may spend on these services, {change} may lift their limits, and {} may do everything. Read \
         from policies alone: resources, conditions, session policies and those of the organisation may leave them less. \
         --output json names them.",
        powers.administrators.len()
    );
    wrapped(text, "", &words, 0);
}

fn proposal(text: &mut String, proposal: &Proposal) {
    if !proposal.policy.is_empty() {
        let _ = writeln!(text, "\n{HEADING}Proposed for the policy file{HEADING:#}");
        for line in proposal.policy.lines() {
            broken_at_commas(text, line);
        }
    }
    if !proposal.parameters.is_empty() {
        let _ = writeln!(text, "\n{HEADING}Proposed parameters of the stack{HEADING:#}");
        for (name, value) in &proposal.parameters {
            broken_at_commas(text, &format!("{name}={value}"));
        }
    }
}

/// A list that is too long for a line goes on in the next.
fn broken_at_commas(text: &mut String, line: &str) {
    let mut length = 0;
    for part in bounded(line, 4_000).split_inclusive(',') {
        let part_length = part.chars().count();
        if length > 0 && length + part_length > WIDTH {
            text.push_str("\n  ");
            length = 2;
        }
        text.push_str(part);
        length += part_length;
    }
    text.push('\n');
}

fn not_looked(text: &mut String, notes: &[NotLooked]) {
    if notes.is_empty() {
        return;
    }
    let mut regions: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for note in notes {
        let of = regions.entry((&note.what, &note.why)).or_default();
        of.extend(note.region.as_deref());
    }
    let _ = writeln!(text, "\n{HEADING}Not looked at{HEADING:#}");
    for ((what, why), regions) in regions {
        let regions: Vec<&str> = regions.into_iter().collect();
        let place = match regions.as_slice() {
            [] => String::new(),
            few if few.len() <= 3 => format!(" in {}", few.join(", ")),
            many => format!(" in {}", counted(many.len() as u64, "region")),
        };
        wrapped(text, "", &format!("{what}{place}: {why}"), 2);
    }
}

/// Writes words after a label, with every line below where the first began.
fn wrapped(text: &mut String, label: &str, words: &str, indent: usize) {
    let margin = " ".repeat(indent);
    let mut line = if label.is_empty() {
        margin.clone()
    } else {
        format!("  {label:<width$}", width = indent.saturating_sub(2))
    };
    let mut length = indent;
    for word in bounded(words, 4_000).split_whitespace() {
        // A word that no line holds is cut: names of AWS may be longer than that.
        for piece in pieces(word, WIDTH - indent) {
            let wide = piece.chars().count();
            if length > indent && length + 1 + wide > WIDTH {
                let _ = writeln!(text, "{}", line.trim_end());
                line.clone_from(&margin);
                length = indent;
            }
            if length > indent {
                line.push(' ');
                length += 1;
            }
            line.push_str(&piece);
            length += wide;
        }
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(width).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use tripmeter_doctor::{Budget, Inventory, Terms, examine};
    use tripmeter_model::NoPolicy;

    use super::*;

    fn told(change: impl FnOnce(&mut Inventory)) -> String {
        let mut inventory = Inventory {
            account: "111122223333".to_owned(),
            partition: "aws".to_owned(),
            hub: "eu-west-1".to_owned(),
            trails: Some(Vec::new()),
            ..Inventory::default()
        };
        let regions = ["eu-west-1", "us-east-1"].map(|name| (name.to_owned(), tripmeter_doctor::Region::default()));
        inventory.regions = regions.into();
        change(&mut inventory);
        let text = text(&examine(&inventory, &NoPolicy, &Terms::default()));
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_gap_is_told_with_what_cannot_be_seen_and_how_to_repair_it() {
        let text = told(|_| {});

        for words in [
            "1 gap: 1 critical",
            "CRITICAL  trail-missing",
            "where    every region that was looked at",
            "repair   aws cloudformation deploy",
            "undo     aws cloudformation delete-stack",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn every_line_fits_a_hundred_columns_whatever_names_people_chose() {
        let hostile = format!("\u{1b}[2J\r\n{}\u{202e} \u{7}{}", "x".repeat(300), "word ".repeat(80));
        let text = told(|inventory| {
            inventory.budgets = Some(vec![Budget {
                name: hostile.clone(),
                subscribers: Some(Vec::new()),
                ..Budget::default()
            }]);
            inventory.not_looked.push(NotLooked {
                what: "ses:GetAccount".to_owned(),
                region: Some("eu-west-1".to_owned()),
                why: hostile.clone(),
            });
        });

        // A command is pasted: it is broken before an option, and nowhere else.
        let prose = text.lines().filter(|line| !line.trim_start().starts_with("--"));
        for line in prose {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        assert!(
            !text.contains(|c: char| c != '\n' && !tripmeter_model::printable(c)),
            "{text:?}"
        );
    }

    #[test]
    fn what_was_not_looked_at_is_said_once_for_all_its_regions() {
        let text = told(|inventory| {
            for region in ["eu-west-1", "us-east-1"] {
                inventory.not_looked.push(NotLooked {
                    what: "ses:GetAccount".to_owned(),
                    region: Some(region.to_owned()),
                    why: "denied".to_owned(),
                });
            }
        });

        assert!(
            text.ends_with("Not looked at\n  ses:GetAccount in eu-west-1, us-east-1: denied\n"),
            "{text}"
        );
    }
}
