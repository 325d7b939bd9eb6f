//! Log lines: JSON, bounded, one line each.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tripmeter_model::bounded;

/// The longest text of a field, in bytes, and how many fields a line has: a record can bring anything.
const MAX_VALUE: usize = 1_024;
const MAX_FIELDS: usize = 24;

/// The span that `lambda_runtime` opens for an invocation, and its field.
const INVOCATION: &str = "Lambda runtime invoke";
const REQUEST_ID: &str = "requestId";

/// Begins to log, on stdout, from the level that the function's logging configuration asks for
/// (`AWS_LAMBDA_LOG_LEVEL`, as `lookup` gives it), else from INFO. Only the first call counts.
pub fn start(lookup: impl Fn(&str) -> Option<String>) {
    let level = lookup("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok());
    let lines = Lines::new(io::stdout(), level.unwrap_or(Level::INFO));
    let _ = tracing::subscriber::set_global_default(lines);
}

/// Writes what is traced as lines of JSON. What libraries trace is written from WARN on.
///
/// An environment has one invocation at a time: its id stands on every line until the next begins.
#[derive(Debug)]
pub struct Lines<W> {
    out: Mutex<W>,
    level: Level,
    request_id: Mutex<String>,
}

impl<W: Write + 'static> Lines<W> {
    /// On `out`, from a level on.
    pub fn new(out: W, level: Level) -> Self {
        Self {
            out: Mutex::new(out),
            level,
            request_id: Mutex::new(String::new()),
        }
    }

    fn line(&self, event: &Event<'_>) -> Value {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), super::moment(super::clock()).into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("message".to_owned(), fields.message.into());
        let request_id = self.request_id.lock().unwrap_or_else(PoisonError::into_inner);
        if !request_id.is_empty() {
            line.insert(REQUEST_ID.to_owned(), request_id.as_str().into());
        }
        if !fields.others.is_empty() {
            line.insert("fields".to_owned(), fields.others.into());
        }
        line.into()
    }
}

impl<W: Write + Send + 'static> Subscriber for Lines<W> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            return metadata.name() == INVOCATION;
        }
        let is_ours = metadata.target().starts_with("tripmeter");
        *metadata.level()
            <= if is_ours {
                self.level
            } else {
                self.level.min(Level::WARN)
            }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The invocation's span is of level INFO.
        Some(LevelFilter::from_level(self.level.max(Level::INFO)))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        if let Some(Value::String(id)) = fields.others.remove(REQUEST_ID) {
            *self.request_id.lock().unwrap_or_else(PoisonError::into_inner) = bounded(&id, 64);
        }
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let line = format!("{}\n", self.line(event));
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // When nobody listens, there is nobody to tell.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The message and the fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        if field.name() == "message" {
            if let Value::String(message) = value {
                self.message = message;
            }
        } else if self.others.len() < MAX_FIELDS {
            self.others.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Cut(String::new());
        // Writing fails when there is enough of it.
        let _ = write!(text, "{value:?}");
        self.add(field, bounded(&text.0, MAX_VALUE).into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, bounded(value, MAX_VALUE).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}

/// As much of a text as a line keeps, and a little more, so that cutting it is seen to.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_VALUE.saturating_sub(self.0.len());
        match text.char_indices().find(|(at, c)| at + c.len_utf8() > room) {
            None => self.0.push_str(text),
            Some((at, _)) => {
                self.0.extend(text.get(..at));
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that are written while something is done.
    fn lines(level: Level, work: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        tracing::subscriber::with_default(Lines::new(written.clone(), level), work);
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.split_terminator('\n').map(str::to_owned).collect()
    }

    fn read(line: &str) -> Value {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn a_line_says_when_how_bad_and_what() {
        let lines = lines(Level::INFO, || {
            let _span =
                tracing::info_span!("Lambda runtime invoke", requestId = "8f5d", xrayTraceId = "Root=1").entered();
            tracing::error!(uid = "0f1e", tries = 3, "cannot publish");
        });

        let [line] = lines.as_slice() else {
            panic!("one line: {lines:?}");
        };
        let line = read(line);
        assert_eq!(
            (line["level"].as_str(), line["message"].as_str()),
            (Some("ERROR"), Some("cannot publish"))
        );
        assert_eq!(
            (line["requestId"].as_str(), &line["fields"]),
            (Some("8f5d"), &json!({"uid": "0f1e", "tries": 3}))
        );
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn what_is_below_the_level_is_not_written_and_of_libraries_only_warnings_are() {
        let lines = lines(Level::INFO, || {
            tracing::debug!("detail");
            tracing::info!(target: "hyper", "connected");
            tracing::info!("done");
            tracing::warn!(target: "hyper", "reset");
        });

        let messages: Vec<_> = lines.iter().map(|line| read(line)["message"].clone()).collect();
        assert_eq!(messages, ["done", "reset"]);
    }

    #[test]
    fn a_flood_in_a_field_is_cut() {
        let flood = "é".repeat(1 << 20);

        let lines = lines(Level::INFO, || tracing::info!(text = flood, shown = ?flood, "{flood}"));

        assert!(lines[0].len() < 4 * MAX_VALUE, "{} bytes", lines[0].len());
        assert!(read(&lines[0])["message"].as_str().unwrap().starts_with("éé"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_line(text in "(.|\n|\r|\"|\\\\|\u{2028}|\u{1b}|\u{0}){0,40}") {
            let lines = lines(Level::INFO, || tracing::warn!(text, debug = ?text, shown = %text, "{text}"));

            prop_assert_eq!(lines.len(), 1);
            let line = read(&lines[0]);
            prop_assert_eq!(&line["fields"]["text"], &Value::from(bounded(&text, MAX_VALUE)));
            prop_assert!(lines[0].chars().all(tripmeter_model::printable));
        }
    }
}
