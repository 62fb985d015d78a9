use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::FutureExt;
use proptest::prelude::*;

use super::*;

const DEAD: &str = "q/$DeadLetterQueue";

fn open(dir: &Path) -> Broker {
    open_at(dir, Clock::manual())
}

fn open_at(dir: &Path, clock: Clock) -> Broker {
    let config = QueueConfig { lock_duration: Duration::from_mins(1), max_delivery_count: 3 };
    Broker::open(dir, config, clock, ["Q", DEAD].into_iter()).unwrap()
}

fn counts(broker: &Broker) -> (usize, usize, usize) {
    let status = broker.status();
    assert_eq!(status.len(), 1, "a dead-letter queue is no queue of its own: {status:?}");
    (status[0].active, status[0].locked, status[0].dead_letters)
}

fn receive(broker: &Broker, queue: &str) -> Option<Delivery> {
    broker.receive(queue).now_or_never().map(Result::unwrap)
}

#[tokio::test]
async fn what_fails_too_often_becomes_a_dead_letter_and_can_be_resent() {
    let dir = tempfile::tempdir().unwrap();
    let broker = open(dir.path());
    let ids = broker.send("q", vec!["body".into()]).await.unwrap();
    for attempt in 1..=3 {
        let delivery = broker.receive("Q").await.unwrap();
        assert_eq!(delivery.count, attempt);
        broker.abandon(&delivery).unwrap();
    }
    assert_eq!(counts(&broker), (0, 0, 1));
    let dead = broker.receive(DEAD).await.unwrap();
    assert_eq!((&dead.message.id, dead.message.body.as_str()), (&ids[0], "body"));
    assert_eq!(dead.message.properties["DeadLetterReason"], "MaxDeliveryCountExceeded");
    assert_eq!(dead.message.properties["DeadLetterErrorDescription"], "Message could not be consumed after 3 delivery attempts.");
    for _ in 0..5 {
        broker.abandon(&dead).ok();
        if let Some(again) = receive(&broker, DEAD) {
            broker.abandon(&again).unwrap();
        }
    }
    assert_eq!(counts(&broker), (0, 0, 1), "a dead letter stays, however often it fails");
    assert_eq!(broker.resend_dead("q", usize::MAX).await, Ok(1));
    let again = broker.receive("q").await.unwrap();
    assert_eq!((again.count, again.message.properties.len()), (1, 0));
    broker.complete(&again).unwrap();
    assert_eq!(counts(&broker), (0, 0, 0));
}

#[tokio::test]
async fn a_lock_that_runs_out_gives_the_message_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual();
    let broker = Arc::new(open_at(dir.path(), clock.clone()));
    broker.send("q", vec!["body".into()]).await.unwrap();
    let first = broker.receive("q").await.unwrap();
    clock.advance(Duration::from_secs(50));
    broker.renew(&first).unwrap();
    clock.advance(Duration::from_secs(50));
    assert!(receive(&broker, "q").is_none(), "the renewal holds");
    let waiting = tokio::spawn({
        let broker = Arc::clone(&broker);
        async move { broker.receive("q").await.unwrap() }
    });
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(10));
    let second = waiting.await.unwrap();
    assert_eq!(second.count, 2);
    assert_eq!(broker.complete(&first), Err(QueueError::LockLost));
    broker.complete(&second).unwrap();
}

#[tokio::test]
async fn a_restart_frees_what_was_locked_and_keeps_counts_and_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let broker = open(dir.path());
    broker.send("q", vec!["a".into(), "b".into(), "c".into()]).await.unwrap();
    let a = broker.receive("q").await.unwrap();
    broker.complete(&a).unwrap();
    broker.receive("q").await.unwrap();
    broker.flush().await;
    drop(broker);
    let broker = open(dir.path());
    let peeked = broker.peek("q", 10).unwrap();
    let seen: Vec<_> = peeked.iter().map(|m| (m.body.as_str(), m.delivery_count, m.sequence_number)).collect();
    assert_eq!(seen, [("b", 1, 2), ("c", 0, 3)]);
    let b = broker.receive("q").await.unwrap();
    assert_eq!((b.message.body.as_str(), b.count), ("b", 2));
    let c = broker.receive("q").await.unwrap();
    broker.complete(&b).unwrap();
    broker.complete(&c).unwrap();
    broker.flush().await;
    drop(broker);
    let broker = open(dir.path());
    broker.send("q", vec!["d".into()]).await.unwrap();
    assert_eq!(broker.peek("q", 10).unwrap().last().unwrap().sequence_number, 4);
}

#[tokio::test]
async fn a_crash_in_the_last_delivery_buries_the_message() {
    let dir = tempfile::tempdir().unwrap();
    let broker = open(dir.path());
    broker.send("q", vec!["a".into()]).await.unwrap();
    for _ in 0..2 {
        let delivery = broker.receive("q").await.unwrap();
        broker.abandon(&delivery).unwrap();
    }
    broker.receive("q").await.unwrap();
    broker.flush().await;
    drop(broker);
    assert_eq!(counts(&open(dir.path())), (0, 0, 1));
    assert_eq!(counts(&open(dir.path())), (0, 0, 1), "and it stays there over a further restart");
}

