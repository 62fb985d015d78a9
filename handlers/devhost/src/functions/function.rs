//! One function.json: a trigger and its outputs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{AppMistakes, RouteTemplate};
use crate::timers::Schedule;

/// A function as its function.json describes it.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// Name of the trigger binding: the key in `Data`.
    pub(crate) binding: String,
    pub(crate) trigger: Trigger,
    pub(crate) outputs: Vec<Output>,
}

/// What starts a function.
#[derive(Debug, Clone)]
pub(crate) enum Trigger {
    Http(HttpTrigger),
    ServiceBus {
        queue: String,
        /// `dataType: "binary"`: the handler gets base64 of the body.
        binary: bool,
    },
    EventGrid,
    Timer {
        schedule: Schedule,
        run_on_startup: bool,
        use_monitor: bool,
    },
}

/// Route and methods of an `httpTrigger`.
#[derive(Debug, Clone)]
pub(crate) struct HttpTrigger {
    pub(crate) route: RouteTemplate,
    /// Upper case; empty: all.
    pub(crate) methods: Vec<String>,
}

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputKind {
    Http,
    ServiceBus { queue: String },
}

/// One output binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// `$return` takes the response's `ReturnValue`.
    pub(crate) name: String,
    pub(crate) kind: OutputKind,
    /// `dataType: "binary"` switches the base64 decoding of strings off.
    pub(crate) binary: bool,
}

impl Function {
    /// Whether the host hands the HTTP request itself to the handler when forwarding or proxying is on.
    pub(crate) fn is_http_in_and_out(&self) -> bool {
        matches!(self.trigger, Trigger::Http(_)) && matches!(self.outputs.as_slice(), [Output { kind: OutputKind::Http, .. }])
    }

    /// Word for the invocation log.
    pub(crate) fn trigger_kind(&self) -> &'static str {
        match self.trigger {
            Trigger::Http(_) => "http",
            Trigger::ServiceBus { .. } => "serviceBus",
            Trigger::EventGrid => "eventGrid",
            Trigger::Timer { .. } => "timer",
        }
    }

    /// Reads a function.json; `None` if it has mistakes, which are added to `mistakes`.
    pub(crate) fn read(
        name: &str,
        json: &Value,
        file: &Path,
        settings: &BTreeMap<String, String>,
        mistakes: &mut AppMistakes,
    ) -> Option<Self> {
        let before = mistakes.0.len();
        let mut reader = Reader { file, settings, mistakes };
        reader.check_name(name);
        if json.get("retry").is_some() {
            reader.wrong("retry: not imitated, and without effect on Service Bus, Event Grid and HTTP triggers on Azure too");
        }
        let Some(bindings) = json.get("bindings").and_then(Value::as_array) else {
            reader.wrong("bindings: expected a list of bindings");
            return None;
        };
        let mut trigger = None;
        let mut outputs = Vec::new();
        let mut names = BTreeSet::new();
        for (index, binding) in bindings.iter().enumerate() {
            let at = format!("bindings[{index}]");
            let binding_name = reader.text(binding, "name", &at);
            if let Some(binding_name) = &binding_name
                && !names.insert(binding_name.to_ascii_lowercase())
            {
                reader.wrong(format!("{at}.name: \"{binding_name}\" is the name of another binding of this function"));
            }
            let Some(kind) = reader.text(binding, "type", &at) else { continue };
            let direction = binding.get("direction").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            let expected_direction = if kind.to_ascii_lowercase().ends_with("trigger") { "in" } else { "out" };
            let read = reader.binding(&kind, binding, &at, name);
            if read.is_some() && direction != expected_direction {
                reader.wrong(format!("{at}.direction: expected \"{expected_direction}\" for {kind}, found \"{direction}\""));
            }
            match (read, binding_name) {
                (Some(Binding::Trigger(_)), Some(_)) if trigger.is_some() => {
                    reader.wrong(format!("{at}: a second trigger; a function has exactly one"));
                }
                (Some(Binding::Trigger(read)), Some(binding_name)) => trigger = Some((binding_name, read)),
                (Some(Binding::Output { kind, binary }), Some(name)) => outputs.push(Output { name, kind, binary }),
                _ => {}
            }
        }
        if trigger.is_none() && mistakes.0.len() == before {
            mistakes.add(file, "bindings: expected one trigger, found none");
        }
        let (binding, trigger) = trigger?;
        (mistakes.0.len() == before).then(|| Self { name: name.to_owned(), file: file.to_owned(), binding, trigger, outputs })
    }
}

enum Binding {
    Trigger(Trigger),
    Output { kind: OutputKind, binary: bool },
}

struct Reader<'a> {
    file: &'a Path,
    settings: &'a BTreeMap<String, String>,
    mistakes: &'a mut AppMistakes,
}

