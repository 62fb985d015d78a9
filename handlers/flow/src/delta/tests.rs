use std::{collections::BTreeMap, sync::Arc};

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use deltalake_core::DeltaTable;
use futures::future::join_all;
use serde_json::{Map, Value, json};
use sluice_engine::AcceptedFile;

use super::{DataFile, Publication, latest, log_entry, publish, table};
use crate::{
    BlobPath, Context, ETag, Kind, Lake as _, RunId, SubmissionId,
    lake::CURATED,
    memory::{Fault, When},
    testing::{World, world},
};

fn run(n: u32) -> RunId {
    SubmissionId::of(&BlobPath::new("landing-acme", format!("{n}.csv")), &ETag("1".to_owned())).run(1)
}

fn schema(fields: &[(&str, DataType)]) -> Schema {
    Schema::new(fields.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), false)).collect::<Vec<_>>())
}

fn flights() -> Schema {
    schema(&[("carrier", DataType::Utf8), ("delay", DataType::Int32), ("month", DataType::Int16)])
}

fn file(run: &RunId, month: &str, rows: u64) -> DataFile {
    let facts = AcceptedFile {
        partition: format!("month={month}"),
        part: 1,
        partition_values: BTreeMap::from([("month".to_owned(), Some(month.to_owned()))]),
        rows,
        bytes: 1234,
        null_count: BTreeMap::from([("carrier".to_owned(), 0), ("delay".to_owned(), 1)]),
        min_values: Map::from_iter([("carrier".to_owned(), json!("AA"))]),
        max_values: Map::from_iter([("carrier".to_owned(), json!("ZZ"))]),
    };
    DataFile { path: format!("month={month}/{run}-g0-000000.parquet"), facts }
}

async fn publish_run(context: &Context, run: &RunId, schema: &Schema, since: Option<u64>) -> crate::Result<u64> {
    let partition_by = ["month".to_owned()];
    let files = [file(run, "1", 10), file(run, "2", 20)];
    let info = Map::from_iter([("runId".to_owned(), json!(run))]);
    publish(context, &Publication { run, table: "flights", schema, partition_by: &partition_by, files: &files, info }, since).await
}

/// The table as delta-rs reads it.
async fn read(context: &Context) -> DeltaTable {
    let mut delta = DeltaTable::new(table::log_store(context, "flights").expect("a store"));
    delta.load().await.expect("the table can be read");
    delta
}

async fn entry(world: &World, version: u64) -> Vec<Value> {
    let bytes = world.lake.read(&log_entry("flights", version), 0..u64::MAX, None).await.expect("a commit");
    serde_json::Deserializer::from_slice(&bytes).into_iter().collect::<Result<_, _>>().expect("lines of JSON")
}

