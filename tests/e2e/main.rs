//! The main job end to end: a partner's upload with an ordinary client becomes rows of a curated table.
//!
//! One local stack (`sluice up`: Azurite, Functions host, Service Bus, Event Grid, Cosmos DB, and the handler that runs on Azure) serves all
//! tests but those that break it on purpose. Tests share nothing but the stack: each uploads to its own paths.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a test may stop at the first surprise")]

mod access;
mod bad_input;
mod client;
mod crash;
mod formats;
mod integrity;
mod lake;
mod review;
mod stack;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};
use stack::Stack;

/// A test: its name and what it does with the stack.
type Test = (&'static str, fn(Arc<Stack>) -> stack::Outcome);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(tokio::runtime::Runtime::new().expect("a runtime can be made"));
    let tests: Vec<Test> = [access::TESTS, bad_input::TESTS, formats::TESTS, integrity::TESTS, review::TESTS, crash::TESTS].concat();
    let chosen = |name: &str| arguments.filter.as_ref().is_none_or(|f| name.contains(f.as_str()));
    let wanted = !arguments.list && tests.iter().any(|(name, _)| chosen(name));
    let stack = wanted.then(|| Arc::new(runtime.block_on(Stack::start()).expect("the local stack starts")));
    let trials = tests
        .into_iter()
        .map(|(name, test)| {
            let (runtime, stack) = (runtime.clone(), stack.clone());
            Trial::test(name, move || {
                let stack = stack.ok_or("the stack was not started for this test")?;
                runtime.block_on(test(stack)).map_err(|e| format!("{e:#}").into())
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(stack) = stack {
        if conclusion.has_failed() {
            stack.explain();
        }
        runtime.block_on(stack.stop()).expect("the local stack stops cleanly");
    }
    conclusion.exit_code()
}
