//! Repaired rows are joined to the submission that they repair, and a request that is sent again is granted once.

use chrono::TimeDelta;

use super::{
    people::{Signer, file, operator},
    sample::{Mix, csv, upload, world},
};
use crate::{
    SubmissionId,
    audit::Actor,
    runs,
    submissions::{self, GrantRequest},
};

#[tokio::test]
async fn repaired_rows_name_the_submission_that_they_repair() {
    let (mut world, signer) = (world().await, Signer::default());
    let first = upload(&mut world, "orders/a.csv", csv(60, 3, Mix { negative: 13, ..Mix::default() })).await;
    let request = GrantRequest { fixes: Some(first.submission.clone()), ..file("orders/a-fixed.csv") };
    submissions::grant(&world.context, &signer, &operator(), "acme", request.clone(), None).await.expect("granted");
    let fixed = upload(&mut world, "orders/a-fixed.csv", "id,region,amount,note\n13,south,1.00,fixed\n").await;
    assert_eq!(fixed.fixes.as_ref(), Some(&first.submission));
    let other = upload(&mut world, "orders/b.csv", csv(3, 3, Mix::default())).await;
    assert_eq!(other.fixes, None);
    assert_eq!(runs::fixed_by(&world.context, "acme", &first.submission).await.expect("a list"), [fixed.run_id]);
    assert_eq!(runs::fixed_by(&world.context, "rival", &first.submission).await.expect("a list"), []);
    assert_eq!(runs::fixed_by(&world.context, "acme", &other.submission).await.expect("a list"), []);

    let missing = SubmissionId::try_from("s-0123456789abcdef012345678".to_owned()).expect("an id");
    for (partner, fixes) in [("acme", missing), ("rival", first.submission.clone())] {
        let request = GrantRequest { fixes: Some(fixes), ..file("orders/c.csv") };
        let error = submissions::grant(&world.context, &signer, &operator(), partner, request, None).await.expect_err("refused");
        assert_eq!(error.code(), "W0404", "{partner}");
    }
    let container = GrantRequest { scope: crate::grant::Scope::Container { read_back: false }, ..request };
    let error = submissions::grant(&world.context, &signer, &operator(), "acme", container, None).await.expect_err("refused");
    assert_eq!(error.code(), "G0400");
}

#[tokio::test]
async fn the_same_key_gets_the_same_grant() {
    let (mut world, signer) = (world().await, Signer::default());
    let asked = async |context: &crate::Context, actor: &Actor, request, key| {
        submissions::grant(context, &signer, actor, "acme", request, key).await.map(|granted| granted.grant.grant_id)
    };
    let context = world.context.clone();
    let first = asked(&context, &operator(), file("orders/a.csv"), Some("k")).await.expect("granted");
    world.clock.advance(TimeDelta::minutes(20));
    let again = asked(&context, &operator(), file("orders/a.csv"), Some("k")).await.expect("granted");
    assert_eq!(first, again);
    assert_eq!(signer.seconds(), [3600, 2400], "signed for the time that is left");
    let other = asked(&context, &operator(), file("orders/b.csv"), Some("k")).await.expect_err("another request");
    assert_eq!(other.code(), "A0422");
    let somebody = Actor::Person { id: "x".to_owned(), name: "X".to_owned() };
    assert_ne!(asked(&context, &somebody, file("orders/a.csv"), Some("k")).await.expect("another caller's key"), first);
    assert_ne!(asked(&context, &operator(), file("orders/a.csv"), None).await.expect("no key"), first);
    // After the upload the answer is still the same: it was lost, and is asked for once more.
    upload(&mut world, "orders/a.csv", csv(3, 3, Mix::default())).await;
    assert_eq!(asked(&context, &operator(), file("orders/a.csv"), Some("k")).await.expect("granted"), first);
    // What has expired cannot be given out again; after a day the key is free.
    world.clock.advance(TimeDelta::minutes(41));
    let expired = asked(&context, &operator(), file("orders/a.csv"), Some("k")).await;
    assert_eq!(expired.expect_err("the path is taken now").code(), "G0409");
    world.clock.advance(TimeDelta::hours(24));
    assert_ne!(asked(&context, &operator(), file("orders/b.csv"), Some("k")).await.expect("a new request"), first);
    world.clock.advance(TimeDelta::hours(25));
    world.sweep();
    world.drain().await;
    assert!(world.catalog.contents().values().all(|d| d.kind != "idempotency"), "keys are not kept for ever");
}

#[tokio::test]
async fn the_same_key_twice_at_once_is_one_grant() {
    let (world, signer) = (world().await, Signer::default());
    let asked = |_| submissions::grant(&world.context, &signer, &OPERATOR, "acme", file("orders/a.csv"), Some("k"));
    let granted = futures::future::join_all((0..8).map(asked)).await;
    let ids: std::collections::BTreeSet<_> = granted.into_iter().map(|g| g.expect("granted").grant.grant_id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.catalog.contents().values().filter(|d| d.kind == "grant").count(), 1);
}

static OPERATOR: std::sync::LazyLock<Actor> = std::sync::LazyLock::new(operator);