#[tokio::test]
async fn refusals_name_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let broker = open(dir.path());
    assert_eq!(broker.send("nope", vec![]).await, Err(QueueError::Unknown("nope".into())));
    assert_eq!(broker.send(DEAD, vec!["x".into()]).await, Err(QueueError::Unknown(DEAD.into())));
    let large = "x".repeat(MAX_MESSAGE_BYTES + 1);
    assert_eq!(broker.send("q", vec!["ok".into(), large]).await, Err(QueueError::TooLarge(MAX_MESSAGE_BYTES + 1)));
    assert_eq!(counts(&broker), (0, 0, 0), "all or nothing");
}

/// 200,000 messages in, 200,000 out: quadratic work anywhere would not end within the test runner's patience.
#[tokio::test]
async fn holds_many_messages() {
    const COUNT: usize = 200_000;
    let dir = tempfile::tempdir().unwrap();
    let broker = open(dir.path());
    for _ in 0..COUNT / 1000 {
        broker.send("q", vec![r#"{"run":"01HZX","part":7}"#.to_owned(); 1000]).await.unwrap();
    }
    assert_eq!(counts(&broker), (COUNT, 0, 0));
    let mut held = Vec::new();
    for _ in 0..COUNT {
        held.push(broker.receive("q").await.unwrap());
    }
    assert_eq!(counts(&broker), (0, COUNT, 0));
    for delivery in held.drain(..) {
        broker.complete(&delivery).unwrap();
    }
    assert_eq!(counts(&broker), (0, 0, 0));
}

#[derive(Debug, Clone)]
enum Step {
    Send(u8),
    Receive { dead: bool },
    Complete(usize),
    Abandon(usize),
    Renew(usize),
    Wait(u64),
    Resend,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u8..4).prop_map(Step::Send),
        6 => any::<bool>().prop_map(|dead| Step::Receive { dead }),
        3 => any::<usize>().prop_map(Step::Complete),
        4 => any::<usize>().prop_map(Step::Abandon),
        1 => any::<usize>().prop_map(Step::Renew),
        2 => (1u64..90).prop_map(Step::Wait),
        1 => Just(Step::Resend),
        1 => Just(Step::Restart),
    ]
}

/// Takes everything out of a queue and its dead-letter queue; how often each body came.
fn drain(broker: &Broker) -> BTreeMap<String, u32> {
    let mut seen = BTreeMap::new();
    for queue in ["q", DEAD] {
        while let Some(delivery) = receive(broker, queue) {
            *seen.entry(delivery.message.body.clone()).or_default() += 1;
            broker.complete(&delivery).unwrap();
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_message_is_lost_or_doubled(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let clock = Clock::manual();
            let mut broker = open_at(dir.path(), clock.clone());
            let mut held: Vec<Delivery> = Vec::new();
            let mut alive = BTreeSet::new();
            let mut sent = 0;
            for step in steps {
                match step {
                    Step::Send(count) => {
                        let bodies: Vec<String> = (0..count).map(|n| format!("m{}", sent + u32::from(n))).collect();
                        sent += u32::from(count);
                        alive.extend(bodies.clone());
                        broker.send("q", bodies).await.unwrap();
                    }
                    Step::Receive { dead } => {
                        if let Some(delivery) = receive(&broker, if dead { DEAD } else { "q" }) {
                            assert!(alive.contains(&delivery.message.body), "a completed message came back");
                            assert!(dead || delivery.count <= 3, "delivered more often than allowed");
                            held.push(delivery);
                        }
                    }
                    Step::Complete(index) if !held.is_empty() => {
                        let delivery = held.swap_remove(index % held.len());
                        if broker.complete(&delivery).is_ok() {
                            assert!(alive.remove(&delivery.message.body), "completed twice");
                        }
                    }
                    Step::Abandon(index) if !held.is_empty() => {
                        let delivery = held.swap_remove(index % held.len());
                        // A lock that ran out is no error of the broker.
                        let _ = broker.abandon(&delivery);
                    }
                    Step::Renew(index) if !held.is_empty() => {
                        let _ = broker.renew(&held[index % held.len()]);
                    }
                    Step::Complete(_) | Step::Abandon(_) | Step::Renew(_) => {}
                    Step::Wait(seconds) => clock.advance(Duration::from_secs(seconds)),
                    Step::Resend => {
                        broker.resend_dead("q", 2).await.unwrap();
                    }
                    Step::Restart => {
                        broker.flush().await;
                        drop(broker);
                        broker = open_at(dir.path(), clock.clone());
                        held.clear();
                    }
                }
                let (active, locked, dead) = counts(&broker);
                assert_eq!(active + locked + dead, alive.len(), "a message was lost or doubled");
            }
            clock.advance(Duration::from_secs(61));
            let expected: BTreeMap<String, u32> = alive.into_iter().map(|body| (body, 1)).collect();
            assert_eq!(drain(&broker), expected);
            broker.flush().await;
            drop(broker);
            assert_eq!(drain(&open(dir.path())), BTreeMap::new(), "completed messages stay away");
        });
    }
}
