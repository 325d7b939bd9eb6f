//! A stand-in for OpenAI's administration API, and for the secret that its key lies in: a server on the loopback that
//! pages, filters and refuses as the reference describes, and fails as it is told to.
//!
//! It answers what OpenAI's own client library accepts: a conformance test pages through it.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "without its server a test cannot go on"
)]

mod http;

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use http::{Answer, Ask};

/// What goes wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, after so many seconds.
    Later(u16, &'static str),
    /// This status, and OpenAI's words.
    Refused(u16, &'static str),
    /// The connection ends in the middle of the body.
    CutShort,
    /// The body is half of the JSON, and says nothing of it.
    Halved,
}

/// What the organisation is.
#[derive(Debug, Default)]
pub struct World {
    /// The key that is accepted.
    pub key: String,
    /// The secret that holds a key, perhaps another one.
    pub secret: String,
    /// Audit events, in any order.
    pub events: Vec<Value>,
    /// Rows of usage, by kind and the second in which their bucket begins.
    pub usage: BTreeMap<(String, i64), Vec<Value>>,
    /// Answers of other paths.
    pub others: BTreeMap<String, Value>,
    /// Entries of a page, where fewer are given than asked for.
    pub page: Option<usize>,
    /// What goes wrong next with paths that hold a text, in turn.
    pub faults: VecDeque<(&'static str, Fault)>,
    /// Every path that was asked for, with its query.
    pub asked: Vec<String>,
}

/// A server, for as long as its runtime runs.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// Its base address.
    pub url: String,
    world: Arc<Mutex<World>>,
}

impl StandIn {
    /// Starts it on a port of its own, with a world.
    pub async fn start(world: World) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a loopback port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let world = Arc::new(Mutex::new(world));
        let serving = Arc::clone(&world);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let world = Arc::clone(&serving);
                tokio::spawn(http::serve(stream, move |ask| {
                    world.lock().unwrap_or_else(PoisonError::into_inner).answer(ask)
                }));
            }
        });
        Self {
            url: format!("http://{address}"),
            world,
        }
    }

    /// The world, to be looked at or changed.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn answer(&mut self, ask: &Ask) -> Answer {
        if ask.target.as_deref() == Some("secretsmanager.GetSecretValue") {
            return Answer::json(
                200,
                &json!({"ARN": "arn:aws:secretsmanager:::secret:key", "SecretString": self.secret}),
            );
        }
        self.asked.push(ask.path.clone());
        let due = self.faults.front().is_some_and(|(path, _)| ask.path.contains(path));
        let fault = if due { self.faults.pop_front() } else { None };
        if let Some((_, Fault::Later(status, after))) = fault {
            return Answer::json(status, &complaint("not now")).with("retry-after", after);
        }
        if let Some((_, Fault::Refused(status, words))) = fault {
            return Answer::json(status, &complaint(words));
        }
        if ask.authorization.as_deref() != Some(&format!("Bearer {}", self.key)) {
            return Answer::json(401, &complaint(&format!("Incorrect API key provided: {}", self.secret)));
        }
        let mut answer = self.page_of(ask);
        match fault {
            Some((_, Fault::CutShort)) => answer.cut_short = true,
            Some((_, Fault::Halved)) => answer.body.truncate(answer.body.len() / 2),
            _ => {}
        }
        answer
    }

    fn page_of(&self, ask: &Ask) -> Answer {
        let (path, query) = ask.split();
        let one = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let limit = one("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20);
        let limit = self.page.map_or(limit, |page| limit.min(page));
        if path.ends_with("/organization/audit_logs") {
            let since = one("effective_at[gte]")
                .and_then(|since| since.parse().ok())
                .unwrap_or(0);
            return Answer::json(200, &self.audit(since, one("after"), limit));
        }
        if let Some(kind) = path.rsplit_once("/usage/").map(|(_, kind)| kind) {
            let from = one("start_time").and_then(|from| from.parse().ok()).unwrap_or(0);
            let width = match one("bucket_width") {
                Some("1m") => 60,
                Some("1h") => 3_600,
                _ => 86_400,
            };
            let skip = one("page")
                .and_then(|page| page.strip_prefix("page_")?.parse().ok())
                .unwrap_or(0);
            return Answer::json(200, &self.buckets(kind, from, width, skip, limit));
        }
        let known = self.others.iter().find(|(known, _)| path.ends_with(known.as_str()));
        match known {
            Some((_, answer)) => Answer::json(200, answer),
            None if path.ends_with('s') && !path.ends_with("model_permissions") => Answer::json(200, &list(&[], false)),
            None => Answer::json(404, &complaint("no such thing")),
        }
    }

    /// Newest first, as the audit log is.
    fn audit(&self, since: i64, after: Option<&str>, limit: usize) -> Value {
        let at = |event: &Value| event["effective_at"].as_i64().unwrap_or(0);
        let mut events: Vec<&Value> = self.events.iter().filter(|event| at(event) >= since).collect();
        events.sort_by_key(|event| std::cmp::Reverse((at(event), event["id"].as_str().unwrap_or_default())));
        let start = after.map_or(0, |after| {
            let found = events.iter().position(|event| event["id"] == after);
            found.map_or(events.len(), |found| found + 1)
        });
        let page: Vec<Value> = events
            .iter()
            .skip(start)
            .take(limit)
            .map(|event| (*event).clone())
            .collect();
        let has_more = start + page.len() < events.len();
        list(&page, has_more)
    }

    /// Buckets without usage are there, too, with no rows.
    fn buckets(&self, kind: &str, from: i64, width: i64, skip: i64, limit: usize) -> Value {
        let newest = self
            .usage
            .keys()
            .filter(|(known, _)| known == kind)
            .map(|(_, at)| *at)
            .max();
        let all = newest.map_or(0, |newest| (newest - from).div_euclid(width) + 1).max(0);
        let end = all.min(skip + limit as i64);
        let buckets: Vec<Value> = (skip..end)
            .map(|n| {
                let start = from + n * width;
                let within = |(known, at): &(String, i64)| known == kind && (start..start + width).contains(at);
                let rows = self.usage.iter().filter(|(key, _)| within(key)).flat_map(|(_, rows)| rows);
                json!({"object": "bucket", "start_time": start, "end_time": start + width, "results": rows.collect::<Vec<_>>()})
            })
            .collect();
        let next = (end < all).then(|| format!("page_{end}"));
        json!({"object": "page", "data": buckets, "has_more": next.is_some(), "next_page": next})
    }
}

