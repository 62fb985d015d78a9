//! People and review cases: four eyes, decisions bound to what was seen, and nothing changes without its audit event (invariant 6).

use std::collections::BTreeMap;

use super::sample::{CONTRACT, Mix, PIPELINE, csv, upload};
use crate::{
    Error, Kind, Sizes,
    audit::{self, Actor},
    harness::{Delivery, World},
    memory::{Fault, When},
    review::{CaseStatus, ReviewCase, Verdict},
    reviews::{self, CaseFilter, DecisionRequest, RowProblems},
    revision,
    rows::{self, RowOutcome},
    run::{Run, State},
    runs,
};

/// Rows 11, 22, 33, 44 and 55 of 60 are held.
pub(super) const LARGE: Mix = Mix { large: 11, negative: 0, broken: 0, nowhere: 0, repeated: 0 };

pub(super) async fn world(approvers: u8) -> (World, Run, ReviewCase) {
    let mut world = World::new(Sizes::for_testing(), Delivery::default());
    world.put_pipeline(&format!("{PIPELINE}review: {{ approvers: {approvers} }}\n"), CONTRACT).await;
    let run = upload(&mut world, "orders/a.csv", csv(60, 20, LARGE)).await;
    assert_eq!((run.state, run.open_cases), (State::Reviewing, 1));
    let case = cases(&world).await.remove(0);
    (world, run, case)
}

pub(super) async fn cases(world: &World) -> Vec<ReviewCase> {
    let every = vec![CaseStatus::Opening, CaseStatus::Open, CaseStatus::Confirming, CaseStatus::Decided, CaseStatus::Void];
    let filter = CaseFilter { status: every, ..CaseFilter::default() };
    reviews::list(&world.context, &filter, None, 100).await.expect("a list").items
}

pub(super) fn person(id: &str) -> Actor {
    Actor::Person { id: id.to_owned(), name: id.to_uppercase() }
}

pub(super) fn request(case: &ReviewCase, verdict: Verdict) -> DecisionRequest {
    DecisionRequest { verdict, rows: BTreeMap::new(), comment: "as agreed".to_owned(), digest: case.digest.clone() }
}

pub(super) fn correct(column: &str, value: &str) -> Verdict {
    Verdict::Correct { values: BTreeMap::from([(column.to_owned(), Some(value.to_owned()))]) }
}

fn with_row(mut request: DecisionRequest, row: u64, verdict: Verdict) -> DecisionRequest {
    request.rows.insert(row.to_string(), verdict);
    request
}

/// What a refusal says; nothing may have changed.
async fn refused(world: &World, actor: &Actor, case: &ReviewCase, request: DecisionRequest) -> Error {
    let before = world.catalog.contents();
    let error = reviews::decide(&world.context, actor, &case.case_id, request).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::Refused, "{}", error.chain());
    assert_eq!(world.catalog.contents(), before, "a refused decision changes nothing");
    error
}

pub(super) async fn finish(world: &mut World, actor: &Actor, case: &ReviewCase, request: DecisionRequest) -> Run {
    let (_, outputs) = reviews::decide(&world.context, actor, &case.case_id, request).await.expect("decided");
    world.send(outputs);
    world.drain().await;
    world.check().await;
    world.only_run()
}

#[tokio::test]
async fn a_decision_is_bound_to_the_rows_that_were_seen() {
    let (mut world, _, case) = world(1).await;
    let error = refused(&world, &person("a"), &case, DecisionRequest { digest: "0".repeat(64), ..request(&case, Verdict::Approve) }).await;
    assert_eq!(error.code(), "W0409");
    let run = finish(&mut world, &person("a"), &case, request(&case, Verdict::Approve)).await;
    assert_eq!(run.state, State::Completed);
    assert_eq!(refused(&world, &person("a"), &case, request(&case, Verdict::Approve)).await.code(), "W0410");
}

