//! A pipeline file and a contract file, parted by a NUL character: a plan, or mistakes with a code and a place in one of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_contract::{Draft, Mistake, Sources};
use sluice_engine::{Compiled, ReferenceTables, Secrets};

fn check(sources: &Sources<'_>, mistake: &Mistake) {
    let text = match mistake.file.as_str() {
        "p.yaml" => sources.pipeline,
        "c.yaml" => sources.contract,
        other => panic!("a mistake in {other}"),
    };
    assert!(mistake.code.len() == 5 && !mistake.message.is_empty(), "{mistake}");
    // YAML ends a line at CR, LF or both; one more line for a place behind the end.
    let lines = text.split(['\n', '\r']).count() + 1;
    assert!(mistake.line <= lines, "a mistake on line {} of {lines}: {mistake}", mistake.line);
    assert!(mistake.line > 0 || mistake.code.starts_with('E') || text.len() > 1 << 20 || mistake.code == "S0003", "no place: {mistake}");
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (pipeline, contract) = text.split_once('\0').unwrap_or((&text, ""));
    let sources = Sources { pipeline_file: "p.yaml", pipeline, contract_file: "c.yaml", contract };
    let draft = Draft::read(&sources);
    draft.mistakes.iter().for_each(|mistake| check(&sources, mistake));
    let Some(plan) = &draft.plan else {
        assert!(!draft.mistakes.is_empty(), "no plan and no mistake");
        return;
    };
    // A plan survives its own form in the catalog.
    let json = serde_json::to_string(plan).expect("a plan is JSON");
    assert!(serde_json::from_str::<sluice_contract::Plan>(&json).expect("its own JSON") == *plan, "a plan changes when it is stored");
    let parameters = plan.pipeline.parameters.iter().map(|(name, spec)| (name.clone(), spec.default.clone())).collect();
    if let Err(found) = Compiled::of_draft(draft, &sources, parameters, ReferenceTables::default(), Secrets::default()) {
        for mistake in found.0 {
            assert!(mistake.code.len() == 5 && !mistake.message.is_empty(), "{mistake}");
        }
    }
});
