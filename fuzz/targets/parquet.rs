//! Arbitrary bytes as a Parquet file: refused or read, the same in one chunk and in one a row group.
//!
//! The engine takes a panic of the Parquet library on damaged bytes for a fault of the file, so a panic is a finding only if it comes out.
#![no_main]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use sluice_engine::Compiled;
use sluice_fuzz::{Cut, assert_same, compile, run};

/// Columns of the seeds, one of each kind of type.
const COLUMNS: &str = "{name: i, logicalType: integer}, {name: b, logicalType: boolean}, {name: t, logicalType: string}, \
     {name: d, logicalType: number, physicalType: 'decimal(12,2)'}, {name: f, logicalType: number}, {name: day, logicalType: date}, \
     {name: at, logicalType: timestamp}";
const REST: &str = "limits: {rejectedPercent: 100, expansion: 1000}\nrules: [{name: some, when: 'i > 3', outcome: review}]\n";

static COMPILED: LazyLock<Arc<Compiled>> = LazyLock::new(|| compile("parquet: {}", COLUMNS, REST));
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn check(file: &[u8]) {
    let whole = run(&COMPILED, file, Cut::NONE);
    let cut = run(&COMPILED, file, Cut { chunk: 1, piece: file.len() % 61 + 1, ..Cut::NONE });
    match (&cut, &whole) {
        // Row groups that overlap in a damaged file are refused by the first that cannot be read, which depends on the chunks.
        (Err(_), Err(_)) => {}
        _ => assert_same(&cut, &whole),
    }
}

fuzz_target!(
    init: {
        std::panic::set_hook(Box::new(|panic| *LAST_PANIC.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = panic.to_string()));
    },
    |data: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| check(data))).is_err() {
            eprintln!("{}", LAST_PANIC.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
            std::process::abort();
        }
    }
);