#[tokio::test]
async fn held_rows_that_change_after_the_decision_are_not_published() {
    let (mut world, run, case) = world(1).await;
    let (_, outputs) =
        reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await.expect("decided");
    let held = crate::layout::held(&run, 0, 0);
    let text = String::from_utf8(world.lake.blob(&held).expect("held rows").body.to_vec()).expect("text");
    world.context.lake.overwrite(&held, text.replacen("1000.50", "1000.51", 1).into()).await.expect("overwritten");
    let message = outputs.0.into_iter().next().expect("the last case was decided");
    let error = crate::steps::dispatch(&world.context, message).await.expect_err("the rows are others");
    assert_eq!((error.kind(), error.code()), (Kind::Bug, "W0503"));
    assert_eq!(world.only_run().state, State::Reviewing);
    world.lose_messages();
}

#[tokio::test]
async fn two_people_must_agree_where_the_pipeline_asks_for_four_eyes() {
    let (mut world, _, case) = world(2).await;
    let (proposed, outputs) =
        reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await.expect("proposed");
    assert_eq!((proposed.status, outputs.0.len()), (CaseStatus::Confirming, 0));
    assert_eq!(refused(&world, &person("a"), &case, request(&case, Verdict::Approve)).await.code(), "W0403");
    assert_eq!(refused(&world, &person("b"), &case, request(&case, Verdict::Reject)).await.code(), "W0411");
    // Who decided first may think again; it does not count as the second decision.
    let (again, _) =
        reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Reject)).await.expect("decided again");
    assert_eq!((again.status, again.decisions.len()), (CaseStatus::Confirming, 1));
    let run = finish(&mut world, &person("b"), &case, request(&case, Verdict::Reject)).await;
    let counts = run.counts.expect("counted");
    assert_eq!((counts.corrected, counts.rejected, counts.held), (0, 5, 0));
    let decided = cases(&world).await.remove(0);
    assert_eq!((decided.status, decided.decisions.len()), (CaseStatus::Decided, 2));
}

#[tokio::test]
async fn no_program_decides() {
    let (world, _, case) = world(1).await;
    assert_eq!(refused(&world, &Actor::step("gather"), &case, request(&case, Verdict::Approve)).await.code(), "W0403");
}

#[tokio::test]
async fn every_change_of_a_case_has_its_audit_event_whatever_fails() {
    for when in [When::Before, When::After] {
        for call in 0.. {
            let (mut world, run, case) = world(1).await;
            let planned = world.faults.calls().len() as u64 + call;
            world.faults.plan(Fault { call: planned, when });
            let decided = reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await;
            if !world.faults.all_happened() {
                assert!(decided.is_ok() && call > 2, "a decision makes more calls than {call}");
                break;
            }
            let stored = reviews::get(&world.context, &case.case_id).await.expect("the case");
            let run = audit::load(&world.context, &run.run_id).await.expect("the run").run;
            let events = audit::events(&world.context, &run.run_id).await.expect("events");
            audit::verify(&run.run_id, &run.audit, &events).expect("a whole chain");
            let told = events.iter().filter(|e| e.action == "case.decided").count();
            let is_decided = stored.status == CaseStatus::Decided;
            assert_eq!((usize::from(is_decided), is_decided), (told, run.open_cases == 0), "{when:?} {call}");
            assert!(decided.is_err() || is_decided);
            // Whatever was answered, the run can be brought to its end.
            if !is_decided {
                reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await.expect("decided");
            }
            let (_, outputs) = runs::resume(&world.context, &person("o"), &run.run_id).await.expect("resumed");
            world.send(outputs);
            world.drain().await;
            assert_eq!(world.only_run().state, State::Completed, "{when:?} {call}");
        }
    }
}

