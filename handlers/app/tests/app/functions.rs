//! The files of functions/ and host.json say what the table of functions says (invariant 12).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sluice_app::functions::{FUNCTIONS, Function, Trigger};
use sluice_flow::Step;

use super::harness::{Harness, golden, json_file, root};

fn files() -> BTreeMap<String, Value> {
    let folders = std::fs::read_dir(root().join("functions")).unwrap();
    let names = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    names.map(|name| (name.clone(), json_file(&format!("functions/{name}/function.json")))).collect()
}

/// What the table says a function.json must be.
fn expected(function: &Function) -> Value {
    let mut trigger = json!({ "name": function.binding(), "direction": "in" });
    let mut more = Vec::new();
    match function.trigger {
        Trigger::BlobCreated => trigger["type"] = "eventGridTrigger".into(),
        Trigger::Queue(step) | Trigger::DeadLetter(step) => {
            let suffix = if matches!(function.trigger, Trigger::DeadLetter(_)) { "/$DeadLetterQueue" } else { "" };
            trigger["type"] = "serviceBusTrigger".into();
            trigger["queueName"] = format!("{step}{suffix}").into();
            trigger["connection"] = "ServiceBus".into();
        }
        Trigger::Timer { schedule } => {
            trigger["type"] = "timerTrigger".into();
            trigger["schedule"] = schedule.into();
            trigger["runOnStartup"] = false.into();
            trigger["useMonitor"] = true.into();
        }
        Trigger::Http { route } => {
            trigger["type"] = "httpTrigger".into();
            trigger["authLevel"] = "anonymous".into();
            trigger["route"] = route.into();
            more.push(json!({ "name": "res", "type": "http", "direction": "out" }));
        }
    }
    for step in function.outputs {
        more.push(
            json!({ "name": step.name(), "type": "serviceBus", "direction": "out", "queueName": step.name(), "connection": "ServiceBus" }),
        );
    }
    let mut bindings = vec![trigger];
    bindings.extend(more);
    json!({ "bindings": bindings })
}

#[test]
fn every_file_says_what_the_table_says() {
    let files = files();
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, FUNCTIONS.iter().map(|f| f.name).collect(), "folders of functions/ and the table");
    for function in FUNCTIONS {
        // As values: the order of keys in the file is the author's.
        let mut found = files[function.name].clone();
        let mut wanted = expected(function);
        found.sort_all_objects();
        wanted.sort_all_objects();
        assert_eq!(found, wanted, "functions/{}/function.json", function.name);
    }
}

#[test]
fn every_step_has_its_function_and_every_queue_its_dead_letter_function() {
    for step in Step::ALL {
        let function = Function::of_step(step).unwrap_or_else(|| panic!("no function serves queue {step}"));
        let dead: Vec<_> = FUNCTIONS.iter().filter(|f| f.trigger == Trigger::DeadLetter(step)).collect();
        assert_eq!(dead.len(), 1, "{step}");
        assert_eq!(dead[0].name, format!("{}DeadLetter", function.name));
        // A step has one name everywhere, but the two whose queue is a noun: the table of DESIGN section 4 names them so.
        let expected = match step {
            Step::Reviews => "review",
            Step::Decisions => "decide",
            step => step.name(),
        };
        assert_eq!(function.name.to_lowercase(), expected);
    }
}

#[tokio::test]
async fn every_http_function_is_mounted() {
    let harness = Harness::start().await;
    for function in FUNCTIONS {
        let Some(resource) = function.resource() else { continue };
        let answer = harness.call("GET", &format!("/{resource}"), None, None).await;
        // `rows` and `parameters` have no listing of their own; that their paths are mounted is seen one level below.
        let below = harness.call("GET", &format!("/{resource}/x"), None, None).await;
        let below_two = harness.call("GET", &format!("/{resource}/x/1"), None, None).await;
        assert!([answer.status, below.status, below_two.status].iter().any(|status| *status != 404), "{}: {resource}", function.name);
    }
}

/// Functions that a request can reach without a token, or whose authentication is not ours.
#[test]
fn exceptions_from_authentication_are_known() {
    let mut lines = vec!["# Functions and operations that need no access token, and why. A test holds this list.".to_owned()];
    for function in FUNCTIONS {
        let why = match function.trigger {
            Trigger::Http { .. } => continue,
            Trigger::BlobCreated => "the host checks the eventgrid_extension system key of the webhook",
            Trigger::Queue(_) | Trigger::DeadLetter(_) => "the host reads the queue with its own identity",
            Trigger::Timer { .. } => "started by the host alone",
        };
        lines.push(format!("function {}: {why}", function.name));
    }
    for rule in sluice_app::auth::access::RULES.iter().filter(|rule| rule.roles.is_empty()) {
        lines.push(format!("operation {} {}", rule.method, rule.path));
    }
    golden("handlers/app/tests/unauthenticated.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn host_settings_are_the_chosen_ones() {
    let host = json_file("host.json");
    let bus = &host["extensions"]["serviceBus"];
    assert_eq!(bus["autoCompleteMessages"], true, "a custom handler cannot settle messages itself");
    assert_eq!(bus["prefetchCount"], 0, "a prefetched message's lock runs while it waits");
    assert_eq!(bus["maxAutoLockRenewalDuration"], host["functionTimeout"], "a lock lives as long as its invocation may");
    assert_eq!(host["extensions"]["http"]["routePrefix"], sluice_app::server::ROUTE_PREFIX.trim_start_matches('/'));
    assert_eq!(host["customHandler"]["description"]["defaultExecutablePath"], "handler");
    assert_eq!(host["customHandler"]["enableProxyingHttpRequest"], true);
    assert!(host["customHandler"].get("http").is_none(), "the host refuses it beside function.json files");
    assert!(host.get("retry").is_none() && files().values().all(|f| f.get("retry").is_none()), "Service Bus triggers know no retry policy");
}

#[test]
fn local_settings_hold_no_secret() {
    // Public keys of the emulators: Azurite's README and the Cosmos DB emulator's documentation print them.
    let public = [
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw==",
    ];
    for (name, value) in json_file("local.settings.json")["Values"].as_object().unwrap() {
        let value = value.as_str().unwrap();
        if name.contains("KEY") {
            assert!(public.contains(&value), "{name}");
        }
        assert!(!value.contains("AccountKey=") && !value.contains("SharedAccessKey="), "{name}");
    }
}
