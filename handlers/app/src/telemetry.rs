//! Log lines: one JSON object a line on stdout, with the fields of all spans around it, and a copy of an invocation's own lines
//! for the `Logs` of its response, since the host shows those beside the invocation and tags stdout with none.
//!
//! Stdout on purpose: the host logs whatever a custom handler writes to stderr as an error. Field names: docs/OPERATIONS.md.

use std::{
    collections::HashMap,
    fmt,
    io::Write,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    EnvFilter, Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Most lines that an invocation returns in `Logs`; stdout has them all.
pub const MOST_LINES: usize = 200;

/// Levels unless `SLUICE_LOG` says otherwise: the crates below us speak up only when something is wrong.
const DEFAULT_LEVELS: &str = "warn,sluice_app=info,sluice_flow=info,sluice_engine=info,sluice_azure=info";

/// Name of the span field that ties a line to its invocation.
const INVOCATION_ID: &str = "invocation_id";

/// Lines of the invocations under way, by invocation id.
#[derive(Debug, Default)]
struct Lines(Mutex<HashMap<String, Vec<String>>>);

static LINES: LazyLock<Arc<Lines>> = LazyLock::new(Arc::default);

impl Lines {
    fn with<T>(&self, change: impl FnOnce(&mut HashMap<String, Vec<String>>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Collects the lines of one invocation from now on, until it is dropped.
#[derive(Debug)]
pub struct Collected {
    invocation: String,
}

/// Starts to collect the lines of an invocation.
pub fn collect(invocation: &str) -> Collected {
    LINES.with(|lines| lines.insert(invocation.to_owned(), Vec::new()));
    Collected { invocation: invocation.to_owned() }
}

impl Collected {
    /// The lines so far.
    pub fn take(&self) -> Vec<String> {
        LINES.with(|lines| lines.get_mut(&self.invocation).map(std::mem::take).unwrap_or_default())
    }
}

impl Drop for Collected {
    fn drop(&mut self) {
        LINES.with(|lines| lines.remove(&self.invocation));
    }
}

/// Sends log lines to stdout, and panics to the log.
pub fn start() {
    let levels = EnvFilter::try_from_env("SLUICE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LEVELS));
    // A second subscriber in one process (tests) changes nothing.
    let _ = tracing_subscriber::registry().with(JsonLines { lines: LINES.clone(), out: std::io::stdout }.with_filter(levels)).try_init();
    std::panic::set_hook(Box::new(|panic| {
        // A literal is safe to log; a formatted message may hold a value of a row.
        let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(formatted message withheld)");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.message = message, panic.place = place, "panic");
    }));
}

struct JsonLines<W> {
    lines: Arc<Lines>,
    out: fn() -> W,
}

struct Fields(Map<String, Value>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + 'static,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields(Map::new());
        line.0.insert("time".into(), Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true).into());
        line.0.insert("level".into(), event.metadata().level().as_str().into());
        event.record(&mut line);
        line.0.insert("target".into(), event.metadata().target().into());
        let mut invocation = None;
        for span in context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(fields) = span.extensions().get::<Fields>() {
                if let Some(Value::String(id)) = fields.0.get(INVOCATION_ID) {
                    invocation = Some(id.clone());
                }
                for (name, value) in &fields.0 {
                    line.0.entry(name).or_insert_with(|| value.clone());
                }
            }
        }
        let line = Value::Object(line.0).to_string();
        // Nothing can be done, or said, about a closed stdout.
        let _ = writeln!((self.out)(), "{line}");
        if let Some(invocation) = invocation {
            self.lines.with(|lines| {
                if let Some(collected) = lines.get_mut(&invocation)
                    && collected.len() < MOST_LINES
                {
                    collected.push(line);
                }
            });
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), without_signatures(value).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

/// Blots out the signature of any SAS: the HTTP clients below us log URLs when somebody turns their levels up.
fn without_signatures(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("sig=") {
        let (before, signature) = rest.split_at(at + "sig=".len());
        clean.push_str(before);
        clean.push_str("***");
        let end = signature.find(|c: char| !(c.is_ascii_alphanumeric() || "%+/=-_.~".contains(c))).unwrap_or(signature.len());
        rest = &signature[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;

    use super::*;

    fn quietly<T>(work: impl FnOnce() -> T) -> T {
        let layer = JsonLines { lines: LINES.clone(), out: std::io::sink };
        with_default(tracing_subscriber::registry().with(layer), work)
    }

    #[test]
    fn lines_carry_the_fields_of_their_spans_and_go_to_their_invocation_only() {
        quietly(|| {
            let (one, two) = (collect("inv-1"), collect("inv-2"));
            let span = tracing::info_span!("invocation", invocation_id = "inv-1", function = "Move", run = tracing::field::Empty);
            span.record("run", "s-1");
            span.in_scope(|| tracing::info_span!("inner", segment = 3u64).in_scope(|| tracing::info!(bytes = 7u64, "segment moved")));
            tracing::info!("outside");
            let lines = one.take();
            assert_eq!(lines.len(), 1);
            let line: Value = serde_json::from_str(&lines[0]).unwrap();
            for (name, value) in
                [("message", "segment moved"), ("invocation_id", "inv-1"), ("function", "Move"), ("run", "s-1"), ("level", "INFO")]
            {
                assert_eq!(line[name], value, "{line}");
            }
            assert_eq!((&line["segment"], &line["bytes"]), (&3.into(), &7.into()));
            assert!(two.take().is_empty());
        });
    }

    #[test]
    fn an_invocation_returns_a_bounded_number_of_lines() {
        quietly(|| {
            let collected = collect("inv-3");
            tracing::info_span!("invocation", invocation_id = "inv-3").in_scope(|| {
                for n in 0..MOST_LINES + 50 {
                    tracing::info!(n, "line");
                }
            });
            assert_eq!(collected.take().len(), MOST_LINES);
        });
    }

    #[test]
    fn a_signature_is_blotted_out_wherever_it_stands() {
        assert_eq!(without_signatures("GET https://h/c/b?sv=1&sig=a%2Bb%3D&se=2 failed"), "GET https://h/c/b?sv=1&sig=***&se=2 failed");
        assert_eq!(without_signatures("sig=x, then \"sig=y\""), "sig=***, then \"sig=***\"");
        assert_eq!(without_signatures("nothing here"), "nothing here");
    }
}
