//! A finding, told: as OCSF for machines, as text, mail subject, chat notification and text message for people, with
//! what it costs and what to do first.
//!
//! Everything here is a pure function of a [`Finding`](tripmeter_model::Finding). What a record said is
//! attacker-controlled: it is shown in a form that does nothing in a terminal, a mail or a page, and it goes into a
//! command only where it is made of what names in AWS are made of.

mod chat;
mod containment;
mod cost;
mod headline;
mod ocsf;
pub mod prices;
mod shell;
mod sms;
mod subject;
mod text;
mod words;

pub use chat::chat;
pub use containment::{Step, containment};
pub use cost::{Cost, MicroDollars, cost};
pub use headline::{headline, title};
pub use ocsf::{OCSF_VERSION, ocsf, ocsf_with};
pub use shell::Command;
pub use sms::{MAX_SEPTETS, sms, sms_line};
pub use subject::{MAX_SUBJECT, subject, subject_line};
pub use text::{text, text_with, update};

/// Where the runbooks are in the project: the base of their links where no other is given.
pub const RUNBOOKS: &str = "docs/runbooks";

/// The runbook of a family of findings, as a path from the project's root.
///
/// ```
/// use tripmeter_model::Family;
/// assert_eq!(tripmeter_findings::runbook(Family::Hijack), "docs/runbooks/hijack.md");
/// ```
pub fn runbook(family: tripmeter_model::Family) -> String {
    runbook_at(RUNBOOKS, family)
}

/// The runbook of a family of findings below a base: a path, or the address that they are read at.
///
/// ```
/// use tripmeter_model::Family;
/// let link = tripmeter_findings::runbook_at("https://runbooks.example/", Family::Hijack);
/// assert_eq!(link, "https://runbooks.example/hijack.md");
/// ```
pub fn runbook_at(runbooks: &str, family: tripmeter_model::Family) -> String {
    format!("{}/{}.md", runbooks.trim_end_matches('/'), family.slug())
}
