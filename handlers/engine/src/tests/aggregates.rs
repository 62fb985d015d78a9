//! The aggregate task.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use serde_json::json;

use super::support::{Cut, batches, compile, pass, plan};
use crate::{AcceptedFile, Compiled, Overrides, Pieces, aggregate};

const COLUMNS: &str =
    "{name: k, logicalType: string}, {name: n, logicalType: integer}, {name: d, logicalType: number, physicalType: 'decimal(10,2)'}";
const REST: &str = "parameters: {factor: {type: integer, default: 3}}
tasks: [{aggregate: {by: [k], take: {total: 'sum(d)', weighted: 'sum(n) * $factor', rows: 'count(*)'}}}]
";

/// The accounts and the bytes of an aggregate, and the most bytes that were in the folder for what does not fit into memory.
fn aggregated(compiled: &Arc<Compiled>, input: Vec<RecordBatch>, memory: usize) -> (Vec<AcceptedFile>, Vec<u8>, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut bytes, mut spilled) = (Vec::new(), 0);
    let sink = |pieces: Pieces| {
        spilled = spilled.max(size(folder.path()));
        for (_, piece) in pieces {
            bytes.extend(piece);
        }
        Ok(())
    };
    let accounts = aggregate(compiled, "run-1", input.into_iter().map(Ok), memory, folder.path(), sink).expect("aggregated");
    assert_eq!(size(folder.path()), 0, "nothing is left");
    (accounts, bytes, spilled)
}

/// Bytes of the files in a folder and below.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries.map(|e| if e.path().is_dir() { size(&e.path()) } else { e.metadata().map_or(0, |m| m.len()) }).sum()
}

fn grouped(text: &[u8], chunk: u64) -> (Vec<serde_json::Value>, Vec<u8>) {
    let compiled = compile(plan("csv: {nullValues: ['']}", COLUMNS, REST));
    let done = pass(&compiled, text, Cut { segment: 40, chunk, piece: 100 }, &Overrides::default()).expect("taken");
    let input: Vec<_> = done.files.into_iter().flat_map(|(_, bytes)| batches(bytes)).collect();
    let (accounts, bytes, _) = aggregated(&compiled, input, 64 << 20);
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
    let grouped = |memory: usize| aggregated(&compiled, input.clone(), memory);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _context = runtime.enter();
    // The keys alone are 10 MB, and half of the limit is kept for sorting.
    let (_, small, spilled) = grouped(12 << 20);
    let (_, large, not_spilled) = grouped(1 << 30);
    assert!(spilled > 1 << 20 && not_spilled == 0, "{spilled} and {not_spilled} bytes");
    let groups = (0..60_000_u32).map(|i| i.wrapping_mul(2_654_435_761) % 50_021).collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(batches(small.clone()).iter().map(RecordBatch::num_rows).sum::<usize>(), groups);
    assert_eq!(small, large);
}
