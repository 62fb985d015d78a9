//! The aggregate task.

use serde_json::json;

use super::support::{Cut, batches, compile, pass, plan};
use crate::{Overrides, aggregate};

const COLUMNS: &str =
    "{name: k, logicalType: string}, {name: n, logicalType: integer}, {name: d, logicalType: number, physicalType: 'decimal(10,2)'}";
const REST: &str = "parameters: {factor: {type: integer, default: 3}}
tasks: [{aggregate: {by: [k], take: {total: 'sum(d)', weighted: 'sum(n) * $factor', rows: 'count(*)'}}}]
";

fn grouped(text: &[u8], chunk: u64) -> (Vec<serde_json::Value>, Vec<u8>) {
    let compiled = compile(plan("csv: {nullValues: ['']}", COLUMNS, REST));
    let done = pass(&compiled, text, Cut { segment: 40, chunk, piece: 100 }, &Overrides::default()).expect("taken");
    let input: Vec<_> = done.files.into_iter().flat_map(|(_, bytes)| batches(bytes)).collect();
    let spill = tempfile::tempdir().expect("a folder");
    let (files, accounts) = aggregate(&compiled, "run-1", input.into_iter().map(Ok), 64 << 20, spill.path()).expect("aggregated");
    let bytes: Vec<u8> = files.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(accounts.iter().map(|a| a.bytes).sum::<u64>(), bytes.len() as u64);
    let read = batches(bytes.clone());
    assert_eq!(read[0].schema().fields().len(), compiled.output_schema().fields().len());
    let rows = read.iter().flat_map(|b| (0..b.num_rows()).map(|r| json!(crate::write::held::object(b, r)))).collect();
    (rows, bytes)
}

#[test]
fn groups_are_sorted_and_do_not_depend_on_the_chunks() {
    let text = b"k,n,d\nb,1,1.10\na,2,0.20\n,5,9.99\nb,3,1.15\na,,0.10\n";
    let (rows, bytes) = grouped(text, 1);
    let expected = [(None, "9.99", 15, 1), (Some("a"), "0.30", 6, 2), (Some("b"), "2.25", 12, 2)];
    let expected: Vec<_> = expected
        .map(|(k, total, weighted, rows)| json!({"k": k, "total": total, "weighted": weighted, "rows": rows, "_sluice_run": "run-1"}))
        .into();
    assert_eq!(rows, expected);
    assert_eq!(grouped(text, 1 << 20), (rows, bytes));
}

#[test]
fn groups_that_do_not_fit_into_memory_are_spilled_with_the_same_result() {
    let mut text = b"k,n,d\n".to_vec();
    for i in 0..60_000_u32 {
        text.extend(format!("{:0>200},{},1.00\n", i.wrapping_mul(2_654_435_761) % 50_021, i % 10).bytes());
    }
    let compiled = compile(plan("csv: {}", COLUMNS, REST));
    let done = pass(&compiled, &text, Cut::NONE, &Overrides::default()).expect("taken");
    let input: Vec<_> = done.files.into_iter().flat_map(|(_, bytes)| batches(bytes)).collect();
    let spill = tempfile::tempdir().expect("a folder");
    let grouped = |memory: usize| {
        let (files, _) = aggregate(&compiled, "run-1", input.clone().into_iter().map(Ok), memory, spill.path()).expect("aggregated");
        files.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<u8>>()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _context = runtime.enter();
    // The keys alone are 10 MB, and half of the limit is kept for sorting.
    let small = grouped(12 << 20);
    let large = grouped(1 << 30);
    let groups = (0..60_000_u32).map(|i| i.wrapping_mul(2_654_435_761) % 50_021).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(batches(small.clone()).iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), groups);
    assert_eq!(small, large);
}
