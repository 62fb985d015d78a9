//! Queues, failures, dead letters, crashes.

use std::collections::BTreeSet;

use devhost::{DevHost, HandlerState, InvocationFilter, InvocationStatus, NotReady, StartError};
use serde_json::{Value, json};

use crate::support::{App, until};

fn idle(host: &DevHost) -> bool {
    host.queues().iter().all(|queue| queue.active + queue.locked == 0)
}

async fn send(host: &DevHost, n: usize, what: &str) {
    host.send("work", json!({"n": n, "do": what}).to_string()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_flows_through_two_functions_and_leaves_a_trace() {
    let app = App::new();
    let host = app.start().await;
    send(&host, 1, "pass").await;
    until("the message is done", || app.done().contains(&r#"done {"n":1}"#.to_owned())).await;
    until("the queues are empty", || idle(&host)).await;
    let work = host.invocations().list(&InvocationFilter { function: Some("work".into()), ..InvocationFilter::default() });
    assert_eq!((work.len(), work[0].status, work[0].delivery_count), (1, InvocationStatus::Succeeded, Some(1)));
    assert_eq!(work[0].logs, ["passed 1"]);
    until("the timer has run on startup", || app.done().contains(&"tick".to_owned())).await;
    host.shutdown().await;
    assert!(std::fs::read_to_string(app.state("invocations.ndjson")).unwrap().contains("passed 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_ten_times_waits_as_a_dead_letter_over_a_restart() {
    let app = App::new();
    let host = app.start().await;
    send(&host, 1, "fail").await;
    send(&host, 2, "say nothing").await;
    let dead = |host: &DevHost| host.queues().iter().find(|queue| queue.name == "work").unwrap().dead_letters;
    until("both are dead letters", || dead(&host) == 2).await;
    let failed = host.invocations().list(&InvocationFilter { status: Some(InvocationStatus::Failed), ..InvocationFilter::default() });
    assert_eq!(failed.len(), 20);
    let errors: BTreeSet<_> = failed.iter().filter_map(|i| i.error.clone()).collect();
    assert!(errors.contains("handler answered 500: no"), "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("would hang until functionTimeout")), "{errors:?}");
    host.shutdown().await;

    let host = app.start().await;
    let letters = host.peek("work/$DeadLetterQueue", 10).unwrap();
    assert_eq!(letters.iter().map(|l| l.delivery_count).collect::<Vec<_>>(), [10, 10]);
    assert_eq!(letters[0].application_properties["DeadLetterReason"], "MaxDeliveryCountExceeded");
    let resend = format!("{}/devhost/queues/work/deadletter/resend?limit=1", host.urls().http);
    let answer: Value = reqwest::Client::new().post(resend).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, json!({"resent": 1}));
    until("it is a dead letter again", || dead(&host) == 2 && idle(&host)).await;
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_costs_one_delivery_and_loses_nothing() {
    let app = App::new();
    let host = app.start().await;
    send(&host, 1, "crash once").await;
    until("the message is done", || app.done().iter().any(|line| line.starts_with("done"))).await;
    assert!(app.done().contains(&r#"done {"n":1,"count":"2"}"#.to_owned()), "{:?}", app.done());
    assert!(matches!(*host.handler_state().borrow(), HandlerState::Ready { starts: 2, .. }));
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn injected_kills_neither_lose_messages_nor_stop_the_app() {
    const COUNT: usize = 400;
    let app = App::new();
    let host = app.start().await;
    for n in 0..COUNT {
        send(&host, n, "pass").await;
    }
    let done = |app: &App| app.done().into_iter().filter(|line| line.starts_with("done")).collect::<BTreeSet<_>>().len();
    for kill in 1..=6 {
        until("some more are done", || done(&app) >= COUNT * kill / 8).await;
        host.kill_handler();
    }
    until("all are done", || done(&app) == COUNT && idle(&host)).await;
    assert!(host.queues().iter().all(|queue| queue.dead_letters == 0), "{:?}", host.queues());
    assert!(matches!(*host.handler_state().borrow(), HandlerState::Ready { starts: 7, .. }));
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_crashes_stop_the_app_and_keep_the_messages() {
    let app = App::new();
    let host = app.start().await;
    for n in 0..3 {
        send(&host, n, "crash once").await;
        until("the handler is down", || app.state(&format!("../notes/first-crash-{n}")).exists()).await;
    }
    until("the host gave up", || matches!(*host.handler_state().borrow(), HandlerState::GaveUp { .. })).await;
    assert!(matches!(host.wait_ready().await, Err(NotReady::HandlerGaveUp(_))));
    host.shutdown().await;
    let host = app.start().await;
    until("all are done after all", || (0..3).all(|n| app.done().iter().any(|line| line.starts_with(&format!("done {{\"n\":{n}"))))).await;
    host.shutdown().await;
}

#[tokio::test]
async fn one_state_folder_serves_one_devhost() {
    let app = App::new();
    let host = app.start().await;
    let error = DevHost::start(app.config()).await.err().unwrap();
    assert!(matches!(error, StartError::Locked { .. }), "{error}");
    let port = host.urls().http.rsplit_once(':').unwrap().1.parse().unwrap();
    let other = App::new();
    let mut config = other.config();
    config.http_port = port;
    let error = DevHost::start(config).await.err().unwrap().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port} for the Functions host")), "{error}");
    host.shutdown().await;
}
