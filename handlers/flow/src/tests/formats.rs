//! Ways a file can be worked through: at records, as a whole, at row groups.

use std::{io::Write as _, sync::Arc};

use arrow::{
    array::{Decimal128Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use sluice_engine::Splitting;

use super::sample::{CONTRACT, Mix, PIPELINE, csv, failure, pipeline, upload, world};
use crate::{
    Sizes,
    harness::{Delivery, World},
    run::State,
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("writing to a Vec does not fail");
    encoder.finish().expect("writing to a Vec does not fail")
}

fn parquet(rows: i64, group: usize) -> Vec<u8> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("region", DataType::Utf8, true),
        Field::new("amount", DataType::Decimal128(12, 2), true),
        Field::new("note", DataType::Utf8, true),
    ]));
    let amounts =
        Decimal128Array::from_iter_values((0..rows).map(|n| i128::from(n % 80_000))).with_precision_and_scale(12, 2).expect("a decimal");
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            Arc::new(Int64Array::from_iter_values(0..rows)),
            Arc::new(StringArray::from_iter_values((0..rows).map(|n| if n % 2 == 0 { "north" } else { "south" }))),
            Arc::new(amounts),
            // Notes that do not compress, so that row groups have a size.
            Arc::new(StringArray::from_iter_values((0..rows).map(|n| blake3::hash(&n.to_le_bytes()).to_hex().to_string().repeat(2)))),
        ],
    )
    .expect("a batch");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).set_dictionary_enabled(false).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    bytes
}

#[tokio::test]
async fn a_compressed_file_is_one_chunk() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv.gz", gzip(&csv(2_000, 500, Mix::NO_REPEATS))).await;
    assert_eq!((run.splitting, run.chunks), (Some(Splitting::Whole), 1));
    assert_eq!(run.counts.map(|c| c.rows), Some(2_000), "{:?}", run.failure);
    world.check().await;
}

#[tokio::test]
async fn a_compressed_file_that_is_cut_is_refused() {
    let mut world = world().await;
    let whole = gzip(&csv(2_000, 500, Mix::default()));
    let run = upload(&mut world, "orders/a.csv.gz", whole[..whole.len() / 2].to_vec()).await;
    assert_eq!((failure(&run).0, failure(&run).1), (State::Rejected, "F0010"));
    world.check().await;
}

#[tokio::test]
async fn a_compressed_file_that_explodes_is_refused() {
    let mut world = World::new(Sizes::for_testing(), Delivery::default());
    world.put_pipeline(&PIPELINE.replace("rejectedPercent: 60", "rejectedPercent: 60, expansion: 20"), CONTRACT).await;
    let mut bomb = csv(3, 10, Mix::default());
    bomb.extend(std::iter::repeat_n(b'0', 64 << 20));
    let run = upload(&mut world, "orders/a.csv.gz", gzip(&bomb)).await;
    assert_eq!((failure(&run).0, failure(&run).1), (State::Rejected, "F0012"));
    world.check().await;
}

#[tokio::test]
async fn parquet_is_worked_through_by_row_groups() {
    let mut world = world().await;
    world.put_pipeline(&pipeline("columns", "columns/*", "{ parquet: {} }"), CONTRACT).await;
    let run = upload(&mut world, "columns/a.parquet", parquet(20_000, 2_000)).await;
    assert_eq!(run.splitting, Some(Splitting::RowGroups));
    assert!(run.chunks > 1, "{} chunks", run.chunks);
    assert_eq!((run.state, run.counts.map(|c| (c.rows, c.published))), (State::Completed, Some((20_000, 20_000))), "{:?}", run.failure);
    world.check().await;
}

#[tokio::test]
async fn a_parquet_footer_that_lies_about_its_length_is_refused() {
    let mut world = world().await;
    world.put_pipeline(&pipeline("columns", "columns/*", "{ parquet: {} }"), CONTRACT).await;
    let mut body = parquet(100, 100);
    let at = body.len() - 8;
    body[at..at + 4].copy_from_slice(&0x7fff_fff0u32.to_le_bytes());
    let run = upload(&mut world, "columns/a.parquet", body).await;
    assert_eq!((failure(&run).0, failure(&run).1), (State::Rejected, "F0020"));
    world.check().await;
}

#[tokio::test]
async fn ndjson_is_worked_through_at_records() {
    let mut world = world().await;
    world.put_pipeline(&pipeline("lines", "lines/*", "{ ndjson: {} }"), CONTRACT).await;
    let line = |n: u32| format!("{{\"id\":{n},\"region\":\"north\",\"amount\":1.5,\"note\":\"{}\"}}\n", "n".repeat(2_000));
    let body: String = (0..2_000).map(line).collect();
    let run = upload(&mut world, "lines/a.ndjson", body).await;
    assert_eq!(
        (run.splitting, run.counts.map(|c| (c.rows, c.published))),
        (Some(Splitting::Records), Some((2_000, 2_000))),
        "{:?}",
        run.failure
    );
    assert!(run.chunks > 1);
    world.check().await;
}
