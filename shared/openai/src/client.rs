//! The client: TLS, one base address, bounds of time and size, and another try where that can help.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tripmeter_model::bounded;

use crate::AdminKey;

/// The largest answer that is read.
const LARGEST: usize = 16 << 20;
/// The longest message of an error that is kept, in bytes.
const MAX_MESSAGE: usize = 256;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One try, from the connection to the last byte.
    pub one_try: Duration,
    /// Tries.
    pub tries: u32,
    /// The first pause between tries, where the server names none: it doubles, and is jittered.
    pub pause: Duration,
    /// The longest pause that is waited for. A server that wants more is asked again by the next run.
    pub longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            one_try: Duration::from_secs(15),
            tries: 4,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// Why a base address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It is no address, or not one of TLS.
    #[error("'{0}' is no base address: wanted https://HOST/v1, or http on the loopback for a test")]
    Base(String),
    /// The machine's certificates cannot be read.
    #[error("the certificates that the machine trusts cannot be read: {0}")]
    Roots(std::io::Error),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The key is not, or no longer, valid.
    #[error("GET {path}: the key is refused ({message})")]
    Unauthorized {
        /// What was asked for.
        path: String,
        /// OpenAI's words.
        message: String,
    },
    /// The key is valid and may not do this, or the organisation does not have it.
    #[error("GET {path}: not allowed, status {status} ({message})")]
    Forbidden {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// OpenAI's words.
        message: String,
    },
    /// There is no such thing.
    #[error("GET {path}: not there")]
    NotFound {
        /// What was asked for.
        path: String,
    },
    /// It asks for patience that this run does not have.
    #[error("GET {path}: not now, status {status}")]
    Later {
        /// What was asked for.
        path: String,
        /// The last status.
        status: u16,
    },
    /// It could not be reached, did not answer in time, or broke off.
    #[error("GET {path}: {why}")]
    Unreachable {
        /// What was asked for.
        path: String,
        /// What happened.
        why: String,
    },
    /// What came is not what the reference describes.
    #[error("GET {path}: an answer that cannot be read ({why})")]
    Unreadable {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ApiError {
    /// Whether it is for want of a valid key: another one may be in the secret by now.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether the next run may have more luck without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Later { .. } | Self::Unreachable { .. } | Self::Unreadable { .. }
        )
    }
}

/// A client of one base address.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    http: hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    patience: Patience,
}

/// What one try came to.
enum Tried<T> {
    Answer(T),
    /// Worth another try, after the server's own delay if it named one.
    Again(ApiError, Option<Duration>),
    Never(ApiError),
}

/// OpenAI's words on an error.
#[derive(Deserialize)]
struct Complaint {
    error: Words,
}

#[derive(Deserialize)]
struct Words {
    message: Option<String>,
}

impl Client {
    /// Of a base address, such as `https://api.openai.com/v1`.
    ///
    /// # Errors
    /// When it is not https (plain http is for the loopback alone), or no certificates are trusted.
    pub fn new(base: &str, patience: Patience) -> Result<Self, ClientError> {
        let base = base.trim().trim_end_matches('/');
        if !is_safe(base) {
            return Err(ClientError::Base(bounded(base, 128)));
        }
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(ClientError::Roots)?
            .https_or_http()
            .enable_http1()
            .build();
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(TokioTimer::new())
            .build(https);
        Ok(Self {
            base: base.to_owned(),
            http,
            patience,
        })
    }

