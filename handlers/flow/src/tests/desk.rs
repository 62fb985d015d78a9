//! Around a decision: comments, assignments, corrections that are tried.

use std::collections::BTreeMap;

use super::review::{correct, finish, person, request, world};
use crate::{
    audit,
    review::{ReviewCase, Verdict},
    reviews::{self, DecisionRequest},
    run::State,
};

fn corrections(rows: &[(u64, &str, Option<&str>)]) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
    let values = |column: &str, value: Option<&str>| BTreeMap::from([(column.to_owned(), value.map(str::to_owned))]);
    rows.iter().map(|(row, column, value)| (row.to_string(), values(column, *value))).collect()
}

#[tokio::test]
async fn corrections_are_tried_with_the_engine_and_nothing_is_stored() {
    let (world, _, case) = world(1).await;
    let before = (world.catalog.contents(), world.lake.contents().len());
    let asked = corrections(&[
        (11, "amount", Some("12.50")),
        (22, "amount", Some("a lot")),
        (33, "amount", Some("-1")),
        (44, "region", Some("nowhere")),
        (55, "region", None),
    ]);
    let tried = reviews::try_corrections(&world.context, &case.case_id, &case.digest, asked).await.expect("tried");
    assert_eq!((world.catalog.contents(), world.lake.contents().len()), before);
    assert_eq!(tried.iter().map(|t| t.row).collect::<Vec<_>>(), [11, 22, 33, 44, 55]);
    assert_eq!(tried[0].proposed.as_ref().map(|p| p["amount"].clone()), Some("12.50".into()));
    let codes = |index: usize| tried[index].problems.iter().map(|p| p.code.as_str()).collect::<Vec<_>>();
    assert_eq!((codes(0), codes(1), codes(2)), (vec![], vec!["R0103"], vec!["R0401"]));
    assert_eq!((tried[3].filtered, tried[3].proposed.is_none(), codes(3).is_empty()), (true, true, true));
    assert_eq!(codes(4).len(), 1, "the contract requires a region: {:?}", tried[4]);
    // The decision says the same.
    let rows = BTreeMap::from([("22".to_owned(), correct("amount", "a lot"))]);
    let decided =
        reviews::decide(&world.context, &person("a"), &case.case_id, DecisionRequest { rows, ..request(&case, Verdict::Approve) }).await;
    assert_eq!(decided.expect_err("it does not fit").code(), "W0422");
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused() {
    let (mut world, _, case) = world(1).await;
    let tried =
        async |digest: &str, rows| reviews::try_corrections(&world.context, &case.case_id, digest, rows).await.expect_err("refused").code();
    assert_eq!(tried("another", corrections(&[(11, "amount", None)])).await, "W0409");
    assert_eq!(tried(&case.digest, corrections(&[(11, "id", Some("7"))])).await, "W0424");
    assert_eq!(tried(&case.digest, corrections(&[(11, "colour", Some("7"))])).await, "W0424");
    assert_eq!(tried(&case.digest, corrections(&[(11, "amount", None), (12, "amount", None)])).await, "W0424");
    let many: Vec<_> = (0..101).map(|row| (row, "amount", None)).collect();
    assert_eq!(tried(&case.digest, corrections(&many)).await, "W0413");
    finish(&mut world, &person("a"), &case, request(&case, Verdict::Approve)).await;
    let late = reviews::try_corrections(&world.context, &case.case_id, &case.digest, corrections(&[(11, "amount", None)])).await;
    assert_eq!(late.expect_err("decided").code(), "W0410");
}

#[tokio::test]
async fn comments_are_kept_and_the_log_proves_them_without_telling_them() {
    let (mut world, run, case) = world(1).await;
    let said = async |text: &str, key: Option<&str>| {
        reviews::comment(&world.context, &person("a"), &case.case_id, text, key.map(str::to_owned)).await
    };
    said("is 1000.50 right?", Some("k1")).await.expect("said");
    said("is 1000.50 right?", Some("k1")).await.expect("the same request once more");
    let commented: ReviewCase = said("yes", None).await.expect("said");
    assert_eq!(commented.comments.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(), ["is 1000.50 right?", "yes"]);
    assert_eq!(said(&"x".repeat(2001), None).await.expect_err("too long").code(), "W0413");
    let events = audit::events(&world.context, &run.run_id).await.expect("events");
    let told: Vec<_> = events.iter().filter(|e| e.action == "case.commented").collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].detail["comment"], blake3::hash(b"is 1000.50 right?").to_hex().as_str());
    assert!(events.iter().all(|e| !e.detail.to_string().contains("1000.50")));
    for n in 0..60 {
        match said(&format!("{n}{}", "x".repeat(1990)), None).await {
            Ok(_) => {}
            Err(error) => {
                assert!(error.code() == "W0413" && n > 40, "{n}: {}", error.chain());
                break;
            }
        }
        assert!(n < 59, "the comments of a case have an end");
    }
    let run = finish(&mut world, &person("a"), &case, request(&case, Verdict::Approve)).await;
    assert_eq!(run.state, State::Completed);
    let late = reviews::comment(&world.context, &person("a"), &case.case_id, "late", None).await;
    assert_eq!(late.expect_err("the run has ended").code(), "W0410");
}

#[tokio::test]
async fn a_case_is_handed_on_by_who_has_it_or_by_an_operator() {
    let (world, run, case) = world(1).await;
    let (a, b, c) = (person("a"), person("b"), person("c"));
    let assign = async |actor, to, by_force| reviews::assign(&world.context, actor, &case.case_id, to, by_force).await;
    assert_eq!(assign(&a, &b, false).await.expect("nobody has it").claimed_by, Some(b.clone()));
    assert_eq!(assign(&a, &c, false).await.expect_err("b has it").code(), "W0423");
    assert_eq!(assign(&b, &c, false).await.expect("b hands it on").claimed_by, Some(c.clone()));
    assert_eq!(assign(&a, &b, true).await.expect("an operator").claimed_by, Some(b.clone()));
    let events = audit::events(&world.context, &run.run_id).await.expect("events");
    assert_eq!(assign(&a, &b, true).await.expect("again").claimed_by, Some(b));
    assert_eq!(audit::events(&world.context, &run.run_id).await.expect("events"), events, "the same again tells nothing");
    assert_eq!(events.iter().filter(|e| e.action == "case.assigned").count(), 3);
}
