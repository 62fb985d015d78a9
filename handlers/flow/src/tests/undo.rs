//! A decision can be taken back until it is applied, and never half.

use super::review::{cases, finish, person, request, world};
use crate::{
    Error, Kind,
    audit::{self, Actor},
    harness::World,
    review::{CaseStatus, ReviewCase, Verdict},
    reviews,
    run::State,
    steps,
};

async fn refused(world: &World, actor: &Actor, case: &ReviewCase, digest: &str) -> Error {
    let before = world.catalog.contents();
    let error = reviews::undo(&world.context, actor, &case.case_id, digest, false).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::Refused, "{}", error.chain());
    assert_eq!(world.catalog.contents(), before, "what is refused changes nothing");
    error
}

#[tokio::test]
async fn a_decision_that_was_taken_back_is_not_applied() {
    let (mut world, run, case) = world(1).await;
    let (decided, outputs) =
        reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await.expect("decided");
    assert_eq!((decided.status, outputs.0.len()), (CaseStatus::Decided, 1));
    let undone = reviews::undo(&world.context, &person("a"), &case.case_id, &case.digest, false).await.expect("undone");
    assert_eq!((undone.status, undone.decisions.len()), (CaseStatus::Open, 0));
    // The message of the decision is still on its way: the step finds an open case and leaves everything as it is.
    let before = (world.catalog.contents(), world.lake.contents().len());
    for message in outputs.0 {
        assert!(steps::dispatch(&world.context, message).await.expect("nothing to do").0.is_empty());
    }
    assert_eq!((world.catalog.contents(), world.lake.contents().len()), before);
    let stored = audit::load(&world.context, &run.run_id).await.expect("the run").run;
    assert_eq!((stored.state, stored.open_cases), (State::Reviewing, 1));
    // What is decided afterwards counts.
    let run = finish(&mut world, &person("b"), &case, request(&case, Verdict::Reject)).await;
    let counts = run.counts.expect("counted");
    assert_eq!((run.state, counts.corrected, counts.rejected, counts.held), (State::Completed, 0, 5, 0));
    let events = audit::events(&world.context, &run.run_id).await.expect("events");
    let told: Vec<&str> = events.iter().map(|e| e.action.as_str()).filter(|a| a.starts_with("case.") || a.starts_with("review.")).collect();
    assert_eq!(told, ["case.opened", "case.decided", "case.undone", "case.decided", "review.closed"]);
}

#[tokio::test]
async fn what_is_being_applied_cannot_be_taken_back_whatever_fails() {
    // The step stops after each of its calls in turn; the decision it began with is the one that is published.
    for call in 0.. {
        let (mut world, run, case) = world(1).await;
        let (_, outputs) =
            reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await.expect("decided");
        let message = outputs.0.into_iter().next().expect("the last case was decided");
        let planned = world.faults.calls().len() as u64 + call;
        world.faults.plan(crate::memory::Fault { call: planned, when: crate::memory::When::After });
        let done = steps::dispatch(&world.context, message.clone()).await;
        if !world.faults.all_happened() {
            assert!(done.is_ok() && call > 5, "the step makes more calls than {call}");
            world.lose_messages();
            break;
        }
        let closed = audit::load(&world.context, &run.run_id).await.expect("the run").run.review_closed;
        let verdict = if closed {
            assert_eq!(refused(&world, &person("a"), &case, &case.digest).await.code(), "W0410");
            Verdict::Approve
        } else {
            reviews::undo(&world.context, &person("a"), &case.case_id, &case.digest, false).await.expect("undone");
            reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Return)).await.expect("decided again");
            Verdict::Return
        };
        world.crash();
        world.send(crate::Outputs::one(message));
        world.drain().await;
        world.check().await;
        let counts = world.only_run().counts.expect("counted");
        let expected = if verdict == Verdict::Approve { (5, 0) } else { (0, 5) };
        assert_eq!((counts.corrected, counts.returned), expected, "call {call}, closed: {closed}");
    }
}

#[tokio::test]
async fn a_decision_is_its_makers_and_an_operators_to_take_back() {
    let (world, _, case) = world(1).await;
    assert_eq!(refused(&world, &person("a"), &case, &case.digest).await.code(), "W0426", "nothing is decided");
    reviews::decide(&world.context, &person("a"), &case.case_id, request(&case, Verdict::Approve)).await.expect("decided");
    let error = refused(&world, &person("b"), &case, &case.digest).await;
    assert_eq!(error.code(), "W0426");
    assert!(error.message().contains("ask A or an operator"), "{}", error.message());
    assert_eq!(refused(&world, &person("a"), &case, "another").await.code(), "W0409");
    let undone = reviews::undo(&world.context, &person("o"), &case.case_id, &case.digest, true).await.expect("an operator");
    assert_eq!(undone.status, CaseStatus::Open);
}

#[tokio::test]
async fn with_four_eyes_the_others_decision_still_stands() {
    let (mut world, run, case) = world(2).await;
    for id in ["a", "b"] {
        reviews::decide(&world.context, &person(id), &case.case_id, request(&case, Verdict::Approve)).await.expect("decided");
    }
    let undone = reviews::undo(&world.context, &person("a"), &case.case_id, &case.digest, false).await.expect("undone");
    assert_eq!((undone.status, undone.decisions.len()), (CaseStatus::Confirming, 1));
    assert_eq!(audit::load(&world.context, &run.run_id).await.expect("the run").run.open_cases, 1);
    let again = reviews::decide(&world.context, &person("b"), &case.case_id, request(&case, Verdict::Approve)).await;
    assert_eq!(again.expect_err("one person is not two").code(), "W0403");
    let first = reviews::undo(&world.context, &person("b"), &case.case_id, &case.digest, false).await.expect("undone");
    assert_eq!((first.status, first.decisions.len()), (CaseStatus::Open, 0));
    for id in ["b", "c"] {
        let (_, outputs) =
            reviews::decide(&world.context, &person(id), &case.case_id, request(&case, Verdict::Reject)).await.expect("decided");
        world.send(outputs);
    }
    world.drain().await;
    world.check().await;
    assert_eq!(world.only_run().counts.expect("counted").rejected, 5);
    assert_eq!(cases(&world).await[0].decisions.len(), 2);
}

#[tokio::test]
async fn after_the_run_has_moved_on_nothing_is_taken_back() {
    let (mut world, _, case) = world(1).await;
    finish(&mut world, &person("a"), &case, request(&case, Verdict::Approve)).await;
    assert_eq!(refused(&world, &person("a"), &case, &case.digest).await.code(), "W0410");
}
