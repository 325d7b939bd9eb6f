//! SNS as far as publishing goes, over HTTP on this machine, behind the real client.
//!
//! It refuses what SNS refuses (subjects, sizes, attributes, structures), keeps what it takes, and answers with
//! errors when told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
use serde_json::Value;

use super::http::{self, Answer};

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The topic's ARN.
    pub topic: String,
    /// The subject.
    pub subject: String,
    /// The message as it came.
    pub message: String,
    /// The text for each protocol, where the message has them.
    pub by_protocol: BTreeMap<String, String>,
    /// The attributes.
    pub attributes: BTreeMap<String, String>,
}

/// An error to answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The error's code.
    pub code: &'static str,
}

impl Refusal {
    /// The request is at fault.
    pub const INVALID: Self = Self {
        status: 400,
        code: "InvalidParameter",
    };
    /// There is no such topic.
    pub const NO_TOPIC: Self = Self {
        status: 404,
        code: "NotFound",
    };
    /// The client is too quick.
    pub const THROTTLED: Self = Self {
        status: 400,
        code: "Throttling",
    };
    /// SNS is at fault.
    pub const BROKEN: Self = Self {
        status: 500,
        code: "InternalError",
    };
}

#[derive(Debug, Default)]
struct Book {
    requests: usize,
    published: Vec<Published>,
    next: VecDeque<Refusal>,
    out_of_order: BTreeMap<String, Refusal>,
}

/// A running SNS; it ends with the runtime.
#[derive(Clone, Debug)]
pub struct Sns {
    endpoint: String,
    book: Arc<Mutex<Book>>,
}

impl Sns {
    /// Starts it.
    ///
    /// # Panics
    /// When no port is to be had.
    pub async fn start() -> Self {
        let book: Arc<Mutex<Book>> = Arc::default();
        let kept = Arc::clone(&book);
        let endpoint = http::serve(move |request| {
            let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            told(answer(body, &mut locked(&kept)))
        });
        Self {
            endpoint: endpoint.await,
            book,
        }
    }

    /// A client of it, which tries three times without long pauses.
    pub fn client(&self) -> Client {
        let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::for_tests())
            .endpoint_url(&self.endpoint)
            .retry_config(retry);
        Client::from_conf(config.build())
    }

    /// What was taken, in order.
    pub fn published(&self) -> Vec<Published> {
        self.book().published.clone()
    }

    /// How many requests came, refused or not.
    pub fn requests(&self) -> usize {
        self.book().requests
    }

    /// Answers the next requests with these, one each.
    pub fn refuse_next(&self, refusals: impl IntoIterator<Item = Refusal>) {
        self.book().next.extend(refusals);
    }

    /// Answers everything for a topic with this, until told otherwise.
    pub fn set_refusal(&self, topic: &str, refusal: Option<Refusal>) {
        let mut book = self.book();
        book.out_of_order.remove(topic);
        book.out_of_order
            .extend(refusal.map(|refusal| (topic.to_owned(), refusal)));
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        locked(&self.book)
    }
}

fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told(answer: Result<usize, (Refusal, String)>) -> Answer {
    let (status, xml) = match answer {
        Ok(id) => (
            200,
            format!("<PublishResponse><PublishResult><MessageId>{id}</MessageId></PublishResult></PublishResponse>"),
        ),
        Err((Refusal { status, code }, why)) => (
            status,
            format!("<ErrorResponse><Error><Code>{code}</Code><Message>{why}</Message></Error></ErrorResponse>"),
        ),
    };
    Answer {
        status,
        content_type: "text/xml",
        headers: &[],
        body: xml.into(),
    }
}

/// The id of the message, or why it is refused.
fn answer(body: &str, book: &mut Book) -> Result<usize, (Refusal, String)> {
    book.requests += 1;
    let form: BTreeMap<String, String> = body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let topic = form.get("TopicArn").cloned().unwrap_or_default();
    if let Some(refusal) = book.next.pop_front().or(book.out_of_order.get(&topic).copied()) {
        return Err((refusal, "as it was told to".to_owned()));
    }
    let published = taken(&form, topic).map_err(|why| (Refusal::INVALID, why.to_owned()))?;
    book.published.push(published);
    Ok(book.published.len())
}

/// The message, if SNS takes such a one. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
fn taken(form: &BTreeMap<String, String>, topic: String) -> Result<Published, &'static str> {
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    if field("Action") != "Publish" {
        return Err("only Publish is known here");
    }
    let (subject, message) = (field("Subject"), field("Message"));
    let printable = subject.bytes().all(|b| matches!(b, b' '..=b'~'));
    if subject.is_empty() || subject.len() > 99 || !printable || subject.starts_with(' ') {
        return Err("Invalid parameter: Subject");
    }
    let mut attributes = BTreeMap::new();
    for number in 1.. {
        let entry = format!("MessageAttributes.entry.{number}");
        let Some(name) = form.get(&format!("{entry}.Name")) else {
            break;
        };
        attributes.insert(name.clone(), field(&format!("{entry}.Value.StringValue")));
    }
    let bytes = attributes
        .iter()
        .map(|(name, value)| name.len() + "String".len() + value.len())
        .sum::<usize>();
    if message.is_empty() || message.len() + bytes > 262_144 {
        return Err("Invalid parameter: Message too long");
    }
    if attributes.len() > 10 || attributes.values().any(String::is_empty) {
        return Err("Invalid parameter: MessageAttributes");
    }
    let by_protocol = match field("MessageStructure").as_str() {
        "" => BTreeMap::new(),
        _ => protocols(&message).ok_or("Invalid parameter: Message Structure")?,
    };
    Ok(Published {
        topic,
        subject,
        message,
        by_protocol,
        attributes,
    })
}

fn protocols(message: &str) -> Option<BTreeMap<String, String>> {
    let Ok(Value::Object(texts)) = serde_json::from_str(message) else {
        return None;
    };
    let texts = texts
        .into_iter()
        .map(|(protocol, text)| Some((protocol, text.as_str()?.to_owned())));
    texts
        .collect::<Option<BTreeMap<_, _>>>()
        .filter(|texts| texts.contains_key("default"))
}

/// A value of a form without its escapes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => rest
                .by_ref()
                .take(2)
                .filter_map(|digit| (digit as char).to_digit(16))
                .fold(0, |n, d| n * 16 + d as u8),
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
