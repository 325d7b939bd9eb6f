//! What is said of a policy that has come into force: whoever adds an exception for a theft leaves a message with those
//! who look.

use tripmeter_findings::subject_line;
use tripmeter_model::bounded;

use super::{Changes, Version};

/// Changes that are told one by one.
const MAX_CHANGES: usize = 40;

/// A message about a policy that has come into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// One line that SNS takes.
    pub subject: String,
    /// The text, for people.
    pub text: String,
}

/// What is said of a version that came into force in the state table `table`.
pub fn announcement(version: &Version, changes: &Changes, table: &str) -> Announcement {
    let Version {
        number,
        pushed_at,
        pushed_by,
        note,
        digest,
        ..
    } = version;
    let mut lines = vec![format!(
        "{pushed_by} put version {number} of Tripmeter's policy in force at {pushed_at}."
    )];
    if !note.is_empty() {
        lines.push(format!("They say: {note}"));
    }
    lines.extend([String::new(), "What changes:".to_owned()]);
    let all = changes.to_string();
    lines.extend(all.lines().take(MAX_CHANGES).map(|line| format!("  {line}")));
    if let Some(more) = all.lines().count().checked_sub(MAX_CHANGES).filter(|more| *more > 0) {
        lines.push(format!("  and {more} more"));
    }
    let digest = format!("The file's digest is {digest}; the table is {table}.");
    let back = match number.saturating_sub(1) {
        0 => "It is the first. If nobody of yours did this, look at who may write the table.".to_owned(),
        before => format!(
            "If nobody of yours did this: tripmeter policy rollback {before} --table {table}, and look at who may \
             write the table."
        ),
    };
    lines.extend([String::new(), digest, back, String::new()]);
    Announcement {
        subject: subject_line(&format!("Tripmeter: policy version {number} in force, by {pushed_by}")),
        text: lines
            .iter()
            .map(|line| bounded(line, 1_500))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use tripmeter_model::Timestamp;

    use super::*;

    fn version(number: u32, by: &str) -> Version {
        Version {
            number,
            text: String::new(),
            pushed_at: Timestamp::from_seconds(1_800_000_000),
            pushed_by: by.into(),
            note: "the spring campaign".into(),
            digest: "5e0f".into(),
        }
    }

    #[test]
    fn who_did_what_why_and_how_to_undo_it_are_told() {
        let changes = Changes::between("", "[regions]\nall = ['eu-west-1']");

        let told = announcement(&version(7, "kim"), &changes, "prod-StateTable-1A");

        assert_eq!(told.subject, "Tripmeter: policy version 7 in force, by kim");
        assert_eq!(
            told.text,
            "kim put version 7 of Tripmeter's policy in force at 2027-01-15T08:00:00Z.\n\
             They say: the spring campaign\n\n\
             What changes:\n  + regions.all: [\"eu-west-1\"]\n\n\
             The file's digest is 5e0f; the table is prod-StateTable-1A.\n\
             If nobody of yours did this: tripmeter policy rollback 6 --table prod-StateTable-1A, and look at who may \
             write the table.\n"
        );
    }

    #[test]
    fn a_flood_of_changes_is_cut_and_counted_and_a_hostile_name_is_harmless() {
        let regions: Vec<String> = (0..100).map(|n| format!("x{n} = 'name'")).collect();
        let regions = regions.join("\n");
        let changes = Changes::between("", &format!("[accounts]\n{regions}"));

        let told = announcement(&version(1, "kim\r\nBcc: all\u{1b}"), &changes, "t");

        assert!(told.text.contains("and 60 more"));
        assert!(told.subject.is_ascii() && !told.subject.contains(['\r', '\n']));
        assert!(!told.text.contains('\u{1b}'));
    }
}
