//! gzip and zstd around CSV. The first byte chooses how the others are used: as a compressed file, or as a text that is compressed here, in
//! two members or frames, and perhaps cut short.
#![no_main]

use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sluice_engine::{Code, Compiled};
use sluice_fuzz::{Cut, assert_same, compile, is_compressed, run};

const COLUMNS: &str = "{name: id, logicalType: integer, required: true}, {name: name, logicalType: string}";
const REST: &str = "limits: {rowBytes: 1000, rejectedPercent: 100, expansion: 100}\nrules: [{name: all, when: '1 = 1', outcome: review}]\n";

static COMPILED: LazyLock<Vec<Arc<Compiled>>> =
    LazyLock::new(|| vec![compile("csv: {}", COLUMNS, REST), compile("csv: {header: none}", COLUMNS, REST)]);

const GZIP: u8 = 1;
const CUT_SHORT: u8 = 2;
const RAW: u8 = 4;
const NO_HEADER: u8 = 8;

fn member(is_gzip: bool, text: &[u8]) -> Vec<u8> {
    if is_gzip {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("in memory");
        encoder.finish().expect("in memory")
    } else {
        zstd::bulk::compress(text, 1).expect("in memory")
    }
}

fuzz_target!(|data: &[u8]| {
    let [mode, piece, split, rest @ ..] = data else { return };
    let has = |flag| mode & flag != 0;
    let compiled = &COMPILED[usize::from(has(NO_HEADER))];
    let pieces = Cut { piece: usize::from(*piece) + 1, ..Cut::NONE };
    if has(RAW) {
        let magic: &[u8] = if has(GZIP) { b"\x1f\x8b\x08" } else { b"\x28\xb5\x2f\xfd" };
        let file = [magic, rest].concat();
        let (cut, whole) = (run(compiled, &file, pieces), run(compiled, &file, Cut::NONE));
        match (&cut, &whole) {
            // Damage in the bytes and a fault of the text before it are found in the order in which they are read.
            (Err(_), Err(_)) => {}
            _ => assert_same(&cut, &whole),
        }
        return;
    }
    if rest.is_empty() || is_compressed(rest) {
        return;
    }
    let (first, second) = rest.split_at(usize::from(*split).min(rest.len()));
    let mut file = [member(has(GZIP), first), member(has(GZIP), second)].concat();
    if has(CUT_SHORT) {
        file.pop();
        let error = run(compiled, &file, pieces).expect_err("the end is missing");
        let is_of_text = run(compiled, rest, Cut::NONE).is_err();
        assert!(is_of_text || matches!(error.code, Code::TruncatedCompression | Code::DamagedCompression), "{error}");
        return;
    }
    let (compressed, plain) = (run(compiled, &file, pieces), run(compiled, rest, Cut::NONE));
    assert_same(&compressed, &plain);
    if let Ok(outcome) = &compressed {
        outcome.check_places(rest, true);
    }
});
