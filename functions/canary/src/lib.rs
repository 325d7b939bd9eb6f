//! Proves that records still arrive.
//!
//! In each watched region a round makes two harmless reads and looks whether those of the round before were heard;
//! what that proves and what it does not is in `docs/blindness.md`. A round is written down before it is flown and
//! settled from what is written, so an invocation that is repeated, comes twice at once or dies halfway loses
//! nothing and doubles nothing.

mod ask;
mod metrics;
mod outage;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use anyhow::bail;
use aws_config::SdkConfig;
use tokio::task::JoinSet;
use tripmeter_aws::canary::{Call, Canary as Book, Millis, Quota, Region, Standing, Turn};
use tripmeter_aws::config::Config;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_detect::Mode;
use tripmeter_model::Finding;

pub use crate::ask::{Door, Unanswered};

/// Where its findings say that their episode lies: in the canary's book.
const PART: &str = "canary";

/// The canary: where it calls, and what it writes in.
#[derive(Clone, Debug)]
pub struct Canary {
    /// The account that it calls in.
    pub account: String,
    /// What it sent and what was heard.
    pub book: Book,
    /// Where a region that is lost is said to be.
    pub findings: FindingsTable,
    /// Why a finding is stored and published to nobody, where the deployment only observes.
    pub held: Option<&'static str>,
    /// Every watched region.
    pub doors: Vec<Door>,
}

/// What became of a round in one region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Misses in a row, the most of all calls.
    pub misses: u32,
    /// From event time to our hearing it, the longest of what was heard in the round before: milliseconds.
    pub delay: Option<i64>,
    /// Calls that had no answer: no miss, but worth knowing.
    pub unanswered: Vec<(Call, Unanswered)>,
    /// How many of them were answered in earlier rounds: somebody may have denied them to the canary, while a region
    /// that lacks a service never answered.
    pub no_longer: u32,
    /// Whether the region is lost.
    pub is_lost: bool,
}

impl Canary {
    /// As the environment says, in the stack's own region and those that it lists.
    pub fn deployed(config: &Config, aws: &SdkConfig, dynamodb: aws_sdk_dynamodb::Client) -> Self {
        let regions: BTreeSet<&String> = config.regions.iter().chain([&config.region]).collect();
        let findings = FindingsTable::new(dynamodb.clone(), &config.findings_table);
        Self {
            // The stack's topic is in the stack's account.
            account: config.findings_topic.split(':').nth(4).unwrap_or_default().to_owned(),
            book: Book::new(dynamodb, &config.state_table),
            findings: findings.keeping(config.retention_days),
            held: (config.settings.mode == Mode::Observe).then_some("the deployment only observes"),
            doors: regions.into_iter().map(|region| Door::new(aws, region)).collect(),
        }
    }

    /// Flies one round, and tells CloudWatch and the log how it went.
    ///
    /// # Errors
    /// As [`Canary::round`].
    pub async fn handle(self: &Arc<Self>, stack: &str, now: Millis) -> anyhow::Result<()> {
        let reports = self.round(now).await?;
        for (region, report) in &reports {
            if report.is_lost {
                tracing::error!(region, misses = report.misses, "records of the region do not arrive");
            }
            for (call, why) in &report.unanswered {
                tracing::warn!(
                    region,
                    call = call.name(),
                    code = why.code,
                    why = why.message,
                    "no answer, so no miss"
                );
            }
        }
        let mut out = std::io::stdout().lock();
        for document in metrics::documents(stack, &reports, now) {
            writeln!(out, "{document}")?;
        }
        Ok(())
    }

    /// Flies one round in every region at once. One region's failure keeps no other from its round.
    ///
    /// # Errors
    /// When a table does not answer: the round is to be invoked again.
    pub async fn round(self: &Arc<Self>, now: Millis) -> anyhow::Result<BTreeMap<String, Report>> {
        let mut written = self.book.regions().await?;
        let mut flights = JoinSet::new();
        for door in &self.doors {
            let (canary, door) = (Arc::clone(self), door.clone());
            let region = written.remove(door.region()).unwrap_or_default();
            flights.spawn(async move {
                let report = canary.fly(&door, region, now).await;
                (door.region().to_owned(), report)
            });
        }
        let mut reports = BTreeMap::new();
        let mut failed = Vec::new();
        while let Some(flight) = flights.join_next().await {
            match flight {
                Ok((region, Ok(report))) => _ = reports.insert(region, report),
                Ok((region, Err(error))) => failed.push(format!("{region}: {error:#}")),
                Err(ended) => failed.push(ended.to_string()),
            }
        }
        for (region, left) in &written {
            self.leave(region, left, now).await?;
        }
        if !failed.is_empty() {
            bail!("no whole round in {}", failed.join("; "));
        }
        Ok(reports)
    }

    async fn fly(&self, door: &Door, mut region: Region, now: Millis) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let mut due = Vec::new();
        for call in Call::ALL {
            let before = region.watches.get(&call).copied().unwrap_or_default();
            match before.turn(now) {
                Turn::Rest => {}
                Turn::Again => due.push(call),
                Turn::Next(next) => {
                    report.delay = report.delay.max(before.delay());
                    if self.book.sending(door.region(), call, &before, &next).await? {
                        region.watches.insert(call, next);
                        due.push(call);
                    }
                }
            }
        }
        report.misses = region.misses();
        report.is_lost = self.settle(door.region(), &region, now).await?;
        for call in due {
            match door.ask(call).await {
                Ok(limit) => {
                    self.book.answered(door.region(), call, now).await?;
                    let quota = Quota {
                        region: door.region().to_owned(),
                        limit,
                        seen_at: now,
                    };
                    self.book.keep(&self.account, &quota).await?;
                }
                Err(unanswered) => {
                    let watch = region.watches.get(&call);
                    report.no_longer += u32::from(watch.is_some_and(|watch| watch.answered_at.is_some()));
                    report.unanswered.push((call, unanswered));
                }
            }
        }
        Ok(report)
    }

    /// Says that a region is lost, or heard again. The outage is written before its finding and forgotten after it,
    /// and a finding that is there already stays: so it does not matter how far an earlier try came.
    async fn settle(&self, name: &str, region: &Region, now: Millis) -> anyhow::Result<bool> {
        match region.standing() {
            Standing::Heard => Ok(false),
            Standing::Lost(outage) => {
                self.book.lost(name, &outage).await?;
                self.say(&outage::opened(&self.account, name, &outage, now)).await?;
                Ok(true)
            }
            Standing::HeardAgain(outage) => {
                self.say(&outage::closed(&self.account, name, &outage, now)).await?;
                self.book.found(name).await?;
                Ok(false)
            }
        }
    }

    /// Forgets a region that is watched no longer: nobody would ever close its finding.
    async fn leave(&self, name: &str, region: &Region, now: Millis) -> anyhow::Result<()> {
        if let Some(outage) = &region.outage {
            self.say(&outage::closed(&self.account, name, outage, now)).await?;
        }
        Ok(self.book.forget(name).await?)
    }

    async fn say(&self, finding: &Finding) -> anyhow::Result<()> {
        self.findings.put(finding, PART, self.held, finding.time).await?;
        Ok(())
    }
}
