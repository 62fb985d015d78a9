//! Files that cannot be taken end in a run that says precisely why; nothing crashes and nothing is left over.

use super::sample::{CONTRACT, Mix, PIPELINE, csv, failure, upload, world};
use crate::{
    Sizes,
    harness::{Delivery, World},
    run::State,
};

async fn rejected(path: &str, body: impl Into<bytes::Bytes>) -> (String, String) {
    let mut world = world().await;
    let run = upload(&mut world, path, body).await;
    world.check().await;
    assert!(run.receipt, "a rejected run has a receipt");
    let (state, code, message) = failure(&run);
    assert_eq!(state, State::Rejected, "{code} {message}");
    (code.to_owned(), message.to_owned())
}

#[tokio::test]
async fn a_header_without_rows_has_no_rows() {
    for text in ["id,region,amount,note\n", "id,region,amount,note"] {
        assert_eq!(rejected("orders/a.csv", text).await.0, "F0002", "{text:?}");
    }
}

#[tokio::test]
async fn missing_columns_are_named() {
    let (code, message) = rejected("orders/a.csv", "id,amount\n1,2\n").await;
    assert_eq!(code, "F0003");
    assert!(message.contains("region") && message.contains("note"), "{message}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused() {
    let body: Vec<u8> = (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let (code, _) = rejected("orders/a.csv", body).await;
    assert!(code.starts_with('F'), "{code}");
}

#[tokio::test]
async fn a_header_that_does_not_end_is_refused() {
    let (code, _) = rejected("orders/a.csv", "x".repeat(3 << 20)).await;
    assert!(["F0005", "F0003"].contains(&code.as_str()), "{code}");
}

#[tokio::test]
async fn a_file_that_is_mostly_wrong_is_refused_with_its_report() {
    let mut world = world().await;
    let broken = csv(100, 10, Mix { broken: 1, ..Mix::default() });
    let run = upload(&mut world, "orders/a.csv", broken).await;
    assert_eq!((failure(&run).0, failure(&run).1), (State::Rejected, "F0031"));
    let report = world.lake.blob(&crate::layout::report(&run)).expect("the report says what was wrong");
    let report: crate::ledger::StoredReport = serde_json::from_slice(&report.body).expect("a report");
    assert_eq!((report.report.tally.totals.rows, report.report.tally.totals.rejected), (100, 99));
    let receipt = crate::submissions::receipt(&world.context, &run.run_id).await.expect("a receipt");
    assert_eq!((receipt.counts, receipt.checked), (None, Some(report.report.tally.totals)), "nothing was published of what was checked");
    assert_eq!(receipt.rejected_rows.map(|r| r.rows), Some(99));
    world.check().await;
}

#[tokio::test]
async fn a_line_longer_than_a_segment_is_a_problem_of_its_row() {
    let mut world = World::new(Sizes::for_testing(), Delivery::default());
    world.put_pipeline(&PIPELINE.replace("rejectedPercent: 60", "rejectedPercent: 60, rowBytes: 65536"), CONTRACT).await;
    let mut body = csv(20, 10, Mix::default());
    body.extend_from_slice(b"20,north,1.00,");
    body.extend(std::iter::repeat_n(b'y', 3 << 20));
    body.extend_from_slice(b"\n21,south,1.00,z\n");
    let run = upload(&mut world, "orders/a.csv", body).await;
    assert_eq!(run.state, State::Completed, "{:?}", run.failure);
    assert_eq!(run.counts.map(|c| (c.rows, c.published, c.rejected)), Some((22, 21, 1)));
    world.check().await;
}

#[tokio::test]
async fn every_row_has_an_outcome() {
    let mut world = world().await;
    let run = upload(&mut world, "orders/a.csv", csv(1_000, 2_000, Mix::ALL)).await;
    let counts = run.counts.expect("gathered");
    assert_eq!(counts.rows, 1_000);
    assert!(run.generation == 1 && counts.rejected > 40 && counts.filtered > 40 && counts.held > 80, "{counts:?}");
    assert_eq!((run.state, run.cases), (State::Reviewing, 1));
    world.check().await;
}