#[tokio::test]
async fn rows_of_a_case_can_end_differently() {
    let (mut world, run, case) = world(1).await;
    let mixed = with_row(with_row(request(&case, Verdict::Approve), 22, Verdict::Reject), 33, correct("amount", "12.34"));
    let published = run.counts.expect("counted").published;
    let run = finish(&mut world, &person("a"), &case, mixed).await;
    let counts = run.counts.expect("counted");
    assert_eq!((counts.published, counts.corrected, counts.rejected, counts.held), (published, 4, 1, 0));
    let account = revision::load(&world.context, &run).await.expect("read").expect("an account of the decisions");
    assert_eq!(
        (account.corrected.iter().collect::<Vec<_>>(), account.rejected.iter().collect::<Vec<_>>()),
        (vec![11, 33, 44, 55], vec![22])
    );
    let explain = async |row| rows::explain(&world.context, &run, row).await.expect("explained").expect("a row");
    let rejected = explain(22).await;
    assert_eq!((rejected.outcome, rejected.case_id.as_deref()), (RowOutcome::Rejected, Some(case.case_id.as_str())));
    assert_eq!(rejected.decision.expect("a decision").comment, "as agreed");
    let corrected = explain(33).await;
    assert_eq!((corrected.outcome, corrected.table_version), (RowOutcome::Corrected, run.table_version));
    assert!(corrected.files.iter().all(|f| f.path.contains("-approved")), "{:?}", corrected.files);
    // The rejected row is given to the partner with the reason.
    let blob = world.lake.contents().into_iter().find(|(path, _)| path.path.ends_with("review/rejected.csv")).expect("rejected rows").1;
    let text = String::from_utf8(blob.body.to_vec()).expect("text");
    assert!(text.starts_with("22,north,1000.50") && text.contains("R0403") && text.contains("as agreed"), "{text}");
}

#[tokio::test]
async fn rows_are_sent_back_to_the_partner_with_what_is_to_be_put_right() {
    let (mut world, _, case) = world(1).await;
    let mixed = with_row(with_row(request(&case, Verdict::Approve), 22, Verdict::Return), 33, Verdict::Reject);
    let run = finish(&mut world, &person("a"), &case, DecisionRequest { comment: "in euros, please".to_owned(), ..mixed }).await;
    let counts = run.counts.expect("counted");
    assert_eq!((counts.corrected, counts.rejected, counts.returned, counts.held), (3, 2, 1, 0));
    let account = revision::load(&world.context, &run).await.expect("read").expect("an account of the decisions");
    let rows = |set: &roaring::RoaringTreemap| set.iter().collect::<Vec<_>>();
    assert_eq!((rows(&account.rejected), rows(&account.returned)), (vec![22, 33], vec![22]));
    let blob = world.lake.contents().into_iter().find(|(path, _)| path.path.ends_with("review/rejected.csv")).expect("rejected rows").1;
    let text = String::from_utf8(blob.body.to_vec()).expect("text");
    let (sent_back, rejected) = text.split_at(text.find("33,south").expect("row 33"));
    assert!(sent_back.starts_with("22,north,1000.50") && sent_back.contains("R0404"), "{text}");
    assert!(sent_back.contains("sent back to you: in euros, please") && !sent_back.contains("R0403"), "{text}");
    assert!(rejected.contains("R0403") && !rejected.contains("R0404"), "{text}");
    let explained = rows::explain(&world.context, &run, 22).await.expect("explained").expect("a row");
    assert_eq!(explained.outcome, RowOutcome::Rejected);
    assert_eq!(explained.problems.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["R0402", "R0404"]);
    let receipt = crate::submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
    let review = receipt.review.expect("a review");
    assert_eq!((review.corrected, review.rejected, review.returned), (3, 2, 1));
    assert_eq!((receipt.counts, receipt.rejected_rows.map(|r| r.rows)), (Some(counts), Some(2)));
}

#[tokio::test]
async fn rows_are_not_sent_back_without_a_word() {
    let (world, _, case) = world(1).await;
    for asked in [request(&case, Verdict::Return), with_row(request(&case, Verdict::Approve), 22, Verdict::Return)] {
        for comment in ["", " \n"] {
            let silent = DecisionRequest { comment: comment.to_owned(), ..asked.clone() };
            assert_eq!(refused(&world, &person("a"), &case, silent).await.code(), "W0427");
        }
    }
}

