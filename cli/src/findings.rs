//! `tripmeter findings`: what a deployed detector has found, and what people say of it.

mod show;

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use tripmeter_aws::config::{Clients, clients};
use tripmeter_aws::findings::{Change, Filter, FindingsError, FindingsTable, Mark, Page, Stored, Unreadable};
use tripmeter_model::{Family, FindingType, Service, Severity, Status, Tactic, Timestamp, bounded};

use crate::audit::OnWord;
use crate::cloud::{self, Endpoint};
use crate::{args, failure, terminal, words};

const EXAMPLES: &str = "\
Examples:
  tripmeter findings list --table prod-FindingsTable-1A2B3C --min-severity high --status open
  tripmeter findings show 8a6f21 --table ...            all of one, by how its id begins
  tripmeter findings expect 8a6f21 --table ... --note 'the spring campaign'
  tripmeter findings close 8a6f21 --table ... --note 'key revoked, user deleted'

The table is the stack's output FindingsTable. Credentials and region are those of the AWS CLI:
AWS_PROFILE, AWS_REGION. Exit: 0 done, 2 not found, changed meanwhile, or the table does not answer.";

/// What is asked of the findings.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Findings {
    /// List findings, latest first
    List(List),
    /// Show all of one finding
    Show(Show),
    /// Say that a finding was to be expected: its use is learned as normal
    Expect(Say),
    /// Say that a finding is dealt with
    Close(Say),
}

/// Where the findings are.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The findings table: the stack's output FindingsTable
    #[arg(long, value_name = "NAME")]
    table: String,

    #[command(flatten)]
    endpoint: Endpoint,
}

#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,

    /// Only of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// Only what is at least low, medium, high or critical
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,

    /// Only of a type or a family, as in Impact:SES/Hijack or Hijack
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    kind: Option<Type>,

    /// Only on this service, as in SES or Bedrock
    #[arg(long, value_name = "SERVICE")]
    service: Option<Service>,

    /// Only what is open, or closed
    #[arg(long, value_name = "open|closed", hide_possible_values = true)]
    status: Option<Standing>,

    /// Only with something since: a date (UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = args::from_time)]
    since: Option<Timestamp>,

    /// Also what a rule of the policy keeps quiet
    #[arg(long)]
    suppressed: bool,

    /// Also what is kept quiet while the account is learned
    #[arg(long)]
    held: bool,

    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,

    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The finding's id, or how it begins
    #[arg(value_name = "ID")]
    uid: String,

    #[command(flatten)]
    place: Place,

    /// As one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Say {
    /// The finding's id, or how it begins
    #[arg(value_name = "ID")]
    uid: String,

    #[command(flatten)]
    place: Place,

    #[command(flatten)]
    word: OnWord,

    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// A whole type, or a family on any service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Whole(FindingType),
    Family(Family),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Standing {
    Open,
    Closed,
}

/// Runs it.
pub(crate) fn run(command: &Findings) -> anyhow::Result<ExitCode> {
    match command {
        Findings::List(args) => cloud::run(list(args)),
        Findings::Show(args) => cloud::run(show(args)),
        Findings::Expect(args) => cloud::run(say(args, Mark::Expected)),
        Findings::Close(args) => cloud::run(say(args, Mark::Closed)),
    }
}

