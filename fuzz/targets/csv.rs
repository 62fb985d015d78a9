//! CSV in many dialects. The first four bytes choose the dialect and the cut, the others are the file.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sluice_contract::Format;
use sluice_engine::Compiled;
use sluice_fuzz::{compile, is_compressed, run_both};

/// The contract of the engine's corpus of bad files, which are seeds.
const COLUMNS: &str = "{name: id, logicalType: integer, required: true}, {name: name, logicalType: string, logicalTypeOptions: {maxLength: 40}}, \
     {name: amount, logicalType: number, physicalType: 'decimal(9,2)'}, {name: day, logicalType: date}";
const KEYED: &str =
    "{name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}, {name: name, logicalType: string, unique: true}";
/// Every valid row is held, so that its place and record can be looked at.
const HOLD: &str = "rules: [{name: all, when: '1 = 1', outcome: review}]\n";
/// Rows that are too long are part of it.
const LIMIT: &str = "limits: {rowBytes: 1000, rejectedPercent: 100}\n";

static DIALECTS: LazyLock<Vec<Arc<Compiled>>> = LazyLock::new(|| {
    let hold = format!("{LIMIT}{HOLD}");
    let tasks = format!("{LIMIT}tasks: [{{filter: 'id <> 3'}}, {{derive: {{more: 'amount * 2'}}}}, {{deduplicate: {{by: [name]}}}}]\n");
    let of = |format: &str, rest: &str| compile(&format!("csv: {{{format}}}"), COLUMNS, rest);
    vec![
        of("", LIMIT),
        of("", &hold),
        of("", &tasks),
        compile("csv: {}", KEYED, LIMIT),
        of("header: none", &hold),
        of("header: none, shortRow: pad, nullValues: ['', 'NA']", LIMIT),
        of("header: none, shortRow: review", &hold),
        of("delimiter: ';', decimal: ',', thousands: '.'", &hold),
        of("header: none, delimiter: '||', trim: true", &hold),
        of("header: none, delimiter: ',,,'", &hold),
        of("header: none, delimiter: tab, quote: none", &hold),
        of("header: none, escape: backslash", &hold),
        of("header: none, escape: none, quote: \"'\"", &hold),
        of("comment: '#', shortRow: pad, skipLines: 1", &hold),
        of("header: 2, headerMatch: loose, extraColumns: refuse", &hold),
        of("repeatedHeader: skip, skipRows: '^total'", &hold),
        of("skipUntil: '^id', skipRows: '^[;,]*$'", LIMIT),
        of("encoding: latin1", &hold),
        of("header: none, encoding: windows-1252, trim: true", &hold),
        of("encoding: utf-16", &hold),
        of("header: none, encoding: utf-16le", &hold),
        of("header: none, encoding: utf-16be", LIMIT),
    ]
});

fuzz_target!(|data: &[u8]| {
    let [dialect, segment, chunk, piece, file @ ..] = data else { return };
    let compiled = &DIALECTS[usize::from(*dialect) % DIALECTS.len()];
    let Some(outcome) = run_both(compiled, file, [*segment, *chunk, *piece]) else { return };
    outcome.places();
    let Format::Csv(csv) = &compiled.plan().pipeline.intake.format else { return };
    // Another encoding has other characters.
    if csv.encoding == sluice_contract::Encoding::Utf8 && !is_compressed(file) {
        outcome.check_places(file, true);
    }
});