#[tokio::test]
async fn two_people_must_agree_to_send_rows_back() {
    let (mut world, _, case) = world(2).await;
    reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Return)).await.expect("proposed");
    assert_eq!(refused(&world, &person("b"), &case, request(&case, Verdict::Reject)).await.code(), "W0411");
    let run = finish(&mut world, &person("b"), &case, request(&case, Verdict::Return)).await;
    let counts = run.counts.expect("counted");
    assert_eq!((counts.corrected, counts.rejected, counts.returned), (0, 5, 5));
}

#[tokio::test]
async fn corrections_that_do_not_fit_are_refused_row_by_row() {
    let (world, _, case) = world(1).await;
    assert_eq!(case.correctable, ["region", "amount", "note"], "all but the key");
    for (verdict, code) in [(correct("amount", "a lot"), "R0103"), (correct("amount", "-1"), "R0401")] {
        let asked = with_row(with_row(request(&case, Verdict::Approve), 22, verdict.clone()), 44, verdict);
        let error = refused(&world, &person("a"), &case, asked).await;
        assert_eq!(error.code(), "W0422");
        let RowProblems(rows) = std::error::Error::source(&error).and_then(|e| e.downcast_ref()).expect("problems of rows");
        assert_eq!(rows.iter().map(|r| r.row).collect::<Vec<_>>(), [22, 44]);
        assert!(rows.iter().all(|r| r.problems.iter().any(|p| p.code.as_str() == code)), "{rows:?}");
        assert!(!error.chain().contains("a lot"), "a value must not be in a text that may be logged: {}", error.chain());
    }
    for asked in [
        with_row(request(&case, Verdict::Approve), 22, correct("id", "7")),
        with_row(request(&case, Verdict::Approve), 22, correct("colour", "red")),
        with_row(request(&case, Verdict::Approve), 23, Verdict::Reject),
        DecisionRequest { rows: BTreeMap::from([("022".to_owned(), Verdict::Reject)]), ..request(&case, Verdict::Approve) },
    ] {
        assert_eq!(refused(&world, &person("a"), &case, asked).await.code(), "W0424");
    }
    let long = DecisionRequest { comment: "x".repeat(2001), ..request(&case, Verdict::Approve) };
    assert_eq!(refused(&world, &person("a"), &case, long).await.code(), "W0413");
}

#[tokio::test]
async fn a_whole_case_can_be_corrected() {
    let (mut world, _, case) = world(1).await;
    let asked = with_row(request(&case, correct("amount", "1.00")), 55, Verdict::Reject);
    let run = finish(&mut world, &person("a"), &case, asked).await;
    let counts = run.counts.expect("counted");
    assert_eq!((counts.corrected, counts.rejected), (4, 1));
}

#[tokio::test]
async fn a_correction_can_lead_a_row_to_the_filter() {
    let (mut world, before, case) = world(1).await;
    let run = finish(&mut world, &person("a"), &case, with_row(request(&case, Verdict::Approve), 22, correct("region", "nowhere"))).await;
    let (before, counts) = (before.counts.expect("counted"), run.counts.expect("counted"));
    assert_eq!((counts.corrected, counts.filtered, counts.held), (4, before.filtered + 1, 0));
    let explained = rows::explain(&world.context, &run, 22).await.expect("explained").expect("a row");
    assert_eq!(explained.outcome, RowOutcome::Filtered);
}

#[tokio::test]
async fn a_case_that_somebody_works_on_is_theirs() {
    let (world, _, case) = world(1).await;
    let (a, b) = (person("a"), person("b"));
    for _ in 0..2 {
        assert_eq!(reviews::claim(&world.context, &a, &case.case_id).await.expect("claimed").claimed_by, Some(a.clone()));
    }
    assert_eq!(reviews::claim(&world.context, &b, &case.case_id).await.expect_err("taken").code(), "W0423");
    assert_eq!(refused(&world, &b, &case, request(&case, Verdict::Approve)).await.code(), "W0423");
    assert_eq!(reviews::release(&world.context, &b, &case.case_id, false).await.expect_err("not theirs").code(), "W0423");
    let mine = |id: &str| CaseFilter { claimed_by: Some(id.to_owned()), ..CaseFilter::default() };
    assert_eq!(reviews::list(&world.context, &mine("a"), None, 10).await.expect("a list").items.len(), 1);
    assert_eq!(reviews::list(&world.context, &mine("b"), None, 10).await.expect("a list").items.len(), 0);
    assert_eq!(reviews::release(&world.context, &b, &case.case_id, true).await.expect("an operator").claimed_by, None);
    assert_eq!(reviews::get(&world.context, "no-case").await.expect_err("no case").code(), "W0404");
    world.check().await;
}