async fn list(args: &List) -> anyhow::Result<ExitCode> {
    let table = args.place.open().await?;
    let page = table.list(&args.filter(), usize::from(args.limit)).await?;
    let mut text = String::new();
    if args.json {
        for stored in &page.findings {
            writeln!(text, "{}", show::json(stored))?;
        }
    } else if page.findings.is_empty() {
        text.push_str("no finding\n");
    } else {
        text = show::table(&page.findings);
    }
    terminal::print(&text)?;
    warn(&page.unreadable);
    if page.more {
        let shown = words::counted(u64::from(args.limit), "finding");
        terminal::say(&format!(
            "tripmeter: there are more than {shown}: narrow the list, or raise --limit\n"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &Show) -> anyhow::Result<ExitCode> {
    let stored = args.place.open().await?.find(&args.uid).await?;
    let text = if args.json {
        format!("{:#}\n", show::json(&stored))
    } else {
        show::text(&stored)
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

async fn say(args: &Say, mark: Mark) -> anyhow::Result<ExitCode> {
    let by = args.word.by()?;
    let table = args.place.open().await?;
    let stored = table.find(&args.uid).await?;
    let change = Change::new(mark, &by, cloud::now(), &args.word.note);
    let marked = table.mark(&stored, &change).await?;
    let text = if args.json {
        format!("{:#}\n", show::json(&marked))
    } else {
        show::said(&marked, &change)
    };
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn warn(unreadable: &[Unreadable]) {
    for unreadable in unreadable {
        terminal::say(&format!("tripmeter: {}\n", bounded(&unreadable.to_string(), 1_024)));
    }
}

impl List {
    fn filter(&self) -> Filter {
        Filter {
            account: self.account.clone(),
            uid: None,
            severity: self.min_severity,
            finding_type: self.kind.and_then(|kind| match kind {
                Type::Whole(finding_type) => Some(finding_type),
                Type::Family(_) => None,
            }),
            family: self.kind.and_then(|kind| match kind {
                Type::Whole(_) => None,
                Type::Family(family) => Some(family),
            }),
            service: self.service,
            status: self.status.map(|status| match status {
                Standing::Open => Status::Open,
                Standing::Closed => Status::Closed,
            }),
            since: self.since,
            mark: None,
            suppressed: self.suppressed,
            held: self.held,
        }
    }
}

/// The findings table, and what its failures mean.
struct Opened {
    findings: FindingsTable,
    clients: Clients,
}

impl Place {
    async fn open(&self) -> anyhow::Result<Opened> {
        let clients = clients(self.endpoint.endpoint_url.as_deref()).await?;
        Ok(Opened {
            findings: FindingsTable::new(clients.dynamodb.clone(), &self.table),
            clients,
        })
    }
}

impl Opened {
    async fn list(&self, filter: &Filter, limit: usize) -> anyhow::Result<Page> {
        self.findings
            .list(filter, limit)
            .await
            .map_err(|error| self.explained(error))
    }

    async fn mark(&self, stored: &Stored, change: &Change) -> anyhow::Result<Stored> {
        self.findings
            .mark(stored, change)
            .await
            .map_err(|error| self.explained(error))
    }

    /// The one finding whose id begins so.
    async fn find(&self, uid: &str) -> anyhow::Result<Stored> {
        let filter = Filter {
            uid: Some(uid.to_owned()),
            suppressed: true,
            held: true,
            ..Filter::default()
        };
        let page = self.list(&filter, 2).await?;
        if let Some(unreadable) = page.unreadable.into_iter().next() {
            return Err(unreadable.into());
        }
        let shown = bounded(uid, 64);
        let mut found = page.findings.into_iter();
        match (found.next(), found.next()) {
            (Some(stored), None) => Ok(stored),
            (None, _) => bail!("there is no finding {shown}"),
            (Some(_), Some(_)) => bail!("several findings' ids begin with {shown}: give more of it"),
        }
    }

    fn explained(&self, error: FindingsError) -> anyhow::Error {
        match error {
            FindingsError::Table(failure) => failure::explained(failure, self.findings.name(), &self.clients),
            error => error.into(),
        }
    }
}

fn kind(text: &str) -> Result<Type, String> {
    let family = |name: &str| {
        let mut all = Family::ALL.iter().copied();
        let found = all.find(|family| family.name().eq_ignore_ascii_case(name) || family.slug() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
            format!(
                "'{}' is no family of findings; one of {}",
                bounded(name, 40),
                names.join(", ")
            )
        })
    };
    let Some((tactic, rest)) = text.split_once(':') else {
        return family(text).map(Type::Family);
    };
    let tactics = [
        Tactic::Discovery,
        Tactic::Persistence,
        Tactic::DefenseEvasion,
        Tactic::CredentialAccess,
        Tactic::Impact,
    ];
    let tactic = tactics
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(tactic));
    let parts = tactic.zip(rest.split_once('/'));
    let (tactic, (service, name)) = parts.ok_or("wanted a type as in Impact:SES/Hijack, or a family as in Hijack")?;
    Ok(Type::Whole(FindingType {
        tactic,
        service: service.parse()?,
        family: family(name)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_whole_or_as_its_family() {
        let hijack = FindingType {
            tactic: Tactic::Impact,
            service: Service::Ses,
            family: Family::Hijack,
        };

        assert_eq!(kind(&hijack.to_string()), Ok(Type::Whole(hijack)));
        assert_eq!(kind("hijack"), Ok(Type::Family(Family::Hijack)));
        assert_eq!(kind("limit-probe"), Ok(Type::Family(Family::LimitProbe)));
        for wrong in ["", "Theft", "Impact:SES", "Impact:Mail/Hijack", "Sabotage:SES/Hijack"] {
            assert!(kind(wrong).is_err(), "{wrong}");
        }
    }
}
