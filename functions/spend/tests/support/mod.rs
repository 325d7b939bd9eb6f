//! A detector on a local table, and as much of CloudWatch as is asked, on a port of this machine.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(
    clippy::indexing_slicing,
    reason = "what fails here fails the test that asked for it"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_smithy_cbor::Encoder;
use aws_smithy_types::DateTime;
use tripmeter_aws::canary::Canary;
use tripmeter_aws::detector::Detector;
use tripmeter_aws::findings::FindingsTable;
use tripmeter_aws::own::OwnCalls;
use tripmeter_aws::state::State;
use tripmeter_aws::testing::{Local, http};
use tripmeter_catalogue::signals::metrics::METERS;
use tripmeter_detect::Settings;

pub(crate) const ACCOUNT: &str = "111122223333";

pub(crate) fn detector(local: &Local) -> Detector {
    let client = local.dynamodb();
    Detector {
        home: ACCOUNT.into(),
        state: State::new(client.clone(), local.state_table(), findings(local)),
        canary: Canary::new(client, local.state_table()),
        own: OwnCalls::default(),
        scope: tripmeter_aws::scope("prod", &[]),
        settings: Settings::default(),
    }
}

pub(crate) fn findings(local: &Local) -> FindingsTable {
    FindingsTable::new(local.dynamodb(), local.findings_table())
}

/// The id of the query for a metric.
pub(crate) fn id(metric: &str) -> &'static str {
    let found = METERS.iter().enumerate().find_map(|(m, meter)| {
        let s = meter.series.iter().position(|series| series.metric == metric)?;
        Some(format!("m{m}s{s}"))
    });
    found.unwrap().leak()
}

/// One series of an answer: the query's id, its label, and values at seconds since 1970.
pub(crate) type Series = (&'static str, &'static str, Vec<(i64, f64)>);

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A page, and whether another follows.
    Page(Vec<Series>, Option<&'static str>),
    /// A refusal.
    Denied,
}

/// The service, with the answers that it still has for each region, and the requests that it had.
#[derive(Clone)]
pub(crate) struct CloudWatch {
    endpoint: String,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl CloudWatch {
    pub(crate) async fn start() -> Self {
        let mut cloud_watch = Self {
            endpoint: String::new(),
            answers: Arc::default(),
            asked: Arc::default(),
        };
        let served = cloud_watch.clone();
        cloud_watch.endpoint = http::serve(move |request| served.answer(request)).await;
        cloud_watch
    }

    /// Answers the next requests so, in order.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn config(&self) -> SdkConfig {
        http::config(&self.endpoint)
    }

    fn answer(&self, request: &str) -> http::Answer {
        self.asked.lock().unwrap().push(request.to_owned());
        let (status, body) = match self.answers.lock().unwrap().pop_front() {
            Some(Answer::Page(series, token)) => (200, page(&series, token)),
            Some(Answer::Denied) | None => (403, denied()),
        };
        http::Answer {
            status,
            content_type: "application/cbor",
            headers: &[("smithy-protocol", "rpc-v2-cbor")],
            body,
        }
    }
}

fn page(series: &[Series], token: Option<&str>) -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    cbor.begin_map();
    cbor.str("MetricDataResults").array(series.len());
    for (id, label, points) in series {
        cbor.begin_map();
        cbor.str("Id")
            .str(id)
            .str("Label")
            .str(label)
            .str("StatusCode")
            .str("Complete");
        cbor.str("Timestamps").array(points.len());
        for (at, _) in points {
            cbor.timestamp(&DateTime::from_secs(*at));
        }
        cbor.str("Values").array(points.len());
        for (_, value) in points {
            cbor.double(*value);
        }
        cbor.end();
    }
    if let Some(token) = token {
        cbor.str("NextToken").str(token);
    }
    cbor.end();
    cbor.into_writer()
}

fn denied() -> Vec<u8> {
    let mut cbor = Encoder::new(Vec::new());
    cbor.begin_map();
    cbor.str("__type")
        .str("AccessDenied")
        .str("message")
        .str("not authorized");
    cbor.end();
    cbor.into_writer()
}
