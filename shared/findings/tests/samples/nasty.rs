//! Findings of every sort with text that a thief may choose in every place that takes any.

use proptest::prelude::*;
use tripmeter_model::Finding;

use crate::samples;

/// Text that a record may hold once it is bounded, and text that never should come through.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,60}",
        "[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{202e}a-z]{0,40}",
        Just("arn:aws:iam::111122223333:user/x'; rm -rf / #".to_owned()),
        Just("arn:aws:iam::111122223333:role/$(id)`id`\"".to_owned()),
        Just("<img src=x onerror=alert(1)> http://evil.example <!channel>".to_owned()),
        Just("--endpoint-url=http://evil.example".to_owned()),
        Just("file:///home/user/.aws/credentials".to_owned()),
        Just("w".repeat(5_000)),
    ]
}

/// A finding of every sort with such text in every place that takes any.
pub(crate) fn nasty_finding() -> impl Strategy<Value = Finding> {
    let finding = prop::sample::select(samples::every());
    (finding, prop::collection::vec(nasty(), 4..8), 1usize..60).prop_map(|(mut finding, texts, repeats)| {
        let mut texts = texts.into_iter().cycle();
        let mut next = || texts.next().unwrap_or_default();
        finding.uid = next();
        finding.account = next();
        finding.account_name = Some(next());
        finding.region = next();
        finding.identity.id = next();
        finding.linked = (0..repeats).map(|_| next()).collect();
        for factor in &mut finding.factors {
            factor.text = next();
        }
        finding.factors = finding.factors.into_iter().cycle().take(repeats).collect();
        finding.units_by_target = (0..repeats).map(|_| (next(), u64::MAX)).collect();
        let seen = &mut finding.evidence;
        seen.event_ids = (0..repeats).map(|_| next()).collect();
        seen.addresses = (0..repeats).map(|_| next()).collect();
        for contexts in [
            &mut seen.regions,
            &mut seen.networks,
            &mut seen.clients,
            &mut seen.targets,
            &mut seen.calls,
        ] {
            *contexts = contexts.iter().cloned().cycle().take(repeats).collect();
            for context in contexts {
                context.value = next();
            }
        }
        seen.sessions = seen.sessions.iter().cloned().cycle().take(repeats).collect();
        for session in &mut seen.sessions {
            session.name = Some(next());
            session.access_key = Some(next());
            session.invoked_by = Some(next());
            session.source_identity = Some(next());
        }
        seen.openings = seen.openings.iter().cloned().cycle().take(repeats).collect();
        for opening in &mut seen.openings {
            opening.call = next();
            opening.identity.id = next();
            opening.event_id = Some(next());
        }
        if let Some(owner) = &mut finding.owner {
            owner.name = next();
            owner.contact = Some(next());
        }
        if let Some(by) = &mut finding.suppressed {
            by.rule = next();
            by.reason = next();
        }
        finding
    })
}
