//! host.json: the parts that a custom handler's app can feel.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::AppMistakes;
use super::function::expand_setting;
use crate::timespan::TimeSpan;

/// How requests reach a function that has one `httpTrigger` and one `http` output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpMode {
    /// As a JSON envelope, like every other trigger.
    Envelope,
    /// `enableForwardingHttpRequest`: the request itself, buffered; a chunked body is dropped.
    Forwarding,
    /// `enableProxyingHttpRequest`: the request itself, streamed.
    Proxying,
}

/// `extensions.serviceBus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceBusOptions {
    pub(crate) max_concurrent_calls: usize,
    /// `None`: renewed for as long as the invocation runs.
    pub(crate) max_auto_lock_renewal: Option<Duration>,
}

/// host.json, with the defaults of the Functions host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostJson {
    pub(crate) executable: String,
    pub(crate) working_directory: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) port: Option<u16>,
    pub(crate) http_mode: HttpMode,
    pub(crate) initialization_timeout: Duration,
    pub(crate) route_prefix: String,
    pub(crate) service_bus: ServiceBusOptions,
    /// `None`: no limit.
    pub(crate) function_timeout: Option<Duration>,
    pub(crate) has_extension_bundle: bool,
}

/// Flex Consumption's default; see `ScriptJobHostOptionsSetup`.
const DEFAULT_FUNCTION_TIMEOUT: Duration = Duration::from_mins(30);
const DEFAULT_INITIALIZATION_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_LOCK_RENEWAL: Duration = Duration::from_mins(5);
/// `ServiceBusOptions` multiplies this by the number of cores.
const DEFAULT_CALLS_PER_CORE: usize = 16;

impl HostJson {
    /// Reads host.json; adds what is wrong to `mistakes` and goes on with defaults.
    pub(crate) fn read(json: &Value, path: &Path, settings: &BTreeMap<String, String>, mistakes: &mut AppMistakes) -> Self {
        let mut wrong = |message: String| mistakes.add(path, message);
        if json.get("version").and_then(Value::as_str) != Some("2.0") {
            wrong(format!("version: expected \"2.0\", found {}", found(json.get("version"))));
        }
        let handler = json.get("customHandler");
        let description = handler.and_then(|h| h.get("description"));
        let executable = description.and_then(|d| d.get("defaultExecutablePath")).and_then(Value::as_str).unwrap_or_default();
        if executable.is_empty() {
            wrong("customHandler.description.defaultExecutablePath: expected the name of the handler's executable".into());
        }
        let mut arguments = Vec::new();
        for argument in description.and_then(|d| d.get("arguments")).and_then(Value::as_array).into_iter().flatten() {
            match argument.as_str() {
                Some(text) => match expand_setting(text, settings) {
                    Ok(text) => arguments.push(text),
                    Err(error) => wrong(format!("customHandler.description.arguments: {error}")),
                },
                None => wrong(format!("customHandler.description.arguments: expected strings, found {argument}")),
            }
        }
        let flag = |name: &str| handler.and_then(|h| h.get(name)).and_then(Value::as_bool) == Some(true);
        let http_mode = if flag("enableProxyingHttpRequest") {
            HttpMode::Proxying
        } else if flag("enableForwardingHttpRequest") {
            HttpMode::Forwarding
        } else {
            HttpMode::Envelope
        };
        if handler.and_then(|h| h.get("http")).is_some() {
            wrong("customHandler.http: expected functions in function.json files; the real host refuses both together".into());
        }
        let port = match handler.and_then(|h| h.get("port")) {
            None => None,
            Some(value) => match value.as_str().map_or_else(|| value.as_u64(), |s| s.parse().ok()).and_then(|p| u16::try_from(p).ok()) {
                Some(port) if port > 0 => Some(port),
                _ => {
                    wrong(format!("customHandler.port: expected 1 to 65535, or nothing for a free port, found {value}"));
                    None
                }
            },
        };
        let mut span = |value: Option<&Value>, name: &str| -> Option<TimeSpan> {
            let value = value?;
            match value.as_str().ok_or_else(|| format!("expected a time span in quotes, found {value}")).and_then(TimeSpan::parse) {
                Ok(span) => Some(span),
                Err(error) => {
                    mistakes.add(path, format!("{name}: {error}"));
                    None
                }
            }
        };
        let function_timeout = span(json.get("functionTimeout"), "functionTimeout").map_or(Some(DEFAULT_FUNCTION_TIMEOUT), TimeSpan::limit);
        let initialization_timeout = span(handler.and_then(|h| h.get("initializationTimeout")), "customHandler.initializationTimeout")
            .and_then(TimeSpan::limit)
            .unwrap_or(DEFAULT_INITIALIZATION_TIMEOUT);
        let bus = json.pointer("/extensions/serviceBus");
        let max_auto_lock_renewal =
            span(bus.and_then(|b| b.get("maxAutoLockRenewalDuration")), "extensions.serviceBus.maxAutoLockRenewalDuration")
                .map_or(Some(DEFAULT_LOCK_RENEWAL), TimeSpan::limit);
        let mut wrong = |message: String| mistakes.add(path, message);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let max_concurrent_calls = match bus.and_then(|b| b.get("maxConcurrentCalls")) {
            None => DEFAULT_CALLS_PER_CORE * cores,
            Some(value) => value.as_u64().filter(|n| *n > 0).map_or_else(
                || {
                    wrong(format!("extensions.serviceBus.maxConcurrentCalls: expected a number above 0, found {value}"));
                    1
                },
                |n| n as usize,
            ),
        };
        if let Some(value) = bus.and_then(|b| b.get("prefetchCount"))
            && value.as_u64().is_none()
        {
            wrong(format!("extensions.serviceBus.prefetchCount: expected 0 or more, found {value}"));
        }
        if bus.and_then(|b| b.get("autoCompleteMessages")).and_then(Value::as_bool) == Some(false) {
            wrong(
                "extensions.serviceBus.autoCompleteMessages: expected true; a custom handler cannot settle a message, so none would ever be completed"
                    .into(),
            );
        }
        let route_prefix =
            json.pointer("/extensions/http/routePrefix").and_then(Value::as_str).unwrap_or("api").trim_matches('/').to_owned();
        Self {
            executable: executable.to_owned(),
            working_directory: description.and_then(|d| d.get("workingDirectory")).and_then(Value::as_str).unwrap_or_default().to_owned(),
            arguments,
            port,
            http_mode,
            initialization_timeout,
            route_prefix,
            service_bus: ServiceBusOptions { max_concurrent_calls, max_auto_lock_renewal },
            function_timeout,
            has_extension_bundle: json.get("extensionBundle").is_some(),
        }
    }
}

fn found(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
