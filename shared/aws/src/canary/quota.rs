//! What AWS lets an account send and spend, as the canary's answers say.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Call, Millis, number, set_number};

/// A quota says nothing any more when nobody has read it for a week.
pub(super) const KEPT_SECONDS: i64 = tripmeter_model::WEEK;

/// What may be sent or spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Of SES. <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html>
    Mail {
        /// Mails in 24 hours; none when unlimited.
        per_day: Option<f64>,
        /// Mails a second.
        per_second: f64,
        /// Whether the account is out of the sandbox.
        production: bool,
        /// Whether it may send at all.
        sending: bool,
    },
    /// Of SNS. <https://docs.aws.amazon.com/sns/latest/api/API_GetSMSAttributes.html>
    Sms {
        /// US dollars that text messages may cost in a month; none when nobody has set it.
        monthly_usd: Option<f64>,
    },
}

impl Limit {
    /// The call whose answer says it.
    pub fn call(&self) -> Call {
        match self {
            Self::Mail { .. } => Call::MailAccount,
            Self::Sms { .. } => Call::SmsAttributes,
        }
    }
}

/// A quota of one region.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// The region.
    pub region: String,
    /// What it is.
    pub limit: Limit,
    /// When it was read.
    pub seen_at: Millis,
}

impl Quota {
    /// The sort key: region and service.
    pub(super) fn sort_key(&self) -> String {
        let service = match self.limit {
            Limit::Mail { .. } => "ses",
            Limit::Sms { .. } => "sns",
        };
        format!("{}#{service}", self.region)
    }

    /// The item without its key.
    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        let mut item = HashMap::from([
            ("seen_at".to_owned(), set_number(&self.seen_at.0)),
            (
                "expires".to_owned(),
                set_number(&self.seen_at.second().plus(KEPT_SECONDS).seconds()),
            ),
        ]);
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        match self.limit {
            Limit::Mail {
                per_day,
                per_second,
                production,
                sending,
            } => {
                if let Some(per_day) = per_day {
                    set("per_day", set_number(&per_day));
                }
                set("per_second", set_number(&per_second));
                set("production", AttributeValue::Bool(production));
                set("sending", AttributeValue::Bool(sending));
            }
            Limit::Sms { monthly_usd } => {
                if let Some(monthly_usd) = monthly_usd {
                    set("monthly_usd", set_number(&monthly_usd));
                }
            }
        }
        item
    }

    /// Out of an item; none when it has expired or is of a sort that this version does not know.
    pub(super) fn of(item: &HashMap<String, AttributeValue>, now: Millis) -> Option<Self> {
        let (region, service) = item.get("sk")?.as_s().ok()?.split_once('#')?;
        let flag = |name: &str| item.get(name).and_then(|value| value.as_bool().ok()).copied();
        let limit = match service {
            "ses" => Limit::Mail {
                per_day: number(item, "per_day"),
                per_second: number(item, "per_second")?,
                production: flag("production")?,
                sending: flag("sending")?,
            },
            "sns" => Limit::Sms {
                monthly_usd: number(item, "monthly_usd"),
            },
            _ => return None,
        };
        let expires: i64 = number(item, "expires")?;
        (now.second().seconds() < expires).then_some(Self {
            region: region.to_owned(),
            limit,
            seen_at: Millis(number(item, "seen_at")?),
        })
    }
}
