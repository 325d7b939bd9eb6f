//! One request at a time, in an order that the test decides: all that can happen between functions that run at once.
//!
//! Every request of every worker waits until it is given its turn. Between two requests nothing else happens, so an
//! order of turns is an interleaving; a worker that is given no more turns has died.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use tokio::sync::{Notify, oneshot};

use super::Local;

/// How a request is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// As it should be.
    Heard,
    /// It is done, and its sender never hears of it: it dies waiting.
    Unheard,
    /// It is not done, and its sender is told that it was.
    Swallowed,
    /// Done whatever its condition says.
    Unconditional,
}

/// A request that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Waiting {
    /// Whose it is.
    pub worker: usize,
    /// The operation, as in `PutItem`.
    pub operation: String,
    /// What it asks.
    pub body: String,
}

/// Gives requests their turns.
#[derive(Clone, Debug)]
pub struct Turns {
    queue: Arc<Queue>,
    http: SharedHttpClient,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<(Waiting, oneshot::Sender<Turn>)>>,
    arrived: Notify,
    carried: Notify,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Vec<(Waiting, oneshot::Sender<Turn>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            queue: Arc::default(),
            http: aws_smithy_http_client::Builder::new().build_http(),
        }
    }
}

impl Turns {
    /// The client of a worker.
    pub fn client(&self, local: &Local, worker: usize) -> Client {
        local.client_over(Worker {
            worker,
            turns: self.clone(),
        })
    }

    /// The requests that wait, in an order that does not depend on when they came.
    pub fn waiting(&self) -> Vec<Waiting> {
        let mut waiting: Vec<Waiting> = self.queue.waiting().iter().map(|(of, _)| of.clone()).collect();
        waiting.sort();
        waiting
    }

    /// Waits until another request has come.
    pub async fn arrival(&self) {
        self.queue.arrived.notified().await;
    }

    /// Gives a request its turn, and waits until it was carried. Nothing happens if it no longer waits.
    pub async fn give(&self, to: &Waiting, turn: Turn) {
        let carried = self.queue.carried.notified();
        let taken = {
            let mut waiting = self.queue.waiting();
            let place = waiting.iter().position(|(of, _)| of == to);
            place.map(|place| waiting.remove(place).1)
        };
        if taken.is_some_and(|sender| sender.send(turn).is_ok()) {
            carried.await;
        }
    }

    /// Forgets the requests of a worker that has died.
    pub fn forget(&self, worker: usize) {
        self.queue.waiting().retain(|(of, _)| of.worker != worker);
    }
}

#[derive(Debug)]
struct Worker {
    worker: usize,
    turns: Turns,
}

impl HttpClient for Worker {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Line {
            worker: self.worker,
            queue: Arc::clone(&self.turns.queue),
            http: self.turns.http.http_connector(settings, components),
        })
    }
}

/// The line from one worker to the database.
#[derive(Clone, Debug)]
struct Line {
    worker: usize,
    queue: Arc<Queue>,
    http: SharedHttpConnector,
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let line = self.clone();
        HttpConnectorFuture::new(async move { line.carry(request).await })
    }
}

impl Line {
    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let operation = request.headers().get("x-amz-target").unwrap_or_default();
        let waiting = Waiting {
            worker: self.worker,
            operation: operation.rsplit('.').next().unwrap_or_default().to_owned(),
            body: text(&request),
        };
        let (sender, turn) = oneshot::channel();
        self.queue.waiting().push((waiting, sender));
        self.queue.arrived.notify_one();
        // A turn that is never given is that of a worker that has died.
        let turn = match turn.await {
            Ok(turn) => turn,
            Err(_) => std::future::pending().await,
        };
        let answer = match turn {
            Turn::Heard | Turn::Unheard => self.http.call(request).await,
            Turn::Unconditional => self.http.call(unconditional(request)).await,
            Turn::Swallowed => {
                let ok = 200u16
                    .try_into()
                    .map_err(|error| ConnectorError::other(Box::new(error), None))?;
                Ok(HttpResponse::new(ok, SdkBody::from("{}")))
            }
        };
        self.queue.carried.notify_one();
        if turn == Turn::Unheard {
            std::future::pending::<()>().await;
        }
        answer
    }
}

fn text(request: &HttpRequest) -> String {
    let body = request.body().bytes().unwrap_or_default();
    String::from_utf8_lossy(body).into_owned()
}

/// The request with a condition that always holds. DynamoDB refuses a value that no expression uses, so it stays.
fn unconditional(mut request: HttpRequest) -> HttpRequest {
    const CONDITION: &str = r#""ConditionExpression":""#;
    let body = text(&request).replace(CONDITION, &format!("{CONDITION}attribute_not_exists(nowhere) OR "));
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
    request
}