fn find<'a>(entry: &'a [Value], action: &str) -> &'a Value {
    entry.iter().find_map(|line| line.get(action)).unwrap_or_else(|| panic!("no {action}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_makes_a_table_that_others_can_read() {
    let world = world();
    assert_eq!(latest(&world.context, "flights").await.expect("no error"), None);
    assert_eq!(publish_run(&world.context, &run(1), &flights(), None).await.expect("published"), 0);
    let delta = read(&world.context).await;
    let state = delta.snapshot().expect("loaded");
    let columns: Vec<_> = state.schema().fields().map(|f| (f.name().clone(), f.data_type().to_string(), f.is_nullable())).collect();
    let expected = [("carrier", "string"), ("delay", "integer"), ("month", "short")].map(|(n, t)| (n.to_owned(), t.to_owned(), true));
    assert_eq!(columns, expected);
    assert_eq!(state.metadata().partition_columns(), ["month"]);
    assert_eq!(state.metadata().name(), Some("flights"));
    assert_eq!(state.log_data().num_files(), 2);
    let rows: usize = state.log_data().iter().filter_map(|f| f.num_records()).sum();
    assert_eq!(rows, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_names_its_run_and_carries_statistics() {
    let world = world();
    publish_run(&world.context, &run(1), &flights(), None).await.expect("published");
    let entry = entry(&world, 0).await;
    assert_eq!(find(&entry, "commitInfo")["runId"], json!(run(1)));
    assert_eq!(find(&entry, "commitInfo")["timestamp"], json!(1_767_225_600_000_u64));
    assert_eq!(find(&entry, "txn"), &json!({ "appId": run(1), "version": 0, "lastUpdated": 1_767_225_600_000_u64 }));
    let add = find(&entry, "add");
    assert_eq!(add["partitionValues"], json!({ "month": "1" }));
    let stats: Value = serde_json::from_str(add["stats"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        stats,
        json!({ "numRecords": 10, "minValues": { "carrier": "AA" }, "maxValues": { "carrier": "ZZ" }, "nullCount": { "carrier": 0, "delay": 1 } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_published_twice_is_one_version() {
    let world = world();
    for _ in 0..2 {
        assert_eq!(publish_run(&world.context, &run(1), &flights(), None).await.expect("published"), 0);
    }
    assert_eq!(publish_run(&world.context, &run(2), &flights(), Some(0)).await.expect("published"), 1);
    // Another process knows nothing but the log; and it may have been started before or after the first try.
    for since in [None, Some(0)] {
        assert_eq!(publish_run(&world.another_process(), &run(2), &flights(), since).await.expect("published"), 1, "{since:?}");
        assert_eq!(publish_run(&world.another_process(), &run(1), &flights(), None).await.expect("published"), 0);
    }
    assert_eq!(read(&world.context).await.version(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_after_the_commit_does_not_publish_twice() {
    // Every call of a publish fails once, before or after its effect; the next attempt must end with one version all the same.
    for when in [When::Before, When::After] {
        for call in 0.. {
            let world = world();
            publish_run(&world.context, &run(1), &flights(), None).await.expect("published");
            let planned = world.faults.calls().len() as u64 + call;
            world.faults.plan(Fault { call: planned, when });
            let first = publish_run(&world.context, &run(2), &flights(), Some(0)).await;
            if !world.faults.all_happened() {
                assert!(call > 1, "a publish has more calls than {call}");
                break;
            }
            if let Err(error) = &first {
                assert_eq!(error.kind(), Kind::Transient, "{when:?} {call}: {}", error.chain());
            }
            let again = publish_run(&world.another_process(), &run(2), &flights(), Some(0)).await.expect("published");
            assert_eq!(again, 1, "{when:?} {call}");
            assert_eq!(read(&world.context).await.version(), Some(1), "{when:?} {call}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_the_same_time_all_get_in_once() {
    let world = world();
    // Each writer is a process of its own, and every run has two of them.
    let processes: Vec<_> = (0..16).map(|_| world.another_process()).collect();
    let schema = flights();
    let runs: Vec<_> = (0..8).map(run).collect();
    let both = processes.iter().enumerate().map(|(n, context)| publish_run(context, &runs[n % 8], &schema, None));
    let versions: Vec<u64> = join_all(both).await.into_iter().map(|v| v.expect("published")).collect();
    assert_eq!(versions[..8], versions[8..], "both writers of a run tell the same version");
    let mut distinct = versions[..8].to_vec();
    distinct.sort_unstable();
    assert_eq!(distinct, (0..8).collect::<Vec<_>>());
    let delta = read(&world.context).await;
    assert_eq!(delta.snapshot().expect("loaded").log_data().num_files(), 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_read_the_log_once_and_leave_checkpoints() {
    let world = world();
    for n in 0..205 {
        assert_eq!(
            publish_run(&world.context, &run(n), &flights(), n.checked_sub(1).map(u64::from)).await.expect("published"),
            u64::from(n)
        );
    }
    let before = world.faults.calls().len();
    publish_run(&world.context, &run(205), &flights(), Some(204)).await.expect("published");
    let calls = world.faults.calls().len() - before;
    assert!(calls <= 4, "one publish made {calls} calls");
    let checkpoints: Vec<_> = world.lake.contents().into_keys().filter(|b| b.path.contains(".checkpoint")).collect();
    assert_eq!(checkpoints.len(), 2, "{checkpoints:?}");
    let (table, started) = (read(&world.another_process()).await, world.faults.calls().len());
    assert_eq!(table.version(), Some(205));
    assert_eq!(table.snapshot().expect("loaded").log_data().num_files(), 412);
    // A new process starts from the checkpoint, and knows the runs before it.
    assert_eq!(publish_run(&world.another_process(), &run(3), &flights(), None).await.expect("published"), 3);
    let reads = world.faults.calls().len() - started;
    assert!(reads < 150, "a process that starts made {reads} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_column_is_added_and_a_missing_one_stays() {
    let world = world();
    publish_run(&world.context, &run(1), &flights(), None).await.expect("published");
    let grown = schema(&[("carrier", DataType::Utf8), ("month", DataType::Int16), ("gate", DataType::Utf8)]);
    assert_eq!(publish_run(&world.context, &run(2), &grown, Some(0)).await.expect("published"), 1);
    // A writer that knew the table before the column was added goes on.
    assert_eq!(publish_run(&world.context, &run(3), &flights(), Some(1)).await.expect("published"), 2);
    let delta = read(&world.context).await;
    let state = delta.snapshot().expect("loaded");
    assert_eq!(state.schema().fields().map(|f| f.name().as_str()).collect::<Vec<_>>(), ["carrier", "delay", "month", "gate"]);
    assert_eq!(state.metadata().partition_columns(), ["month"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_every_column() {
    let world = world();
    publish_run(&world.context, &run(1), &flights(), None).await.expect("published");
    let other = schema(&[("carrier", DataType::Int64), ("Delay", DataType::Int32), ("month", DataType::Int16)]);
    let error = publish_run(&world.context, &run(2), &other, Some(0)).await.expect_err("another type");
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "D0002"));
    assert!(error.message().contains("carrier is long, in the table string") && error.message().contains("Delay is delay"), "{error}");
    let info = Map::new();
    let publication = Publication { run: &run(2), table: "flights", schema: &flights(), partition_by: &[], files: &[], info };
    let error = publish(&world.context, &publication, Some(0)).await.expect_err("partitioned otherwise");
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "D0003"));
    assert_eq!(read(&world.context).await.version(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_asks_for_more_than_this_writer_can_do_is_left_alone() {
    let world = world();
    publish_run(&world.context, &run(1), &flights(), None).await.expect("published");
    let protocol = json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["checkConstraints"] } });
    world.lake.create(&log_entry("flights", 1), protocol.to_string().into(), &BTreeMap::new()).await.expect("another writer's commit");
    let error = publish_run(&world.context, &run(2), &flights(), Some(0)).await.expect_err("a constraint");
    assert_eq!((error.kind(), error.code()), (Kind::Permanent, "D0004"));
    assert!(error.message().contains("checkConstraints"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wall_clock_times_ask_for_their_table_feature() {
    let world = world();
    let wall_clock = schema(&[("at", DataType::Timestamp(TimeUnit::Microsecond, None)), ("month", DataType::Int16)]);
    publish_run(&world.context, &run(1), &wall_clock, None).await.expect("published");
    assert_eq!(find(&entry(&world, 0).await, "protocol")["writerFeatures"], json!(["timestampNtz"]));
    assert_eq!(publish_run(&world.context, &run(2), &wall_clock, Some(0)).await.expect("published"), 1);
    assert_eq!(read(&world.context).await.version(), Some(1));
    let zoned = world_with_zone().await;
    let error = publish_run(&zoned.context, &run(2), &wall_clock, Some(0)).await.expect_err("the feature is missing");
    assert_eq!(error.code(), "D0004");
}

async fn world_with_zone() -> World {
    let world = world();
    let zoned = schema(&[("seen", DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))), ("month", DataType::Int16)]);
    publish_run(&world.context, &run(1), &zoned, None).await.expect("published");
    assert_eq!(find(&entry(&world, 0).await, "protocol"), &json!({ "minReaderVersion": 1, "minWriterVersion": 2 }));
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_with_escapes_is_found_again() {
    let world = world();
    let (id, mut odd) = (run(1), file(&run(1), "1", 1));
    odd.path = "month=a%2Fb c/ü.parquet".to_owned();
    let partition_by = ["month".to_owned()];
    let publication =
        Publication { run: &id, table: "flights", schema: &flights(), partition_by: &partition_by, files: &[odd], info: Map::new() };
    publish(&world.context, &publication, None).await.expect("published");
    assert_eq!(find(&entry(&world, 0).await, "add")["path"], "month=a%252Fb%20c/%C3%BC.parquet");
    let delta = read(&world.context).await;
    let paths: Vec<_> = delta.snapshot().expect("loaded").log_data().iter().map(|f| f.path().to_string()).collect();
    assert_eq!(paths, ["month=a%2Fb c/ü.parquet"]);
}

#[tokio::test]
async fn the_store_replaces_nothing_but_checkpoints() {
    use object_store::{ObjectStoreExt as _, path::Path};
    let world = world();
    let store = super::store::LakeStore::new(world.context.lake.clone(), CURATED);
    let error = store.put(&Path::from("t/_delta_log/00000000000000000001.json"), "x".into()).await.expect_err("a commit");
    assert!(matches!(error, object_store::Error::NotSupported { .. }), "{error}");
    let hint = Path::from("t/_delta_log/_last_checkpoint");
    for text in ["1", "22"] {
        store.put(&hint, text.into()).await.expect("replaced");
    }
    assert_eq!(store.get(&hint).await.expect("there").bytes().await.expect("read"), "22");
    assert_eq!(store.get_range(&hint, 1..2).await.expect("read"), "2");
    assert_eq!(store.head(&hint).await.expect("there").size, 2);
    assert!(matches!(store.head(&Path::from("t/none")).await, Err(object_store::Error::NotFound { .. })));
}

#[tokio::test]
async fn the_store_lists_by_whole_segments() {
    use futures::TryStreamExt as _;
    use object_store::{ObjectStore as _, path::Path};
    let world = world();
    for path in ["t/a/1", "t/a/2", "t/b", "t/c/d/3", "tt/x"] {
        world.lake.create(&BlobPath::new(CURATED, path), "x".into(), &BTreeMap::new()).await.expect("created");
    }
    let store = super::store::LakeStore::new(world.context.lake.clone(), CURATED);
    let root = Path::from("t");
    let all: Vec<_> = store.list(Some(&root)).map_ok(|m| m.location.to_string()).try_collect().await.expect("listed");
    assert_eq!(all, ["t/a/1", "t/a/2", "t/b", "t/c/d/3"]);
    let after: Vec<_> =
        store.list_with_offset(Some(&root), &Path::from("t/a/2")).map_ok(|m| m.location.to_string()).try_collect().await.expect("listed");
    assert_eq!(after, ["t/b", "t/c/d/3"]);
    let level = store.list_with_delimiter(Some(&root)).await.expect("listed");
    assert_eq!(level.common_prefixes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["t/a", "t/c"]);
    assert_eq!(level.objects.iter().map(|o| o.location.to_string()).collect::<Vec<_>>(), ["t/b"]);
}
