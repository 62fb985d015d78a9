//! Pipelines, parameters and reference tables as stored.

use std::collections::BTreeMap;

use sluice_contract::{ParameterValue, Sources};

use super::sample::{CONTRACT, Mix, PIPELINE, csv, pipeline, upload, world};
use crate::pipelines::{self, PutError, Sample};

fn sources<'a>(pipeline: &'a str, contract: &'a str) -> Sources<'a> {
    Sources { pipeline_file: "p.yaml", pipeline, contract_file: "c.yaml", contract }
}

fn refused<T: std::fmt::Debug>(result: Result<T, PutError>) -> &'static str {
    match result.expect_err("an error is expected") {
        PutError::Error(error) => error.code(),
        PutError::Mistakes(mistakes) => panic!("{mistakes}"),
    }
}

fn mistakes<T: std::fmt::Debug>(result: Result<T, PutError>) -> Vec<String> {
    match result.expect_err("mistakes are expected") {
        PutError::Error(error) => panic!("{}", error.chain()),
        PutError::Mistakes(mistakes) => mistakes.0.into_iter().map(|m| m.code).collect(),
    }
}

const LOOKUP: &str = "tasks:\n  - lookup: { table: regions, on: { region: code }, take: { region_name: name }, missing: reject }\n";

#[tokio::test]
async fn the_same_texts_are_the_same_version_and_others_the_next() {
    let world = world().await;
    let context = &world.context;
    let same = pipelines::put(context, "someone", &sources(PIPELINE, CONTRACT)).await.expect("stored");
    assert_eq!(same.version, 1);
    let changed = PIPELINE.replace("default: 900", "default: 800");
    let next = pipelines::put(context, "someone", &sources(&changed, CONTRACT)).await.expect("stored");
    assert_eq!((next.version, next.created_by.as_str()), (2, "someone"));
    let back = pipelines::put(context, "someone", &sources(PIPELINE, CONTRACT)).await.expect("stored");
    assert_eq!(back.version, 3, "going back is a new version, so that history tells what was live when");
    let versions = pipelines::versions(context, "orders").await.expect("versions");
    assert_eq!(versions.iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(pipelines::live(context, "orders").await.expect("live").version, 3);
}

#[tokio::test]
async fn two_pipelines_never_claim_the_same_files() {
    let world = world().await;
    let context = &world.context;
    let other = pipeline("other", "orders/*", "{ csv: {} }");
    assert_eq!(refused(pipelines::put(context, "p", &sources(&other, CONTRACT)).await), "A0010");
    let moved = PIPELINE.replace("orders/*", "moved/*");
    pipelines::put(context, "p", &sources(&moved, CONTRACT)).await.expect("a pipeline may move");
    pipelines::put(context, "p", &sources(&other, CONTRACT)).await.expect("then its files are free");
    assert_eq!(refused(pipelines::put(context, "p", &sources(PIPELINE, CONTRACT)).await), "A0010");
}

#[tokio::test]
async fn every_mistake_is_reported_and_nothing_is_stored() {
    let world = world().await;
    let wrong =
        PIPELINE.replace("amount > $large", "amont > $large").replace("amount < 0", "amount <").replace("name: orders\n", "name: broken\n");
    let found = mistakes(pipelines::put(&world.context, "p", &sources(&wrong, CONTRACT)).await);
    assert!(found.len() >= 2, "{found:?}");
    // Also what only the engine sees, beside a mistake of the texts.
    let more = wrong.replace("outcome: review", "outcome: revue").replace("tasks:\n", LOOKUP);
    let all = mistakes(pipelines::put(&world.context, "p", &sources(&more, CONTRACT)).await);
    assert!(["P0004", "E0010"].iter().all(|code| all.iter().any(|c| c == code)) && all.len() == found.len() + 2, "{all:?}");
    assert!(pipelines::versions(&world.context, "broken").await.expect("versions").is_empty());
}

#[tokio::test]
async fn parameters_have_versions_and_reach_new_runs() {
    let mut world = world().await;
    let set = |value| BTreeMap::from([("large".to_owned(), value)]);
    let first = pipelines::set_parameters(&world.context, "p", "orders", set(ParameterValue::Integer(3)), "smaller").await.expect("set");
    assert_eq!(first.version, 1);
    let same = pipelines::set_parameters(&world.context, "p", "orders", set(ParameterValue::Integer(3)), "again").await.expect("set");
    assert_eq!((same.version, same.comment.as_str()), (1, "smaller"));
    let mut wrong = set(ParameterValue::Text("many".to_owned()));
    wrong.insert("huge".to_owned(), ParameterValue::Integer(3));
    wrong.insert("vast".to_owned(), ParameterValue::Integer(3));
    let wrong = pipelines::set_parameters(&world.context, "p", "orders", wrong, "").await;
    assert_eq!(mistakes(wrong), ["P0205", "P0202", "P0205"], "every name and value at once");
    let run = upload(&mut world, "orders/a.csv", csv(10, 5, Mix::default())).await;
    let pinned = run.pinned.expect("pinned");
    assert_eq!((pinned.parameters_version, pinned.parameters["large"].clone()), (1, ParameterValue::Integer(3)));
    assert_eq!(run.counts.map(|c| c.held), Some(7), "amounts over 3");
}

#[tokio::test]
async fn a_reference_table_is_needed_pinned_and_kept_usable() {
    let mut world = world().await;
    let looking = PIPELINE.replace("tasks:\n", LOOKUP);
    assert_eq!(mistakes(pipelines::put(&world.context, "p", &sources(&looking, CONTRACT)).await), ["E0010"]);
    let table = pipelines::put_table(&world.context, "p", "regions", "code,name\nnorth,Nord\n".into()).await.expect("stored");
    assert_eq!((table.rows, table.columns), (1, vec!["code".to_owned(), "name".to_owned()]));
    pipelines::put(&world.context, "p", &sources(&looking, CONTRACT)).await.expect("now it can be used");
    let without = pipelines::put_table(&world.context, "p", "regions", "code,label\nnorth,Nord\n".into()).await;
    assert_eq!(mistakes(without), ["E0011"], "a table that a live pipeline could not use is refused");
    let first = upload(&mut world, "orders/a.csv", csv(10, 5, Mix::default())).await;
    assert_eq!(first.counts.map(|c| (c.published, c.rejected)), Some((5, 5)));
    pipelines::put_table(&world.context, "p", "regions", "code,name\nnorth,Nord\nsouth,Sued\n".into()).await.expect("stored");
    let second = upload(&mut world, "orders/b.csv", csv(10, 5, Mix::default())).await;
    assert_eq!(second.counts.map(|c| c.published), Some(10));
    let pinned = |run: &crate::run::Run| run.pinned.clone().expect("pinned").tables["regions"].clone();
    assert_ne!(pinned(&first), pinned(&second));
    assert!(world.lake.blob(&pinned(&first)).is_some(), "runs under way keep their table");
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_stores_nothing() {
    let mut world = world().await;
    let body = csv(200, 10, Mix::ALL);
    let run = upload(&mut world, "orders/a.csv", body.clone()).await;
    let before = world.catalog.contents().len() + world.lake.contents().len();
    let bytes = Sample::Bytes { name: "a.csv".to_owned(), bytes: body.into() };
    for sample in [bytes, Sample::Run(run.run_id.clone())] {
        let found = pipelines::dry_run(&world.context, &sources(PIPELINE, CONTRACT), sample, 1 << 20).await.expect("tried");
        let counts = run.counts.expect("gathered");
        let totals = found.tally.totals;
        assert_eq!((totals.rows, totals.accepted, totals.rejected, totals.held), (200, counts.published, counts.rejected, counts.held));
        assert!(!found.truncated && found.refusals.is_empty() && found.held.len() as u64 == counts.held.min(50));
        assert!(found.rejected.lines().count() as u64 > counts.rejected, "a header and the rejected rows: {}", found.rejected);
    }
    let cut = Sample::Run(run.run_id.clone());
    let found = pipelines::dry_run(&world.context, &sources(PIPELINE, CONTRACT), cut, 2_000).await.expect("tried");
    assert!(found.truncated && (20..100).contains(&found.tally.totals.rows), "{:?}", found.tally.totals);
    assert_eq!(world.catalog.contents().len() + world.lake.contents().len(), before, "nothing is stored");
}

#[tokio::test]
async fn the_taker_of_a_path_is_told_and_otherwise_the_nearest_paths() {
    let world = world().await;
    let context = &world.context;
    world.put_pipeline(&pipeline("special", "orders/special-*", "{ csv: {} }"), CONTRACT).await;
    world.put_pipeline(&pipeline("returns", "returns/*", "{ csv: {} }"), CONTRACT).await;
    let taker = async |partner: &str, path: &str| pipelines::taker(context, partner, path).await.expect("an answer");
    assert_eq!(taker("acme", "orders/special-1.csv").await.as_deref(), Some("special"), "the longer path wins");
    assert_eq!(taker("acme", "orders/1.csv").await.as_deref(), Some("orders"));
    assert_eq!((taker("acme", "return/1.csv").await, taker("other", "orders/1.csv").await), (None, None));
    let near = pipelines::nearest_paths(context, "acme", "return/1.csv").await.expect("an answer");
    assert_eq!(near, ["returns/*", "orders/*", "orders/special-*"]);
}

#[tokio::test]
async fn a_case_about_a_value_names_its_column() {
    let mut world = world().await;
    pipelines::put_table(&world.context, "p", "regions", "code,name\nnorth,Nord\n".into()).await.expect("stored");
    let looking = PIPELINE.replace("tasks:\n", &LOOKUP.replace("reject", "review"));
    world.put_pipeline(&looking, CONTRACT).await;
    upload(&mut world, "orders/a.csv", csv(10, 5, Mix::default())).await;
    let cases: Vec<crate::review::ReviewCase> =
        world.catalog.contents().values().filter(|d| d.kind == "case").map(|d| d.parse().expect("a case")).collect();
    assert_eq!(cases.len(), 1);
    assert_eq!((cases[0].cause.as_str(), cases[0].column.as_deref()), ("R0303", Some("region")));
    assert!(cases[0].title.starts_with("region: "), "{}", cases[0].title);
}
