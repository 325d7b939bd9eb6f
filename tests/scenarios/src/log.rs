//! The log of an account, as it is written: records with their ids.

use std::sync::Arc;

use crate::dice::Dice;
use crate::record::{Call, Record, Seat, Seconds};

/// Records of one account, in the order in which they were made.
#[derive(Debug)]
pub struct Log {
    account: Arc<str>,
    ids: Dice,
    records: Vec<Record>,
}

impl Log {
    /// An empty log; `ids` draws the event ids.
    pub fn new(account: &Arc<str>, ids: Dice) -> Self {
        Self {
            account: Arc::clone(account),
            ids,
            records: vec![],
        }
    }

    /// Adds a record and gives its event id.
    pub fn add(&mut self, time: Seconds, region: &'static str, seat: &Arc<Seat>, call: Call) -> u128 {
        let id = self.ids.bits();
        self.records.push(Record {
            time,
            id,
            region,
            account: Arc::clone(&self.account),
            shared: None,
            seat: Arc::clone(seat),
            call,
        });
        id
    }

    /// The same, of a call that the caller's account has a record of as well.
    pub fn add_shared(&mut self, time: Seconds, region: &'static str, seat: &Arc<Seat>, call: Call) -> u128 {
        let shared = self.ids.bits();
        let id = self.add(time, region, seat, call);
        if let Some(last) = self.records.last_mut() {
            last.shared = Some(shared);
        }
        id
    }

    /// All records, by time.
    pub fn finish(mut self) -> Vec<Record> {
        self.records.sort_by_key(|r| r.time);
        self.records
    }
}
