//! What the tests of the services share: a call, and what the catalogue makes of it.

use tripmeter_model::{Activity, Kind, Record, Service};

use crate::{Classified, Scope, classify};

/// A successful call of `dana` with these parameters.
pub(crate) fn call(service: Service, name: &str, parameters: &str) -> Activity {
    of(&Record {
        event_name: name.into(),
        request_parameters: Some(parameters),
        ..record(service)
    })
}

/// The kind of a call with these parameters.
pub(crate) fn kind(service: Service, name: &str, parameters: &str) -> Kind {
    call(service, name, parameters).kind
}

/// What the catalogue makes of a record that is in it.
pub(crate) fn of(record: &Record<'_>) -> Activity {
    match classify(record, &Scope::default()) {
        Classified::Activity(activity) => *activity,
        other => panic!("{} is {other:?}", record.event_name),
    }
}

/// A record of a call by `dana`, without its name and parameters.
pub(crate) fn record(service: Service) -> Record<'static> {
    Record {
        event_id: Some("57b9118a-da76-4252-b260-f63b9bfe69a0".into()),
        event_source: service.event_source().into(),
        region: Some("us-east-1".into()),
        recipient_account: Some("111122223333".into()),
        user_identity: Some(
            r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/dana","accountId":"111122223333"}"#,
        ),
        ..Record::default()
    }
}
