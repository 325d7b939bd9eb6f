//! How far log files have been judged, so that a file which comes again is counted once.
//!
//! A mark is written before each part of a file is judged, and says how many of its records had been judged by then.
//! Whoever finds one goes on there, and tells the state that what follows may have been counted before. While one
//! works on a file no other does: its mark is held until that worker's time is over, whatever has become of it. So of
//! a file that is announced twice, or whose worker died, nothing is lost and nothing is counted twice.
//!
//! | partition | sort key | attributes |
//! |---|---|---|
//! | `FILE#digest` | `mark` | `judged`: records; `held`: until when, in milliseconds since 1970; `expires` |

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use tripmeter_model::{DAY, stable_uid};

use crate::canary::Millis;
use crate::dynamodb::{Failure, Item, number};
use crate::state::State;

/// Days for which a mark is kept: a queue keeps a message for fourteen.
const KEPT_DAYS: i64 = 15;

/// Marks, in the state table.
#[derive(Clone, Debug)]
pub struct Marks {
    client: Client,
    table: String,
}

/// What is known of a file that somebody begins to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nobody has judged any of it.
    Fresh,
    /// Somebody has judged so many of its records, and perhaps some of those that follow.
    Again {
        /// Records.
        judged: u64,
    },
    /// Somebody is at work on it.
    Held,
}

impl Marks {
    /// The marks beside a state.
    pub fn new(state: &State) -> Self {
        Self {
            client: state.client().clone(),
            table: state.table().to_owned(),
        }
    }

    /// Takes a file up, until a time at which the worker is surely gone. A file is named by whatever no other has.
    ///
    /// # Errors
    /// When the table does not answer; then the file may be held until that time.
    pub async fn begin(&self, file: &[&str], now: Millis, until: Millis) -> Result<Begun, Failure> {
        let taken = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(file)))
            .condition_expression("attribute_not_exists(pk) OR held < :now")
            .update_expression("SET held = :until, expires = :expires, judged = if_not_exists(judged, :none)")
            .expression_attribute_values(":now", number(&now.0))
            .expression_attribute_values(":until", number(&until.0))
            .expression_attribute_values(":expires", number(&now.second().plus(KEPT_DAYS * DAY).seconds()))
            .expression_attribute_values(":none", number(&0))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match taken {
            Ok(taken) => {
                let judged = taken.attributes().and_then(judged);
                Ok(judged.map_or(Begun::Fresh, |judged| Begun::Again { judged }))
            }
            Err(error) if error.as_service_error().is_some_and(is_held) => Ok(Begun::Held),
            Err(error) => Err(Failure::sdk(error)),
        }
    }

    /// Notes that so many of a file's records have been judged. Only for who holds it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn advance(&self, file: &[&str], judged: u64) -> Result<(), Failure> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(file)))
            .update_expression("SET judged = :judged")
            .expression_attribute_values(":judged", number(&judged))
            .send()
            .await
            .map_err(Failure::sdk)?;
        Ok(())
    }
}

fn is_held(error: &UpdateItemError) -> bool {
    matches!(error, UpdateItemError::ConditionalCheckFailedException(_))
}

fn key(file: &[&str]) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(format!("FILE#{}", stable_uid(file)))),
        ("sk".to_owned(), AttributeValue::S("mark".to_owned())),
    ])
}

/// What a mark says; nothing where there was none.
fn judged(mark: &Item) -> Option<u64> {
    mark.get("judged")?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::FindingsTable;
    use crate::testing::Local;

    const FILE: [&str; 2] = ["archive", "AWSLogs/111122223333/CloudTrail/eu-west-1/one.json.gz"];

    fn marks(local: &Local) -> Marks {
        let findings = FindingsTable::new(local.dynamodb(), local.findings_table());
        Marks::new(&State::new(local.dynamodb(), local.state_table(), findings))
    }

    #[tokio::test]
    async fn a_file_is_taken_up_where_the_last_worker_was() {
        let local = Local::start().await;
        let marks = marks(&local);

        let first = marks.begin(&FILE, Millis(1_000), Millis(2_000)).await.unwrap();
        marks.advance(&FILE, 700).await.unwrap();
        let second = marks.begin(&FILE, Millis(2_001), Millis(3_000)).await.unwrap();

        assert_eq!((first, second), (Begun::Fresh, Begun::Again { judged: 700 }));
    }

    #[tokio::test]
    async fn a_file_is_one_workers_at_a_time() {
        let local = Local::start().await;
        let marks = marks(&local);
        marks.begin(&FILE, Millis(1_000), Millis(2_000)).await.unwrap();

        let same = marks.begin(&FILE, Millis(1_500), Millis(2_500)).await.unwrap();
        let other = marks
            .begin(&["archive", "two"], Millis(1_500), Millis(2_500))
            .await
            .unwrap();

        assert_eq!((same, other), (Begun::Held, Begun::Fresh));
    }
}
