//! Reads what CloudWatch counts, and tells what it counted since.
//!
//! Every few minutes the last hours are read anew, since points come late and grow: what a period has more than was told
//! is told, once ([`tripmeter_aws::increments`]). Each region is read by itself, so that one which does not answer holds
//! up no other.

mod query;
mod series;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Region;
use aws_sdk_cloudwatch::error::DisplayErrorContext;
use tripmeter_aws::detector::{Detector, JudgeError};
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::increments::{Increment, Increments, Reading, Take, TellError, Told};
use tripmeter_aws::state::Outcome;
use tripmeter_catalogue::signals::metrics::{Meter, Place};
use tripmeter_model::{Activity, HOUR, Timestamp, bounded};

pub use self::query::PERIOD_SECONDS;
use self::series::Points;

/// How far back is read anew: a late point is worth as much as the engine takes late.
const REREAD_SECONDS: i64 = 3 * HOUR;

/// What was told of a region.
#[derive(Debug, Default)]
pub struct Report {
    /// What came of what was judged.
    pub outcomes: Vec<Outcome>,
    /// How much was told.
    pub told: Told,
    /// Series that CloudWatch gave.
    pub series: u64,
}

/// Why a region was not read to the end. What was not told is told by the next call.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// CloudWatch refused, or did not answer.
    #[error("CloudWatch in {region} does not answer: {why}")]
    Metrics {
        /// The region.
        region: String,
        /// What the SDK says.
        why: String,
    },
    /// It could not be told.
    #[error(transparent)]
    Tell(#[from] TellError<JudgeError>),
}

/// Reads the metrics of a deployment's account.
#[derive(Clone, Debug)]
pub struct Reader {
    account: String,
    regions: Vec<(String, Client)>,
    increments: Increments,
}

impl Reader {
    /// Of an account, in these regions, by what `shared` says otherwise: credentials, how long to wait.
    pub fn new(
        account: &str,
        regions: &[String],
        shared: &SdkConfig,
        dynamodb: aws_sdk_dynamodb::Client,
        state_table: &str,
    ) -> Self {
        let client = |region: &String| {
            let config = shared.to_builder().region(Region::new(region.clone())).build();
            (region.clone(), Client::new(&config))
        };
        Self {
            account: account.to_owned(),
            regions: regions.iter().map(client).collect(),
            increments: Increments::new(dynamodb, state_table, "metrics", REREAD_SECONDS + HOUR),
        }
    }

    /// Reads every region, and judges what is new.
    pub async fn read(
        &self,
        detector: &Detector,
        exceptions: &Exceptions,
        now: Timestamp,
    ) -> Vec<Result<Report, ReadError>> {
        let mut reports = Vec::new();
        for (region, client) in &self.regions {
            reports.push(self.read_region(region, client, detector, exceptions, now).await);
        }
        reports
    }

    async fn read_region(
        &self,
        region: &str,
        client: &Client,
        detector: &Detector,
        exceptions: &Exceptions,
        now: Timestamp,
    ) -> Result<Report, ReadError> {
        let points = points(client, now).await.map_err(|why| ReadError::Metrics {
            region: region.to_owned(),
            why,
        })?;
        let mut taker = Judging {
            account: &self.account,
            detector,
            exceptions,
            now,
            outcomes: Vec::new(),
        };
        let readings = points.readings(region);
        let told = self.increments.tell(&readings, &mut taker, now).await?;
        Ok(Report {
            outcomes: taker.outcomes,
            told,
            series: points.series(),
        })
    }
}

/// Every point of the last hours, page by page.
async fn points(client: &Client, now: Timestamp) -> Result<Points, String> {
    let period_of = |time: Timestamp| time.seconds().div_euclid(PERIOD_SECONDS) * PERIOD_SECONDS;
    // The period that goes on is read as far as it is counted; the end is not part of what is asked for.
    let (begin, end) = (period_of(now.plus(-REREAD_SECONDS)), period_of(now) + PERIOD_SECONDS);
    let mut points = Points::default();
    let mut token = None;
    loop {
        let page = client
            .get_metric_data()
            .set_metric_data_queries(Some(query::all()))
            .start_time(aws_sdk_cloudwatch::primitives::DateTime::from_secs(begin))
            .end_time(aws_sdk_cloudwatch::primitives::DateTime::from_secs(end))
            .scan_by(aws_sdk_cloudwatch::types::ScanBy::TimestampAscending)
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| bounded(&DisplayErrorContext(error).to_string(), 512))?;
        for result in page.metric_data_results() {
            points.add(result);
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(points);
        }
    }
}

/// Takes increments as activities, and judges them.
struct Judging<'a> {
    account: &'a str,
    detector: &'a Detector,
    exceptions: &'a Exceptions,
    now: Timestamp,
    outcomes: Vec<Outcome>,
}

impl Take for Judging<'_> {
    type Error = JudgeError;

    async fn take(&mut self, increments: &[Increment]) -> Result<(), JudgeError> {
        let activities: Vec<Activity> = increments
            .iter()
            .filter_map(|one| activity(one, self.account))
            .collect();
        if !activities.is_empty() {
            let judged = self
                .detector
                .judge(self.account, &activities, true, self.exceptions, self.now)
                .await?;
            self.outcomes.push(judged);
        }
        Ok(())
    }
}

/// A part of a reading is a region and a meter.
fn part(region: &str, meter: &Meter) -> String {
    format!("{region}/{}", meter.name)
}

fn activity(increment: &Increment, account: &str) -> Option<Activity> {
    let (region, name) = increment.part.split_once('/')?;
    let place = Place {
        account,
        region,
        begins: increment.bucket,
    };
    let meter = Meter::named(name)?;
    Some(meter.counted(&place, &increment.key, increment.more.quantity(), &increment.event_id))
}

impl Points {
    /// What was read, as totals by meter and period.
    fn readings(&self, region: &str) -> Vec<Reading> {
        let mut readings: BTreeMap<(String, Timestamp), Reading> = BTreeMap::new();
        for (meter, key, begins, amount) in self.totals() {
            let part = part(region, meter);
            let reading = readings.entry((part.clone(), begins)).or_insert_with(|| Reading {
                part,
                bucket: begins,
                totals: BTreeMap::new(),
            });
            reading.totals.insert(key.to_owned(), amount);
        }
        readings.into_values().collect()
    }
}