#[tokio::test]
async fn cases_can_be_filtered() {
    let (world, run, _) = world(1).await;
    let count = async |filter: CaseFilter| reviews::list(&world.context, &filter, None, 10).await.expect("a list").items.len();
    let (all, id) = (CaseFilter::default, run.run_id.to_string());
    assert_eq!(count(all()).await, 1);
    assert_eq!(
        count(CaseFilter { pipeline: Some("orders".into()), partner: Some("acme".into()), run: Some(run.run_id), ..all() }).await,
        1
    );
    assert_eq!(count(CaseFilter { pipeline: Some("others".into()), ..all() }).await, 0);
    assert_eq!(count(CaseFilter { cause: Some("large-order".into()), ..all() }).await, 1);
    assert_eq!(count(CaseFilter { cause: Some("negative".into()), ..all() }).await, 0);
    assert_eq!(count(CaseFilter { status: vec![CaseStatus::Decided], ..all() }).await, 0);
    for (text, found) in [("ORDER OVER 9", 1), ("Acme", 1), ("large-", 1), (&*id.to_uppercase(), 1), ("acne", 0), ("%", 0)] {
        assert_eq!(count(CaseFilter { text: Some(text.to_owned()), ..all() }).await, found, "{text}");
    }
    let (now, later) = (world.context.now(), crate::rfc3339(world.context.clock.now() + chrono::TimeDelta::days(3)));
    for (before, opened, due) in [(now, 0, 0), (later, 1, 1)] {
        assert_eq!(count(CaseFilter { opened_before: Some(before.clone()), ..all() }).await, opened);
        assert_eq!(count(CaseFilter { due_before: Some(before), ..all() }).await, due);
    }
    let overdue = CaseFilter { overdue: true, ..all() };
    assert_eq!(count(overdue.clone()).await, 0);
    world.clock.advance(chrono::TimeDelta::days(3));
    assert_eq!(count(overdue).await, 1);
}

#[tokio::test]
async fn the_rows_of_a_case_come_in_pages() {
    let (world, _, case) = world(1).await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = reviews::rows(&world.context, &case.case_id, cursor.as_deref(), 2).await.expect("a page");
        assert!(page.items.len() <= 2);
        seen.extend(page.items.iter().map(|r| r.row));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [11, 22, 33, 44, 55]);
    assert_eq!(reviews::rows(&world.context, &case.case_id, Some("x"), 2).await.expect_err("no cursor").code(), "W0400");
}

#[tokio::test]
async fn the_cases_of_a_cancelled_run_are_void() {
    let (mut world, run, case) = world(1).await;
    let (cancelled, outputs) = runs::cancel(&world.context, &person("o"), &run.run_id).await.expect("cancelled");
    assert_eq!(cancelled.state, State::Cancelled);
    assert_eq!(refused(&world, &person("a"), &case, request(&case, Verdict::Approve)).await.code(), "W0410");
    world.send(outputs);
    world.drain().await;
    world.check().await;
    assert_eq!(cases(&world).await.remove(0).status, CaseStatus::Void);
    let receipt = crate::submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
    assert_eq!((receipt.outcome, receipt.published), (State::Cancelled, None));
    let (_, outputs) = runs::cancel(&world.context, &person("o"), &run.run_id).await.expect("cancelling again changes nothing");
    assert_eq!(outputs.0.len(), 0);
}
