//! A finding, told: as OCSF for machines, as text for people, with what it costs and what to do first.
//!
//! Everything here is a pure function of a [`Finding`](tripmeter_model::Finding). What a record said is
//! attacker-controlled: it is shown in a form that does nothing in a terminal, a mail or a page, and it goes into a
//! command only where it is made of what names in AWS are made of.

mod containment;
mod cost;
mod headline;
mod ocsf;
pub mod prices;
mod shell;
mod text;
mod words;

pub use containment::{Step, containment};
pub use cost::{Cost, MicroDollars, cost};
pub use headline::{headline, title};
pub use ocsf::{OCSF_VERSION, ocsf};
pub use shell::Command;
pub use text::text;

/// The runbook of a family of findings, as a path from the project's root.
///
/// ```
/// use tripmeter_model::Family;
/// assert_eq!(tripmeter_findings::runbook(Family::Hijack), "docs/runbooks/hijack.md");
/// ```
pub fn runbook(family: tripmeter_model::Family) -> String {
    format!("docs/runbooks/{}.md", family.slug())
}
