//! NDJSON. The first four bytes choose the options and the cut, the others are the file. What is taken must be JSON to another reader, too.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use sluice_engine::Compiled;
use sluice_fuzz::{compile, is_compressed, run_both};

/// Columns of the sample `orders` and of the side by side benchmark, one of each kind of type.
const COLUMNS: &str = "{name: order_id, logicalType: string, required: true}, {name: n, logicalType: integer}, \
     {name: amount, logicalType: number, physicalType: 'decimal(12,2)'}, {name: f, logicalType: number}, {name: yes, logicalType: boolean}, \
     {name: day, logicalType: date}, {name: placed_at, logicalType: timestamp}, {name: t, logicalType: time}, {name: items, logicalType: array}, \
     {name: customer, logicalType: object}";
const HOLD: &str = "limits: {rowBytes: 1000, rejectedPercent: 100}\nrules: [{name: all, when: '1 = 1', outcome: review}]\n";
const ACCEPT: &str = "limits: {rowBytes: 1000, rejectedPercent: 100}\n";

static OPTIONS: LazyLock<Vec<Arc<Compiled>>> = LazyLock::new(|| {
    let keyed =
        "{name: order_id, logicalType: string, unique: true}, {name: n, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}";
    vec![
        compile("ndjson: {}", COLUMNS, HOLD),
        compile("ndjson: {rejectUnknown: true, nullValues: ['', 'null']}", COLUMNS, HOLD),
        compile("ndjson: {}", COLUMNS, ACCEPT),
        compile("ndjson: {}", keyed, ACCEPT),
    ]
});

fuzz_target!(|data: &[u8]| {
    let [options, segment, chunk, piece, file @ ..] = data else { return };
    let compiled = &OPTIONS[usize::from(*options) % OPTIONS.len()];
    let Some(outcome) = run_both(compiled, file, [*segment, *chunk, *piece]) else { return };
    if is_compressed(file) {
        return;
    }
    outcome.check_places(file, false);
    for held in &outcome.held {
        let object: Result<Map<String, Value>, _> = serde_json::from_str(&held.raw);
        assert!(object.is_ok(), "row {} is taken and no JSON object", held.row);
    }
});
