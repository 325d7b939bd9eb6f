//! Every attack is found, in time, and nobody else is blamed.

mod harness;

use scenarios::scenario;

/// What holds for one account may be luck: so many seeds.
fn found_in_time(name: &str, seeds: u64) {
    let wrong: Vec<_> = (1..=seeds)
        .filter_map(|seed| scenario(name, seed))
        .flat_map(|s| harness::complaints(&s))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn llmjacking_by_a_leaked_key_is_found() {
    found_in_time("llmjacking-leaked-key", 2);
}

#[test]
fn llmjacking_by_an_api_key_with_no_enabling_event_is_found() {
    found_in_time("llmjacking-api-key", 2);
}

#[test]
fn llmjacking_by_a_user_that_the_thief_creates_is_found() {
    found_in_time("llmjacking-created-user", 2);
}

#[test]
fn a_takeover_of_mail_is_found() {
    found_in_time("ses-takeover", 2);
}

#[test]
fn mail_through_an_identity_policy_from_another_account_is_found() {
    found_in_time("ses-identity-policy", 2);
}

#[test]
fn an_sms_pump_is_found_by_its_texts_and_by_its_topic() {
    found_in_time("sms-pump", 2);
}

#[test]
fn a_slow_spread_over_twenty_identities_is_found() {
    found_in_time("spread-over-identities", 1);
}

#[test]
fn a_slow_ramp_is_found() {
    found_in_time("slow-ramp", 1);
}

#[test]
fn a_sweep_over_all_regions_is_found() {
    found_in_time("region-sweep", 2);
}

#[test]
fn a_stranger_in_a_busy_role_is_found() {
    found_in_time("busy-role-session", 2);
}

#[test]
fn a_forgotten_key_is_found() {
    found_in_time("forgotten-key", 3);
}
