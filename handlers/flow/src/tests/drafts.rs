//! Drafts go live through somebody else, and a comparison tells what they would change.

use sluice_contract::Sources;

use super::{
    review::person,
    sample::{CONTRACT, Mix, PIPELINE, csv, upload, world},
};
use crate::{
    Catalog, Committed, Document, DocumentPage, Query, Write,
    pipelines::{self, Over, PutError, SampleOutcome},
};

fn sources(pipeline: &str) -> Sources<'_> {
    Sources { pipeline_file: "p.yaml", pipeline, contract_file: "c.yaml", contract: CONTRACT }
}

fn code<T: std::fmt::Debug>(result: Result<T, PutError>) -> &'static str {
    match result.expect_err("refused") {
        PutError::Error(error) => error.code(),
        PutError::Mistakes(mistakes) => panic!("{mistakes}"),
    }
}

#[tokio::test]
async fn a_draft_goes_live_only_when_somebody_else_approves_it() {
    let world = world().await;
    let context = &world.context;
    assert_eq!(pipelines::draft(context, "orders").await.expect_err("no draft").code(), "A0404");
    let changed = PIPELINE.replace("default: 900", "default: 800");
    let draft = pipelines::put_draft(context, &person("emil"), &sources(&changed), Over::Anything).await.expect("stored");
    assert_eq!(pipelines::draft(context, "orders").await.expect("a draft"), draft);
    assert_eq!(pipelines::live(context, "orders").await.expect("live").version, 1, "nothing goes live by itself");
    // Storing the same texts does not make them somebody else's, who could then be approved by their author.
    let again = pipelines::put_draft(context, &person("olga"), &sources(&changed), Over::Anything).await.expect("stored");
    assert_eq!(again.author, person("emil"));
    assert_eq!(code(pipelines::approve_draft(context, &person("emil"), "orders", &draft.hash).await), "A0403");
    assert_eq!(code(pipelines::approve_draft(context, &person("olga"), "orders", "another").await), "A0409");
    let version = pipelines::approve_draft(context, &person("olga"), "orders", &draft.hash).await.expect("approved");
    assert_eq!((version.version, version.created_by.as_str(), version.approved_by.as_deref()), (2, "emil", Some("olga")));
    assert_eq!((version.created_by_name.as_deref(), version.approved_by_name.as_deref()), (Some("EMIL"), Some("OLGA")));
    assert_eq!(pipelines::live(context, "orders").await.expect("live").version, 2);
    assert_eq!(pipelines::draft(context, "orders").await.expect_err("no draft any more").code(), "A0404");
    assert_eq!(pipelines::get(context, "orders", 1).await.expect("version 1").approved_by, None);
}

#[tokio::test]
async fn a_draft_takes_the_place_of_the_one_that_was_read_only() {
    let world = world().await;
    let context = &world.context;
    let texts = |large: u32| PIPELINE.replace("default: 900", &format!("default: {large}"));
    let put =
        async |who: &str, large: u32, over: Over<'_>| pipelines::put_draft(context, &person(who), &sources(&texts(large)), over).await;
    assert_eq!(code(put("emil", 1, Over::Draft("another")).await), "A0412", "there is none");
    let first = put("emil", 1, Over::Nothing).await.expect("stored");
    assert_eq!(code(put("olga", 2, Over::Nothing).await), "A0412");
    let second = put("olga", 2, Over::Draft(&first.hash)).await.expect("stored");
    let lost = put("emil", 3, Over::Draft(&first.hash)).await;
    assert!(matches!(&lost, Err(PutError::Error(error)) if error.message().contains("OLGA")), "{lost:?}");
    assert_eq!(code(lost), "A0412");
    assert_eq!(pipelines::draft(context, "orders").await.expect("a draft"), second);
}

#[tokio::test]
async fn of_many_who_store_a_draft_over_the_same_one_wins() {
    let world = world().await;
    let context = &world.context;
    let first = pipelines::put_draft(context, &person("emil"), &sources(PIPELINE), Over::Nothing).await.expect("stored");
    let texts: Vec<String> = (0..8).map(|large| PIPELINE.replace("default: 900", &format!("default: {large}"))).collect();
    let together = std::sync::Arc::new(tokio::sync::Barrier::new(texts.len()));
    // All of them have read the draft before the first one writes.
    let catalog = std::sync::Arc::new(Waiting { inner: world.catalog.clone(), together });
    let raced = crate::Context { catalog, ..context.clone() };
    let puts = texts.iter().map(|text| {
        let (raced, hash) = (raced.clone(), first.hash.clone());
        async move { pipelines::put_draft(&raced, &person("emil"), &sources(text), Over::Draft(&hash)).await }
    });
    let (stored, refused): (Vec<_>, Vec<_>) = futures::future::join_all(puts).await.into_iter().partition(Result::is_ok);
    assert_eq!((stored.len(), refused.len()), (1, 7));
    assert!(refused.into_iter().all(|refused| code(refused) == "A0412"));
    let left = pipelines::draft(context, "orders").await.expect("a draft");
    assert_eq!(stored.into_iter().map(|s| s.expect("stored").hash).collect::<Vec<_>>(), [left.hash]);
}