    /// Asks for a path below the base, with its query, until `until`.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str, key: &AdminKey, until: Instant) -> Result<T, ApiError> {
        let mut pause = self.patience.pause;
        let mut tries = 0;
        loop {
            tries += 1;
            let (error, named) = match self.attempt(path, key, until).await {
                Tried::Answer(answer) => return Ok(answer),
                Tried::Never(error) => return Err(error),
                Tried::Again(error, named) => (error, named),
            };
            let wait = named.unwrap_or_else(|| pause.mul_f64(0.5 + fastrand::f64() / 2.0));
            if tries >= self.patience.tries || wait > self.patience.longest_pause || Instant::now() + wait >= until {
                return Err(error);
            }
            sleep(wait).await;
            pause *= 2;
        }
    }

    async fn attempt<T: DeserializeOwned>(&self, path: &str, key: &AdminKey, until: Instant) -> Tried<T> {
        let unreachable = |why: &str| ApiError::Unreachable {
            path: bare(path),
            why: bounded(why, MAX_MESSAGE),
        };
        let Ok(request) = Request::get(format!("{}{path}", self.base))
            .header(AUTHORIZATION, key.authorization())
            .header(USER_AGENT, concat!("tripmeter/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
        else {
            return Tried::Never(unreachable("the path is no path"));
        };
        let asked = timeout(self.patience.one_try, self.answer(request));
        match timeout_at(until, asked).await {
            Err(_) => Tried::Never(unreachable("no time is left")),
            Ok(Err(_)) => Tried::Again(unreachable("no answer in time"), None),
            Ok(Ok(Err(why))) => Tried::Again(unreachable(&why), None),
            Ok(Ok(Ok((status, headers, body)))) => judged(path, status, &headers, &body),
        }
    }

    /// The whole answer. What is longer than it may be, or breaks off, is none.
    async fn answer(&self, request: Request<Empty<Bytes>>) -> Result<(StatusCode, HeaderMap, Bytes), String> {
        let answer = self.http.request(request).await.map_err(|error| chain(&error))?;
        let (head, body) = Response::into_parts(answer);
        let body = Limited::new(body, LARGEST).collect().await;
        let body = body
            .map_err(|error| format!("the answer broke off: {error}"))?
            .to_bytes();
        Ok((head.status, head.headers, body))
    }
}

/// What a whole answer means. A body that was cut short without the connection saying so is asked for again.
fn judged<T: DeserializeOwned>(path: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Tried<T> {
    let path = bare(path);
    match status.as_u16() {
        200 => match serde_json::from_slice(body) {
            Ok(answer) => Tried::Answer(answer),
            Err(error) => {
                let why = bounded(&error.to_string(), MAX_MESSAGE);
                let unreadable = ApiError::Unreadable { path, why };
                // What is whole, and not what the reference describes, will be the same again.
                if error.is_data() {
                    Tried::Never(unreadable)
                } else {
                    Tried::Again(unreadable, None)
                }
            }
        },
        401 => Tried::Never(ApiError::Unauthorized {
            path,
            message: complaint(body),
        }),
        404 => Tried::Never(ApiError::NotFound { path }),
        status @ (408 | 409 | 425 | 429 | 500..) => {
            Tried::Again(ApiError::Later { path, status }, retry_after(headers))
        }
        status => Tried::Never(ApiError::Forbidden {
            path,
            status,
            message: complaint(body),
        }),
    }
}

/// The server's own delay: milliseconds, seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|millis| millis.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1_000.0).ok();
    }
    let after = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = after.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(after).ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let at = u64::try_from(date.timestamp().as_second()).ok()?;
    Some(Duration::from_secs(at.saturating_sub(now.as_secs())))
}

fn complaint(body: &[u8]) -> String {
    let complaint: Option<Complaint> = serde_json::from_slice(body).ok();
    let message = complaint
        .and_then(|complaint| complaint.error.message)
        .unwrap_or_default();
    without_keys(&bounded(&message, MAX_MESSAGE))
}

/// OpenAI repeats a part of the key that it refuses: nobody needs to read it in a log.
fn without_keys(message: &str) -> String {
    let word = |word: &str| {
        if word.contains("sk-") {
            "…".to_owned()
        } else {
            word.to_owned()
        }
    };
    message.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The path without its query.
fn bare(path: &str) -> String {
    bounded(path.split('?').next().unwrap_or_default(), 128)
}

fn is_safe(base: &str) -> bool {
    let Ok(uri) = base.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    let is_loopback = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    !host.is_empty()
        && !has_user
        && uri.query().is_none()
        && (uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && is_loopback))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_is_spoken_but_for_the_loopback() {
        for base in [
            "https://api.openai.com/v1",
            "https://eu.api.openai.com/v1/",
            "http://127.0.0.1:8080",
        ] {
            assert!(is_safe(base), "{base}");
        }
        for base in [
            "http://api.openai.com/v1",
            "http://localhost.example.com",
            "ftp://x",
            "https://u@h/",
            "",
            "https://h/?q",
        ] {
            assert!(!is_safe(base), "{base}");
        }
    }

    #[test]
    fn the_servers_delay_is_read_in_each_of_its_forms() {
        let of = |name: &'static str, value: &str| {
            retry_after(&HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]))
        };
        assert_eq!(of("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(of("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(of("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(of("retry-after", "soon"), None);
        assert_eq!(of("retry-after", "-3"), None);
    }

    #[test]
    fn no_part_of_a_key_is_repeated() {
        let body = br#"{"error":{"message":"Incorrect API key provided: sk-admin-abc***xyz. You can find it"}}"#;
        assert_eq!(complaint(body), "Incorrect API key provided: … You can find it");
    }
}
