//! In weeks when nothing happens, nobody is woken.

mod harness;

use scenarios::benign::weeks;

fn stays_quiet(name: &str) {
    let wrong: Vec<_> = (1..=2)
        .filter_map(|seed| weeks(name, seed))
        .flat_map(|s| harness::complaints(&s))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn office_hours_are_quiet() {
    stays_quiet("office-hours");
}

#[test]
fn a_marketing_campaign_is_quiet() {
    stays_quiet("marketing-campaign");
}

#[test]
fn a_load_test_is_quiet() {
    stays_quiet("load-test");
}

#[test]
fn a_new_region_is_quiet() {
    stays_quiet("new-region");
}

#[test]
fn a_new_model_is_quiet() {
    stays_quiet("new-model");
}

#[test]
fn a_month_end_is_quiet() {
    stays_quiet("month-end");
}

#[test]
fn daily_deploys_are_quiet() {
    stays_quiet("daily-deploys");
}

#[test]
fn scanners_are_quiet() {
    stays_quiet("scanner-sweeps");
}

#[test]
fn roaming_people_are_quiet() {
    stays_quiet("roaming-people");
}

#[test]
fn new_arrivals_are_quiet() {
    stays_quiet("new-arrivals");
}