#[tokio::test]
async fn a_draft_is_checked_and_can_be_thrown_away() {
    let world = world().await;
    let context = &world.context;
    let wrong = PIPELINE.replace("amount < 0", "amonut < 0");
    let refused = pipelines::put_draft(context, &person("emil"), &sources(&wrong), Over::Anything).await;
    assert!(matches!(refused, Err(PutError::Mistakes(mistakes)) if mistakes.0.len() == 1));
    pipelines::put_draft(context, &person("emil"), &sources(PIPELINE), Over::Anything).await.expect("stored");
    pipelines::delete_draft(context, &person("olga"), "orders").await.expect("thrown away");
    assert_eq!(pipelines::delete_draft(context, &person("olga"), "orders").await.expect_err("gone").code(), "A0404");
    let traces: Vec<_> = world.catalog.contents().into_values().filter(|d| d.kind == "withdrawnDraft").collect();
    assert_eq!(traces.len(), 1);
    assert_eq!(traces[0].body["withdrawn_by"]["id"], "olga");
}

#[tokio::test]
async fn a_comparison_tells_the_rows_that_end_otherwise() {
    let mut world = world().await;
    // Of 60 rows 11, 22, 33, 44 and 55 are held and 13, 26, 39 and 52 are rejected.
    let mix = Mix { large: 11, negative: 13, ..Mix::default() };
    let run = upload(&mut world, "orders/a.csv", csv(60, 20, mix)).await;
    let context = &world.context;
    let same = pipelines::compare(context, &sources(PIPELINE), &run.run_id, 1 << 20).await.expect("compared");
    assert_eq!((same.rows, same.changed_rows, same.truncated), (60, 0, false));

    let changed = PIPELINE.replace("default: 900", "default: 2000").replace("\"amount < 0\"", "\"amount < 10\"");
    let before = (world.catalog.contents(), world.lake.contents().len());
    let found = pipelines::compare(context, &sources(&changed), &run.run_id, 1 << 20).await.expect("compared");
    assert_eq!((world.catalog.contents(), world.lake.contents().len()), before, "nothing is stored");
    let ends = |row: u64| found.changed.iter().find(|c| c.row == row).map(|c| (c.before, c.after));
    assert_eq!(ends(11), Some((Some(SampleOutcome::Held), Some(SampleOutcome::Accepted))));
    assert_eq!(ends(3), Some((Some(SampleOutcome::Accepted), Some(SampleOutcome::Rejected))));
    assert_eq!(ends(13), None, "it is rejected now as before");
    assert_eq!(found.changed_rows, found.changed.len() as u64);
    let reasons = &found.changed.iter().find(|c| c.row == 3).expect("row 3").reasons;
    assert_eq!(reasons.iter().map(|p| (p.code.as_str(), p.row)).collect::<Vec<_>>(), [("R0401", 3)]);
    // More rows than an account has samples of, each with its own reason.
    let rejected = found.changed.iter().filter(|c| c.after == Some(SampleOutcome::Rejected));
    assert!(rejected.clone().count() > 5 && rejected.clone().all(|c| c.reasons.len() == 1 && c.reasons[0].row == c.row));

    let part = pipelines::compare(context, &sources(&changed), &run.run_id, 500).await.expect("compared");
    assert!(part.truncated && part.rows > 3 && part.rows < 30, "{} rows", part.rows);
    assert!(part.changed.iter().all(|row| found.changed.contains(row)), "the beginning is the same");
}

#[tokio::test]
async fn a_comparison_says_why_a_whole_file_would_be_refused() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", csv(60, 20, Mix::default())).await;
    let other = PIPELINE.replace("format: { csv: {} }", "format: { csv: { delimiter: \";\" } }");
    let found = pipelines::compare(&world.context, &sources(&other), &run.run_id, 1 << 20).await.expect("compared");
    assert_eq!(found.refusals.len(), 1, "the header has other columns: {found:?}");
    assert_eq!((found.rows, found.changed_rows), (60, 60));
    assert!(found.changed.iter().all(|c| c.after.is_none()));
    let untaken = upload(&mut world, "elsewhere/a.csv", "x").await;
    assert_eq!(code(pipelines::compare(&world.context, &sources(PIPELINE), &untaken.run_id, 1 << 20).await), "W0412");
}

/// A catalog whose writes wait until so many are to be made.
struct Waiting {
    inner: std::sync::Arc<dyn Catalog>,
    together: std::sync::Arc<tokio::sync::Barrier>,
}

#[async_trait::async_trait]
impl Catalog for Waiting {
    async fn get(&self, partition: &str, id: &str) -> crate::Result<Option<Document>> {
        self.inner.get(partition, id).await
    }

    async fn commit(&self, partition: &str, writes: Vec<Write>) -> crate::Result<Committed> {
        self.together.wait().await;
        self.inner.commit(partition, writes).await
    }

    async fn query(&self, query: &Query) -> crate::Result<DocumentPage> {
        self.inner.query(query).await
    }
}
