//! Small activities for the tests of this crate.

use tripmeter_model::{
    Activity, Client, Identity, IdentityKind, Kind, Network, Origin, Outcome, Quantity, Service, Session, Source,
    Target, Timestamp, digest64,
};

/// An hour count since 1970, as a time. Tests begin on Monday 2026-01-05 at 00:00, hour 0 of their own.
pub(crate) fn at(hour: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_571_200 + hour * 3_600)
}

/// A successful call of `user/app` from the office: use, unless the test says otherwise.
pub(crate) fn activity(service: Service, call: &str, time: Timestamp) -> Activity {
    Activity {
        time,
        event_id: None,
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        service,
        call: call.into(),
        kind: Kind::Use,
        outcome: Outcome::Success,
        identity: Identity {
            kind: IdentityKind::Role,
            id: "arn:aws:iam::111122223333:role/app".into(),
        },
        session: Session::default(),
        origin: Origin {
            source: Source::Hidden,
            network: Network("198.51.100.0/24".into()),
            client: Client("boto3".into()),
        },
        target: Some(Target::Model("anthropic.claude".into())),
        quantity: Quantity::ONE,
        effect: None,
        routine: false,
        grave: false,
        links: Vec::new(),
        shape: digest64(&[call]),
        why: String::new(),
    }
}

/// The same by somebody else.
pub(crate) fn by(mut activity: Activity, user: &str) -> Activity {
    activity.identity = Identity {
        kind: IdentityKind::IamUser,
        id: format!("arn:aws:iam::111122223333:user/{user}"),
    };
    activity
}