impl Reader<'_> {
    fn wrong(&mut self, message: impl Into<String>) {
        self.mistakes.add(self.file, message);
    }

    fn check_name(&mut self, name: &str) {
        let mut characters = name.chars();
        let starts_well = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
        if !starts_well || name.len() > 128 || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            self.wrong(format!("folder name \"{name}\": expected a letter, then letters, digits, '-' or '_', 128 at most"));
        }
    }

    fn text(&mut self, binding: &Value, key: &str, at: &str) -> Option<String> {
        match binding.get(key).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => {
                self.wrong(format!("{at}.{key}: expected a text, found {}", binding.get(key).map_or("nothing".into(), Value::to_string)));
                None
            }
        }
    }

    fn setting(&mut self, binding: &Value, key: &str, at: &str) -> Option<String> {
        let text = self.text(binding, key, at)?;
        match expand_setting(&text, self.settings) {
            Ok(text) => Some(text),
            Err(error) => {
                self.wrong(format!("{at}.{key}: {error}"));
                None
            }
        }
    }

    fn binding(&mut self, kind: &str, binding: &Value, at: &str, function: &str) -> Option<Binding> {
        let data_type = binding.get("dataType").and_then(Value::as_str).unwrap_or("string").to_ascii_lowercase();
        if !matches!(data_type.as_str(), "string" | "binary") {
            self.wrong(format!("{at}.dataType: expected \"string\" or \"binary\", found \"{data_type}\""));
        }
        let binary = data_type == "binary";
        if binding.get("cardinality").and_then(Value::as_str).is_some_and(|c| c.eq_ignore_ascii_case("many")) {
            self.wrong(format!("{at}.cardinality: \"many\" is not imitated; expected \"one\""));
        }
        match kind.to_ascii_lowercase().as_str() {
            "httptrigger" => {
                let route = binding.get("route").and_then(Value::as_str).unwrap_or(function);
                let route = match RouteTemplate::parse(route) {
                    Ok(route) => route,
                    Err(error) => {
                        self.wrong(format!("{at}.route: {error}"));
                        return None;
                    }
                };
                let methods = binding.get("methods").and_then(Value::as_array).into_iter().flatten();
                let methods = methods.filter_map(Value::as_str).map(str::to_ascii_uppercase).collect();
                Some(Binding::Trigger(Trigger::Http(HttpTrigger { route, methods })))
            }
            "servicebustrigger" => {
                if binding.get("isSessionsEnabled").and_then(Value::as_bool) == Some(true) {
                    self.wrong(format!("{at}.isSessionsEnabled: sessions are not imitated"));
                }
                self.queue(binding, at).map(|queue| Binding::Trigger(Trigger::ServiceBus { queue, binary }))
            }
            "eventgridtrigger" => Some(Binding::Trigger(Trigger::EventGrid)),
            "timertrigger" => {
                let text = self.setting(binding, "schedule", at)?;
                match Schedule::parse(&text) {
                    Ok(schedule) => Some(Binding::Trigger(Trigger::Timer {
                        schedule,
                        run_on_startup: binding.get("runOnStartup").and_then(Value::as_bool).unwrap_or(false),
                        use_monitor: binding.get("useMonitor").and_then(Value::as_bool).unwrap_or(true),
                    })),
                    Err(error) => {
                        self.wrong(format!("{at}.schedule: {error}"));
                        None
                    }
                }
            }
            "http" => Some(Binding::Output { kind: OutputKind::Http, binary }),
            "servicebus" => self.queue(binding, at).map(|queue| Binding::Output { kind: OutputKind::ServiceBus { queue }, binary }),
            _ => {
                self.wrong(format!(
                    "{at}.type: \"{kind}\" is unknown here; expected httpTrigger, serviceBusTrigger, eventGridTrigger, timerTrigger, http or serviceBus"
                ));
                None
            }
        }
    }

    fn queue(&mut self, binding: &Value, at: &str) -> Option<String> {
        if binding.get("topicName").is_some() {
            self.wrong(format!("{at}.topicName: topics are not imitated; expected queueName"));
            return None;
        }
        self.setting(binding, "queueName", at)
    }
}

/// Replaces `%NAME%` by settings, as the host's name resolver does.
pub(crate) fn expand_setting(text: &str, settings: &BTreeMap<String, String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let Some(length) = rest[start + 1..].find('%') else { break };
        let name = &rest[start + 1..start + 1 + length];
        let value = settings.get(name).ok_or_else(|| format!("\"%{name}%\" names a setting that does not exist"))?;
        expanded.push_str(&rest[..start]);
        expanded.push_str(value);
        rest = &rest[start + length + 2..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}
