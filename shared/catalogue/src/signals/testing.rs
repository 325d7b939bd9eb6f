//! What the tests of the sources share.

use serde_json::Value;
use tripmeter_model::Activity;

use super::{Envelope, read};

/// An event of a source and detail type.
pub(super) fn event((source, detail_type): (&str, &str), detail: Value) -> Envelope {
    Envelope {
        id: "0a1b2c3d".into(),
        source: source.into(),
        detail_type: detail_type.into(),
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        time: "2026-03-17T03:14:00Z".parse().unwrap(),
        resources: Vec::new(),
        detail,
    }
}

/// The one activity of an event.
pub(super) fn one(envelope: &Envelope) -> Activity {
    let mut activities = read(envelope);
    assert_eq!(activities.len(), 1, "{activities:?}");
    activities.remove(0)
}
