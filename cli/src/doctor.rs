//! `tripmeter doctor`: which telemetry an account lacks, and what cannot be seen because of it.

mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use aws_config::{Region, SdkConfig};
use clap::Args;
use tripmeter_aws::canary::Canary;
use tripmeter_aws::config::clients;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::policy::Policies;
use tripmeter_aws::state::State;
use tripmeter_detect::ServiceShown;
use tripmeter_doctor::{Inventory, Learned, LearnedUse, NotLooked, Terms, examine};
use tripmeter_model::{Severity, bounded};
use tripmeter_policy::PolicyFile;
use tripmeter_survey::{Wanted, survey};

use crate::args::Format;
use crate::cloud::{self, Endpoint};
use crate::{policy, terminal};

const EXAMPLES: &str = "\
Examples:
  tripmeter doctor                                   look at every region that is on
  tripmeter doctor --table prod-StateTable-1A2B3C    and at what the detector has learned
  tripmeter doctor --regions eu-west-1,us-east-1 --output json
  tripmeter doctor --fail-on high                    exit 1 when a gap is High or worse
  tripmeter doctor --print-policy                    the IAM policy that all of it takes

It reads, and changes nothing. Credentials and region are those of the AWS CLI: AWS_PROFILE, AWS_REGION.
A call that is denied, or a service that is not there, is listed at the end, and fails nothing.
Exit: 0 looked, 1 by --fail-on, 2 no credentials, or AWS cannot be reached.";

/// What is looked at.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Only these regions, and the hub [default: every region that is on]
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    regions: Vec<String>,

    /// The region that the detector is in [default: the environment's]
    #[arg(long, value_name = "REGION")]
    hub: Option<String>,

    /// The state table, the stack's output StateTable: its canary, peaks and policy are looked at
    #[arg(long, value_name = "NAME")]
    table: Option<String>,

    /// The policy file, for owners and regions [default: the one in force, with --table]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    policy: Option<PathBuf>,

    /// text for people, json for machines (docs/doctor.md)
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "text|json"
    )]
    output: Format,

    /// Exit 1 when a gap is at least this severe
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,

    /// Days after which an access key is old
    #[arg(long, value_name = "DAYS", default_value_t = Terms::default().key_days)]
    key_days: u32,

    /// Print the IAM policy with exactly the calls that are made, and look at nothing
    #[arg(long)]
    print_policy: bool,

    #[command(flatten)]
    endpoint: Endpoint,
}

/// Runs it.
pub(crate) fn run(args: &Doctor) -> anyhow::Result<ExitCode> {
    if args.print_policy {
        terminal::print(&format!("{:#}\n", tripmeter_survey::policy(args.table.as_deref())))?;
        return Ok(ExitCode::SUCCESS);
    }
    cloud::run(look(args))
}

async fn look(args: &Doctor) -> anyhow::Result<ExitCode> {
    let (config, hub) = args.speaker().await?;
    let wanted = Wanted {
        hub: hub.clone(),
        stack: args.table.as_deref().and_then(stack).map(str::to_owned),
        regions: (!args.regions.is_empty()).then(|| args.regions.clone()),
        at: cloud::now(),
    };
    let mut inventory = survey(&config, &wanted).await?;
    let deployed = args.table.as_deref().map(|table| Deployed::new(&config, table));
    if let Some(deployed) = &deployed {
        deployed.add_to(&mut inventory).await;
    }
    let policy = match (&args.policy, &deployed) {
        (Some(file), _) => policy::load(Some(file))?,
        (None, Some(deployed)) => deployed.policy(&mut inventory).await,
        (None, None) => PolicyFile::default(),
    };
    let terms = Terms {
        key_days: args.key_days,
        ..Terms::default()
    };
    let diagnosis = examine(&inventory, &policy, &terms);
    let told = match args.output {
        Format::Text => text::text(&diagnosis),
        Format::Json => format!("{:#}\n", diagnosis.to_json()),
    };
    terminal::print(&told)?;
    let failed = args.fail_on.is_some_and(|least| diagnosis.gravest() >= Some(least));
    Ok(ExitCode::from(u8::from(failed)))
}

impl Doctor {
    /// As whom AWS is spoken to, and the region of the detector.
    async fn speaker(&self) -> anyhow::Result<(SdkConfig, String)> {
        let region = clients(self.endpoint.endpoint_url.as_deref()).await?.region;
        let hub = self.hub.clone().unwrap_or(region);
        let config = self.endpoint.sdk_config().await;
        let config = config.to_builder().region(Region::new(hub.clone())).build();
        Ok((config, hub))
    }
}

/// The stack that a table was generated for.
fn stack(table: &str) -> Option<&str> {
    let (stack, _) = table.rsplit_once("-StateTable-")?;
    (!stack.is_empty()).then_some(stack)
}

/// A deployed detector's table.
struct Deployed {
    state: State,
    canary: Canary,
    policies: Policies,
}

impl Deployed {
    fn new(config: &SdkConfig, table: &str) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(config);
        // Nothing is written, so there is no finding to store.
        let findings = FindingsTable::new(dynamodb.clone(), String::new());
        Self {
            state: State::new(dynamodb.clone(), table, findings),
            canary: Canary::new(dynamodb.clone(), table),
            policies: Policies::new(dynamodb, table),
        }
    }

    /// Adds what was learned, or why it could not be read.
    async fn add_to(&self, inventory: &mut Inventory) {
        let learned = match self.learned(&inventory.account).await {
            Ok(learned) => learned,
            Err(error) => return note(inventory, "the detector's state", &error),
        };
        inventory.learned = Some(learned);
    }

    async fn learned(&self, account: &str) -> anyhow::Result<Learned> {
        let canary = self.canary.regions().await?;
        let mut services = BTreeMap::new();
        for (service, body) in self.state.services(account, cloud::now()).await? {
            let shown = ServiceShown::of(service, &body)?;
            let regions = shown.regions.into_iter().map(|region| bounded(&region.value, 32));
            let learned = LearnedUse {
                peak_day: shown.peak_day,
                regions: regions.collect(),
            };
            services.insert(service, learned);
        }
        Ok(Learned {
            services,
            canary: canary
                .iter()
                .map(|(name, region)| (name.clone(), region.misses()))
                .collect(),
        })
    }

    /// The policy in force.
    async fn policy(&self, inventory: &mut Inventory) -> PolicyFile {
        match self.in_force().await {
            Ok(policy) => policy,
            Err(error) => {
                note(inventory, "the policy in force", &error);
                PolicyFile::default()
            }
        }
    }

    async fn in_force(&self) -> anyhow::Result<PolicyFile> {
        let Some(version) = self.policies.current().await? else {
            return Ok(PolicyFile::default());
        };
        Ok(PolicyFile::parse(&version.text)?)
    }
}

fn note(inventory: &mut Inventory, what: &str, error: &anyhow::Error) {
    inventory.not_looked.push(NotLooked {
        what: what.to_owned(),
        region: Some(inventory.hub.clone()),
        why: bounded(&format!("{error:#}"), 300),
    });
}

#[cfg(test)]
mod tests {
    use super::stack;

    #[test]
    fn a_generated_tables_name_begins_with_its_stacks() {
        assert_eq!(stack("prod-StateTable-1A2B3C"), Some("prod"));
        assert_eq!(stack("my-team-prod-StateTable-1A2B3C"), Some("my-team-prod"));
        assert_eq!(stack("state"), None);
        assert_eq!(stack("-StateTable-1A"), None);
    }
}
