use std::path::Path;

use super::*;

/// A handler in the shell: it notes its start, and the script decides how it goes on.
fn spec(dir: &Path, script: &str) -> WorkerSpec {
    WorkerSpec {
        executable: "/bin/sh".into(),
        arguments: vec!["-c".into(), format!("echo started >> starts; {script}")],
        working_directory: dir.into(),
        app_root: dir.into(),
        environment: BTreeMap::from([("SETTING".to_owned(), "value".to_owned())]),
        fixed_port: None,
        initialization_timeout: Duration::from_secs(20),
        note: ChildNote::new(dir, "handler", "never the command of this test".into()),
    }
}

fn start(spec: WorkerSpec) -> (Arc<Worker>, HandlerOutput) {
    let output = HandlerOutput::open(&spec.app_root).unwrap();
    (Worker::start(spec, output.clone(), reqwest::Client::new()), output)
}

fn starts(dir: &Path) -> usize {
    std::fs::read_to_string(dir.join("starts")).unwrap().lines().count()
}

#[tokio::test]
async fn the_third_error_stops_the_app() {
    let dir = tempfile::tempdir().unwrap();
    let (worker, _) = start(spec(dir.path(), "echo oops >&2; exit 3"));
    let error = worker.ready().await.unwrap_err();
    assert!(matches!(&error, NotReady::HandlerGaveUp(why) if why.contains("exit status: 3")), "{error}");
    assert_eq!(starts(dir.path()), 3);
    worker.shutdown().await;
    assert_eq!(*worker.state().borrow(), HandlerState::Stopped);
}

#[tokio::test]
async fn exit_code_zero_is_not_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let (worker, _) = start(spec(dir.path(), "exit 0"));
    assert_eq!(worker.ready().await, Err(NotReady::HandlerEnded));
    assert_eq!(starts(dir.path()), 1);
}

#[tokio::test]
async fn exit_code_200_is_restarted_without_counting() {
    let dir = tempfile::tempdir().unwrap();
    let (worker, _) = start(spec(dir.path(), "if [ $(wc -l < starts) -lt 6 ]; then exit 200; else exit 0; fi"));
    assert_eq!(worker.ready().await, Err(NotReady::HandlerEnded));
    assert_eq!(starts(dir.path()), 6);
}

#[tokio::test]
async fn a_silent_handler_runs_into_the_initialization_timeout() {
    let dir = tempfile::tempdir().unwrap();
    let (worker, _) = start(WorkerSpec { initialization_timeout: Duration::from_millis(50), ..spec(dir.path(), "exec sleep 600") });
    let error = worker.ready().await.unwrap_err();
    assert!(matches!(&error, NotReady::HandlerGaveUp(why) if why.contains("did not answer on 127.0.0.1:")), "{error}");
}

#[tokio::test]
async fn a_handler_that_cannot_be_run_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (worker, _) = start(WorkerSpec { executable: "/no/such/handler".into(), ..spec(dir.path(), "") });
    let error = worker.ready().await.unwrap_err();
    assert!(error.to_string().contains("/no/such/handler"), "{error}");
}

#[tokio::test]
async fn the_handler_gets_the_hosts_variables_and_its_lines_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let script = "echo $SETTING $FUNCTIONS_CUSTOMHANDLER_PORT-$FUNCTIONS_HTTPWORKER_PORT $FUNCTIONS_APP_ROOT_PATH; \
                  echo a warning >&2; echo bad >&2; exit 0";
    let output = HandlerOutput::open(dir.path()).unwrap();
    let mut lines = output.subscribe();
    let worker = Worker::start(spec(dir.path(), script), output, reqwest::Client::new());
    assert_eq!(worker.ready().await, Err(NotReady::HandlerEnded));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let line = timeout(Duration::from_secs(20), lines.recv()).await.unwrap().unwrap();
        seen.push((line.level, line.text));
    }
    let (_, first) = seen.iter().find(|(level, _)| *level == HandlerLevel::Information).unwrap();
    let (_, ports) = first.split_once(' ').unwrap();
    let (ports, root) = ports.split_once(' ').unwrap();
    let (custom, http) = ports.split_once('-').unwrap();
    assert!(first.starts_with("value ") && custom == http && custom.parse::<u16>().unwrap() > 0, "{first}");
    assert_eq!(root, dir.path().to_str().unwrap());
    assert!(seen.contains(&(HandlerLevel::Warning, "a warning".into())));
    assert!(seen.contains(&(HandlerLevel::Error, "bad".into())));
    let log = std::fs::read_to_string(dir.path().join("handler.log")).unwrap();
    assert!(log.contains(" error bad\n"), "{log}");
}
