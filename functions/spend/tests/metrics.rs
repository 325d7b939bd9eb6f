//! What CloudWatch counts: read page by page, told once, found where it is too much.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test that asked for it")]

mod support;

use aws_sdk_dynamodb::Client;
use support::{ACCOUNT, Answer, CloudWatch, detector, findings, id};
use tripmeter_aws::exceptions::Exceptions;
use tripmeter_aws::testing::Local;
use tripmeter_model::{IdentityKind, Service, Timestamp};
use tripmeter_spend::meters::{PERIOD_SECONDS, Reader, Report};

/// 2026-03-03T10:00:00Z.
const TEN: i64 = 1_772_532_000;

fn now() -> Timestamp {
    Timestamp::from_seconds(TEN + 2 * PERIOD_SECONDS)
}

/// A page with one series: a value for each period from ten o'clock on.
fn page(metric: &str, label: &'static str, values: &[f64]) -> Answer {
    let points = values
        .iter()
        .zip(0..)
        .map(|(value, n)| (TEN + n * PERIOD_SECONDS, *value));
    Answer::Page(vec![(id(metric), label, points.collect())], None)
}

fn reader(cloud_watch: &CloudWatch, local: &Local, regions: &[&str]) -> Reader {
    let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
    let client: Client = local.dynamodb();
    Reader::new(ACCOUNT, &regions, &cloud_watch.config(), client, local.state_table())
}

async fn read(reader: &Reader, local: &Local) -> Vec<Option<Report>> {
    let read = reader.read(&detector(local), &Exceptions::default(), now()).await;
    read.into_iter().map(Result::ok).collect()
}

#[tokio::test]
async fn a_point_is_told_once_and_again_only_by_what_it_grew() {
    let (local, cloud_watch) = (Local::start().await, CloudWatch::start().await);
    let reader = reader(&cloud_watch, &local, &["eu-west-1"]);
    let mut told = Vec::new();
    for values in [[10.0, 20.0], [10.0, 20.0], [10.0, 50.0], [9.0, 50.0]] {
        cloud_watch.will_answer([page("Send", "Send", &values)]);
        told.push(read(&reader, &local).await.remove(0).unwrap().told.new);
    }

    assert_eq!(told, [2, 0, 1, 0]);
}

#[tokio::test]
async fn every_page_is_read() {
    let (local, cloud_watch) = (Local::start().await, CloudWatch::start().await);
    let reader = reader(&cloud_watch, &local, &["eu-west-1"]);
    let first = Answer::Page(vec![(id("Send"), "Send", vec![(TEN, 7.0)])], Some("page-two"));
    let tokens = page("InputTokenCount", "us.amazon.nova-pro-v1:0", &[5_000.0]);
    cloud_watch.will_answer([first, tokens]);

    let report = read(&reader, &local).await.remove(0).unwrap();

    assert_eq!((report.series, report.told.new), (2, 2));
    let asked = cloud_watch.asked.lock().unwrap();
    assert!(asked[0].contains("GetMetricData") && asked[0].contains("SEARCH('{AWS/Bedrock,ModelId}"));
    assert!(!asked[0].contains("page-two") && asked[1].contains("page-two"));
}

#[tokio::test]
async fn a_region_that_refuses_holds_up_no_other() {
    let (local, cloud_watch) = (Local::start().await, CloudWatch::start().await);
    let reader = reader(&cloud_watch, &local, &["eu-west-1", "us-east-1"]);
    cloud_watch.will_answer([Answer::Denied, page("Send", "Send", &[3.0])]);

    let read = read(&reader, &local).await;

    assert!(read[0].is_none());
    assert_eq!(read[1].as_ref().unwrap().told.new, 1);
    assert!(cloud_watch.asked.lock().unwrap()[1].contains("/us-east-1/monitoring/"));
}

#[tokio::test]
async fn a_page_that_fails_tells_nothing_and_is_read_again() {
    let (local, cloud_watch) = (Local::start().await, CloudWatch::start().await);
    let reader = reader(&cloud_watch, &local, &["eu-west-1"]);
    let first = Answer::Page(vec![(id("Send"), "Send", vec![(TEN, 7.0)])], Some("page-two"));
    cloud_watch.will_answer([first.clone(), Answer::Denied, first, page("Send", "Send", &[])]);

    assert!(read(&reader, &local).await[0].is_none());
    assert_eq!(read(&reader, &local).await[0].as_ref().unwrap().told.new, 1);
}

#[tokio::test]
async fn mail_that_no_record_shows_is_found_by_its_metric_alone() {
    let (local, cloud_watch) = (Local::start().await, CloudWatch::start().await);
    let reader = reader(&cloud_watch, &local, &["eu-west-1"]);
    cloud_watch.will_answer([page("Send", "Send", &[60_000.0, 90_000.0])]);

    read(&reader, &local).await;

    let stored = findings(&local);
    let open = stored.open_before(Timestamp::from_seconds(i64::MAX), 10).await.unwrap();
    assert_eq!(open.len(), 1, "{open:?}");
    let finding = stored.get(ACCOUNT, &open[0].uid).await.unwrap().unwrap().finding;
    assert_eq!(
        (finding.identity.kind, finding.finding_type.service),
        (IdentityKind::Meter, Service::Ses)
    );
    assert!(finding.units >= 60_000 && finding.region == "eu-west-1", "{finding:?}");
}
