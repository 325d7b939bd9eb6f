//! Where everything that is seen goes, and is counted.

use tripmeter_model::Record;

use crate::skip::{Skip, SkipReason};
use crate::{Item, Limits, Tally};

pub(crate) struct Output<'s> {
    pub(crate) limits: Limits,
    tally: Tally,
    sink: &'s mut dyn FnMut(Item<'_>),
}

impl<'s> Output<'s> {
    pub(crate) fn new(limits: Limits, sink: &'s mut dyn FnMut(Item<'_>)) -> Self {
        Self {
            limits,
            tally: Tally::default(),
            sink,
        }
    }

    pub(crate) fn record(&mut self, record: Record<'_>) {
        self.tally.records += 1;
        (self.sink)(Item::Record(record));
    }

    pub(crate) fn skip(&mut self, position: u64, reason: SkipReason) {
        self.tally.skipped += 1;
        (self.sink)(Item::Skipped(Skip { reason, position }));
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }
}
