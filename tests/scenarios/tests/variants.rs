//! The attacks, made of something else: another service, identity, call, region, date, order. No arm of the detector
//! knows a scenario, so all of them must be found as well.

mod harness;

use scenarios::variant;

/// Seeds that the plain attacks do not use.
const SEEDS: std::ops::Range<u64> = 100..106;

fn found_whatever_it_is_made_of(name: &str) {
    let wrong: Vec<_> = SEEDS
        .filter_map(|seed| variant(name, seed).map(|scenario| (seed, scenario)))
        .flat_map(|(seed, s)| {
            harness::complaints(&s)
                .into_iter()
                .map(move |w| format!("seed {seed}, {w}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn leaked_credentials_are_found_at_every_door_to_the_models() {
    found_whatever_it_is_made_of("llmjacking-leaked-key");
}

#[test]
fn api_keys_are_found_at_every_door_to_the_models() {
    found_whatever_it_is_made_of("llmjacking-api-key");
}

#[test]
fn created_users_are_found_whoever_makes_them_and_whatever_they_call() {
    found_whatever_it_is_made_of("llmjacking-created-user");
}

#[test]
fn mail_takeovers_are_found_whatever_call_sends() {
    found_whatever_it_is_made_of("ses-takeover");
}

#[test]
fn identity_policies_are_found_in_both_versions_of_the_api() {
    found_whatever_it_is_made_of("ses-identity-policy");
}

#[test]
fn pumps_of_texts_media_and_voice_are_found() {
    found_whatever_it_is_made_of("sms-pump");
}

#[test]
fn sweeps_over_regions_are_found_whatever_is_called() {
    found_whatever_it_is_made_of("region-sweep");
}

#[test]
fn strangers_in_busy_roles_are_found_at_every_door() {
    found_whatever_it_is_made_of("busy-role-session");
}

#[test]
fn spreads_and_ramps_are_found_at_every_door() {
    found_whatever_it_is_made_of("spread-over-identities");
    found_whatever_it_is_made_of("slow-ramp");
}

#[test]
fn forgotten_keys_are_found_at_every_door() {
    found_whatever_it_is_made_of("forgotten-key");
}
