//! The app as its files describe it: host.json and one function.json a function.

mod function;
mod host_json;
mod mistakes;
mod route;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use function::{Function, OutputKind, Trigger};
pub(crate) use host_json::{HostJson, HttpMode};
pub use mistakes::{AppMistake, AppMistakes};
pub(crate) use route::RouteTemplate;

/// host.json and the functions, checked.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) root: PathBuf,
    pub(crate) host: HostJson,
    pub(crate) functions: Vec<Function>,
}

impl App {
    /// Reads the app; reports all mistakes of all files at once.
    pub(crate) fn load(root: &Path, settings: &BTreeMap<String, String>) -> Result<Self, AppMistakes> {
        let mut mistakes = AppMistakes::default();
        let host_path = root.join("host.json");
        let host = read_json(&host_path, &mut mistakes).map(|json| HostJson::read(&json, &host_path, settings, &mut mistakes));

        let nested = root.join("functions");
        let holder = if nested.is_dir() { nested } else { root.to_owned() };
        let mut functions = Vec::new();
        for folder in folders_with_functions(&holder, &mut mistakes) {
            let file = folder.join("function.json");
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(json) = read_json(&file, &mut mistakes) else { continue };
            let disabled =
                settings.get(&format!("AzureWebJobs.{name}.Disabled")).is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1");
            if disabled || json.get("disabled").and_then(serde_json::Value::as_bool) == Some(true) {
                continue;
            }
            functions.extend(Function::read(&name, &json, &file, settings, &mut mistakes));
        }
        if functions.is_empty() && mistakes.is_empty() {
            mistakes.add(&holder, "no function found: expected <Name>/function.json in an immediate subfolder");
        }
        report_duplicates(&functions, &mut mistakes);
        match host {
            Some(host) if mistakes.is_empty() => {
                if !host.has_extension_bundle && functions.iter().any(|f| !matches!(f.trigger, Trigger::Http(_) | Trigger::Timer { .. })) {
                    mistakes.add(&host_path, "extensionBundle is missing: without it the host knows no Service Bus or Event Grid binding");
                    return Err(mistakes);
                }
                Ok(Self { root: root.to_owned(), host, functions })
            }
            _ => Err(mistakes),
        }
    }

    /// A function by name; Azure compares names without regard to case.
    pub(crate) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|f| f.name.eq_ignore_ascii_case(name))
    }

    /// Every queue that a trigger or an output names.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().flat_map(|function| {
            let trigger = match &function.trigger {
                Trigger::ServiceBus { queue, .. } => Some(queue.as_str()),
                _ => None,
            };
            let outputs = function.outputs.iter().filter_map(|output| match &output.kind {
                OutputKind::ServiceBus { queue } => Some(queue.as_str()),
                OutputKind::Http => None,
            });
            trigger.into_iter().chain(outputs)
        })
    }
}

fn read_json(path: &Path, mistakes: &mut AppMistakes) -> Option<serde_json::Value> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            mistakes.add(path, format!("cannot be read: {error}"));
            return None;
        }
    };
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => Some(value),
        Err(error) => {
            mistakes.add(path, format!("is not JSON: {error}"));
            None
        }
    }
}

fn folders_with_functions(holder: &Path, mistakes: &mut AppMistakes) -> Vec<PathBuf> {
    let entries = match fs::read_dir(holder) {
        Ok(entries) => entries,
        Err(error) => {
            mistakes.add(holder, format!("cannot be listed: {error}"));
            return Vec::new();
        }
    };
    let mut folders: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.join("function.json").is_file()).collect();
    folders.sort();
    folders
}

fn report_duplicates(functions: &[Function], mistakes: &mut AppMistakes) {
    for (index, function) in functions.iter().enumerate() {
        for other in &functions[..index] {
            if function.name.eq_ignore_ascii_case(&other.name) {
                mistakes.add(&function.file, format!("function name {} differs from {} by case only", function.name, other.name));
            }
            let (Trigger::Http(mine), Trigger::Http(theirs)) = (&function.trigger, &other.trigger) else { continue };
            if mine.route.same_shape(&theirs.route) {
                let shared: Vec<&str> = mine.methods.iter().filter(|m| theirs.methods.contains(m)).map(String::as_str).collect();
                let both_any = mine.methods.is_empty() || theirs.methods.is_empty();
                if both_any || !shared.is_empty() {
                    let methods = if both_any { "all methods".to_owned() } else { shared.join(", ") };
                    mistakes
                        .add(&function.file, format!("route \"{}\" ({methods}) is also the route of function {}", mine.route, other.name));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
