//! A request that is sent again with its idempotency key gets its first answer, and nothing is done twice.

use chrono::TimeDelta;

use super::sample::world;
use crate::{
    Context, Message, Outputs, Step, SubmissionId,
    idempotency::{Answer, Asked, Begun, Claim, begin},
};

fn asked(request: &str) -> Asked<'_> {
    Asked { caller: "rita", key: "k-1", request }
}

fn answer(body: &[u8]) -> Answer {
    let run = SubmissionId::try_from("s-0123456789abcdef012345678".to_owned()).expect("an id").run(1);
    let headers = vec![("etag".to_owned(), "\"1\"".to_owned())];
    Answer { status: 200, headers, body: body.to_vec(), messages: Outputs::one(Message::new(&run, Step::Decisions)) }
}

async fn new(context: &Context, asked: Asked<'_>) -> Claim {
    match begin(context, asked).await.expect("begun") {
        Begun::New(claim) => claim,
        other => panic!("expected a new request, found {other:?}"),
    }
}

async fn code(context: &Context, asked: Asked<'_>) -> &'static str {
    begin(context, asked).await.expect_err("refused").code()
}

#[tokio::test]
async fn the_first_answer_is_given_again_for_a_day() {
    let mut world = world().await;
    let context = world.context.clone();
    let claim = new(&context, asked("a")).await;
    assert_eq!(code(&context, asked("a")).await, "A0425", "it is worked on");
    claim.finish(&context, answer(b"{\"n\":1}")).await.expect("kept");
    world.clock.advance(TimeDelta::hours(23));
    match begin(&context, asked("a")).await.expect("begun") {
        Begun::Again(again) => assert_eq!(again, answer(b"{\"n\":1}")),
        other => panic!("expected the answer, found {other:?}"),
    }
    assert_eq!(code(&context, asked("b")).await, "A0422", "another request");
    new(&context, Asked { caller: "ravi", ..asked("b") }).await;
    new(&context, Asked { key: "k-2", ..asked("b") }).await;
    world.clock.advance(TimeDelta::hours(2));
    new(&context, asked("b")).await;
    world.clock.advance(TimeDelta::hours(25));
    world.sweep();
    world.drain().await;
    assert!(world.catalog.contents().values().all(|d| d.kind != "idempotency"), "keys are not kept for ever");
}

#[tokio::test]
async fn of_many_at_once_one_works() {
    let world = world().await;
    let begun = futures::future::join_all((0..8).map(|_| begin(&world.context, asked("a")))).await;
    assert_eq!(begun.iter().filter(|one| matches!(one, Ok(Begun::New(_)))).count(), 1);
    assert!(begun.iter().all(|one| one.as_ref().map_or_else(|error| error.code() == "A0425", |_| true)));
}

#[tokio::test]
async fn a_claim_that_nobody_finishes_is_taken_over_and_told_so() {
    let world = world().await;
    let lost = new(&world.context, asked("a")).await;
    world.clock.advance(TimeDelta::minutes(4));
    assert_eq!(code(&world.context, asked("a")).await, "A0425");
    world.clock.advance(TimeDelta::minutes(2));
    let Begun::TakenOver(claim) = begin(&world.context, asked("a")).await.expect("begun") else { panic!("expected a claim to take over") };
    claim.finish(&world.context, answer(b"second")).await.expect("kept");
    // The first was only slow: what it says comes too late.
    lost.finish(&world.context, answer(b"first")).await.expect("nothing to do");
    assert!(matches!(begin(&world.context, asked("a")).await.expect("begun"), Begun::Again(again) if again.body == b"second"));
}

#[tokio::test]
async fn what_was_not_done_frees_its_key_and_what_is_too_large_says_so() {
    let world = world().await;
    new(&world.context, asked("a")).await.free(&world.context).await.expect("freed");
    let claim = new(&world.context, asked("b")).await;
    // Bytes that do not shrink.
    let mut hasher = blake3::Hasher::new().finalize_xof();
    let mut noise = vec![0; 1 << 20];
    hasher.fill(&mut noise);
    claim.finish(&world.context, answer(&noise)).await.expect("kept");
    assert_eq!(code(&world.context, asked("b")).await, "A0410");
}