fn list(data: &[Value], has_more: bool) -> Value {
    let id = |entry: Option<&Value>| entry.and_then(|entry| entry.get("id").cloned()).unwrap_or_default();
    let (first, last) = (id(data.first()), id(data.last()));
    json!({"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more})
}

fn complaint(message: &str) -> Value {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
}

/// An audit event of somebody in a session at an address.
pub fn audit(id: &str, kind: &str, at: i64, user: &str, address: &str, payload: Value) -> Value {
    let mut event = Map::new();
    event.insert("id".into(), id.into());
    event.insert("type".into(), kind.into());
    event.insert("effective_at".into(), at.into());
    event.insert("project".into(), json!({"id": "proj_chat", "name": "chat"}));
    let user = json!({"id": user, "email": format!("{user}@example.com")});
    event.insert(
        "actor".into(),
        json!({"type": "session", "session": {"user": user, "ip_address": address}}),
    );
    event.insert(kind.into(), payload);
    event.into()
}

/// A row of completions.
pub fn completions(key: &str, model: &str, requests: u64, tokens: u64) -> Value {
    json!({
        "object": "organization.usage.completions.result", "input_tokens": tokens - tokens / 5,
        "output_tokens": tokens / 5, "num_model_requests": requests, "project_id": "proj_chat", "user_id": null,
        "api_key_id": key, "model": model, "batch": null, "service_tier": null,
    })
}
