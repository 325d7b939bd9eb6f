//! One question at a time, and a note of each that had no answer.

use std::cell::RefCell;
use std::error::Error;

use aws_config::{Region, SdkConfig};
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_smithy_async::future::pagination_stream::PaginationStream;
use tripmeter_doctor::NotLooked;
use tripmeter_model::bounded;

use crate::calls::Call;

/// The longest reason that is kept, in bytes.
const LONGEST: usize = 160;

/// Who asks.
pub(crate) struct Asker {
    config: SdkConfig,
    notes: RefCell<Vec<NotLooked>>,
}

impl Asker {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
            notes: RefCell::default(),
        }
    }

    /// What clients of services without regions, or of the hub's, are made from.
    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// What clients of a region are made from.
    pub(crate) fn config_in(&self, region: &str) -> SdkConfig {
        let builder = self.config.to_builder();
        builder.region(Region::new(region.to_owned())).build()
    }

    /// The answer, or a note of why there is none.
    pub(crate) fn answer<T, E>(&self, call: Call, region: Option<&str>, answer: Result<T, E>) -> Option<T>
    where
        E: Error + ProvideErrorMetadata,
    {
        answer.map_err(|error| self.note(call, region, words(&error))).ok()
    }

    /// All that the pages of an answer hold, or a note of why there is none of it.
    pub(crate) async fn all<T, E>(
        &self,
        call: Call,
        region: Option<&str>,
        pages: PaginationStream<Result<T, E>>,
    ) -> Option<Vec<T>>
    where
        E: Error + ProvideErrorMetadata,
    {
        self.answer(call, region, pages.collect::<Result<Vec<_>, _>>().await)
    }

    /// Notes that something was not looked at.
    pub(crate) fn note(&self, call: Call, region: Option<&str>, why: impl Into<String>) {
        self.notes.borrow_mut().push(NotLooked {
            what: call.action().to_owned(),
            region: region.map(str::to_owned),
            why: why.into(),
        });
    }

    /// Everything that had no answer.
    pub(crate) fn into_notes(self) -> Vec<NotLooked> {
        self.notes.into_inner()
    }
}

/// What a failure says, for a person.
pub(crate) fn words<E: Error + ProvideErrorMetadata>(error: &E) -> String {
    match error.code() {
        Some(code) if code.contains("AccessDenied") || code == "UnauthorizedOperation" => "denied".to_owned(),
        Some(code) => match error.message() {
            Some(message) => bounded(&format!("{code}: {message}"), LONGEST),
            None => bounded(code, LONGEST),
        },
        // A service that a region lacks has no address there.
        None => bounded(&format!("no answer: {}", root(error)), LONGEST),
    }
}

fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
