//! The result does not depend on how a file is cut.

use std::io::Write as _;

use proptest::prelude::*;
use sluice_contract::{Escape, Format, Plan};

use super::support::{Cut, Outcome, compile, csv_text, plan, run, text_chunks, try_run};
use crate::{Chunker, HeaderEnd};

const COLUMNS: &str = "{name: a, logicalType: string}, {name: b, logicalType: integer}, {name: c, logicalType: string}";
/// Every valid row is held, so that its place and record can be looked at.
const HOLD: &str = "rules: [{name: all, when: '1 = 1', outcome: review}]\n";

fn csv_plan(rest: &str, change: impl Fn(&mut sluice_contract::CsvFormat)) -> Plan {
    let mut plan = plan("csv: {header: none}", COLUMNS, rest);
    if let Format::Csv(csv) = &mut plan.pipeline.intake.format {
        change(csv);
    }
    plan
}

/// Dialects whose splitting differs.
fn dialects() -> Vec<(&'static str, Plan)> {
    let mut all = vec![
        ("plain", csv_plan(HOLD, |_| {})),
        ("pad", csv_plan("", |csv| csv.short_row = sluice_contract::ShortRow::Pad)),
        ("hold", csv_plan("", |csv| csv.short_row = sluice_contract::ShortRow::Review)),
        ("backslash", csv_plan(HOLD, |csv| csv.escape = Escape::Backslash)),
        ("no escape", csv_plan(HOLD, |csv| csv.escape = Escape::None)),
        ("no quote", csv_plan(HOLD, |csv| csv.quote = None)),
        ("trim", csv_plan(HOLD, |csv| csv.trim = true)),
        ("comment", csv_plan(HOLD, |csv| csv.comment = Some("##".to_owned()))),
        ("two bytes", csv_plan(HOLD, |csv| csv.delimiter = ",,".to_owned())),
        ("three bytes", csv_plan(HOLD, |csv| csv.delimiter = ",#,".to_owned())),
        ("ndjson", plan("ndjson: {}", "{name: a, logicalType: integer}", HOLD)),
    ];
    for (_, plan) in &mut all {
        plan.pipeline.limits.row_bytes = 24;
    }
    all
}

/// Texts of every dialect.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let more: &[&[u8]] = &[b",,", b"{\"a\":1}\n", b"  \n", b"\"a\nb\",3,c\r\n"];
    csv_text(more, 60).prop_map(|text| [b"start,0,\"here\"\n".as_slice(), &text].concat())
}

/// A row held by the rule has its record at its offset, on its line.
fn check_places(bytes: &[u8], outcome: &Outcome) -> Result<(), TestCaseError> {
    for held in &outcome.held {
        let at = held.offset as usize;
        let record = String::from_utf8_lossy(&bytes[at..]).into_owned();
        prop_assert!(record.starts_with(&held.raw), "row {} is not at {at}", held.row);
        let before = &bytes[..at];
        let lines = before.iter().enumerate().filter(|(i, b)| **b == b'\n' || (**b == b'\r' && bytes.get(i + 1) != Some(&b'\n'))).count();
        prop_assert!(held.line == lines as u64 + 1, "row {} is not on line {}", held.row, held.line);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_rows_problems_and_places(
        bytes in text(),
        dialect in 0usize..11,
        segment in 1usize..80,
        chunk in 1u64..60,
        piece in 1usize..40,
    ) {
        prop_assume!(memchr::memchr_iter(0, &bytes).count() * 10 < bytes.len());
        let (name, plan) = dialects().swap_remove(dialect);
        let compiled = compile(plan);
        let whole = run(&compiled, &bytes, Cut::NONE);
        let cut = run(&compiled, &bytes, Cut { segment, chunk, piece });
        prop_assert_eq!(&cut, &whole, "{}", name);
        if name != "ndjson" {
            check_places(&bytes, &whole)?;
        }
    }

    #[test]
    fn a_text_read_once_is_cut_into_the_same_chunks(
        bytes in text(),
        dialect in 0usize..11,
        header in any::<proptest::sample::Index>(),
        chunk in 1u64..60,
        piece in 1usize..40,
        forgets in any::<bool>(),
    ) {
        let (name, plan) = dialects().swap_remove(dialect);
        // Any line may be the last of the header.
        let ends: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i] == b'\n').map(|i| i + 1).collect();
        let start = HeaderEnd { offset: ends[header.index(ends.len())] as u64, lines: 7 };
        let mut chunker = Chunker::new(&plan, start, chunk);
        let (mut base, mut chunks) = (0, Vec::new());
        for end in (1..=bytes.len()).filter(|end| end % piece == 0 || *end == bytes.len()) {
            if forgets {
                base = (chunker.needed() as usize).min(end);
            }
            chunks.extend(chunker.push(base as u64, &bytes[base..end]));
        }
        chunks.extend(chunker.finish(bytes.len() as u64));
        let whole = text_chunks(&plan, &bytes, start, Cut { segment: bytes.len(), chunk, piece: bytes.len() });
        prop_assert_eq!(chunks, whole, "{}", name);
    }
}

/// Cuts at every byte of files with one defect each.
#[test]
fn every_cut_of_hard_files_gives_the_same() {
    let files: [&[u8]; 9] = [
        b"a,1,b\r\nc,2,d\r\n",
        b"a,1,\"b\r\nb\"\r\nc,2,d\r\n",
        b"a,1,\"b\"\"\nb\"\nc,2,d\n",
        b"a,1,\"never closed\nc,2,d\ne,3,f\ng,4,h\ni,5,j\n",
        b"a,1,b\n\"\n\"\n\"x\",2,y\n\"never",
        b"a,1,a line that is far too long to be taken\nc,2,d\n",
        b"\"a line that is far too long and open\nc,2,d\ne,3,f\n",
        b"\n\n\r\r\n\na,1,b\n\n",
        b"x\"y,1,\"z\nx\"y,1,\"z\nx\"y,1,\"z\nx\"y,1,\"z\nx\"y,1,\"z\n",
    ];
    for (name, plan) in dialects().into_iter().take(7) {
        let compiled = compile(plan);
        for bytes in files {
            let whole = run(&compiled, bytes, Cut::NONE);
            for segment in 1..=bytes.len() {
                let cut = run(&compiled, bytes, Cut { segment, chunk: 1, piece: segment.div_ceil(2) });
                assert_eq!(cut, whole, "{name}: {} in segments of {segment}", bytes.escape_ascii());
            }
        }
    }
}

#[test]
fn an_unclosed_quote_costs_its_own_line_only() {
    let mut plan = csv_plan("", |_| {});
    plan.pipeline.limits.row_bytes = 1000;
    let mut text = b"a,1,b\nbad,2,\"open\n".to_vec();
    (0..500).for_each(|i| text.extend(format!("c,{i},\"two\nlines\"\n").bytes()));
    let outcome = run(&compile(plan), &text, Cut::NONE);
    // The quote of the bad line is closed by the next line's; from there on all is well again.
    assert_eq!(outcome.report.tally.totals.rows, outcome.report.tally.totals.accepted + outcome.report.tally.totals.rejected);
    assert!(outcome.report.tally.totals.rejected <= 3, "{:?}", outcome.report.tally.problems);
    let mut plan = csv_plan("", |_| {});
    plan.pipeline.limits.row_bytes = 1000;
    let mut text = b"a,1,b\nbad,2,\"open\n".to_vec();
    (0..500).for_each(|i| text.extend(format!("c,{i},d\n").bytes()));
    let outcome = run(&compile(plan), &text, Cut { segment: 100, chunk: 1, piece: 77 });
    assert_eq!((outcome.report.tally.totals.accepted, outcome.report.tally.totals.rejected), (501, 1));
    assert_eq!(super::support::problems(&outcome), [(1, "R0003".to_owned())]);
}

#[test]
fn a_line_without_end_costs_bounded_memory_and_one_row() {
    let mut plan = csv_plan("", |_| {});
    plan.pipeline.limits.row_bytes = 1000;
    let compiled = compile(plan);
    let mut text = b"a,1,b\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', 300_000));
    text.extend(b",\"\",\"\nc,2,d\n");
    for cut in [Cut::NONE, Cut { segment: 4096, chunk: 1, piece: 100 }] {
        let outcome = run(&compiled, &text, cut);
        assert_eq!(outcome.ends, ["accepted", "rejected", "accepted"]);
        assert_eq!(super::support::problems(&outcome), [(1, "R0005".to_owned())]);
        assert!(outcome.rejected.len() < 5000, "{} bytes", outcome.rejected.len());
    }
}

/// A stream of compressed bytes may begin with a single byte of its text: what it is must not be guessed from that.
#[test]
fn a_compressed_text_is_what_it_is_however_slowly_it_comes() {
    let compiled = compile(csv_plan(HOLD, |_| {}));
    let binary = [b"a,1,".as_slice(), &[1, 0].repeat(100)].concat();
    for text in [b"\xef\xbb\xbfa,1,b\nc,2,d\n".as_slice(), b"PK\x03\x04,1,b\n", &binary] {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        for byte in text {
            encoder.write_all(&[*byte]).and_then(|()| encoder.flush()).expect("in memory");
        }
        let compressed = encoder.finish().expect("in memory");
        let plain = try_run(&compiled, text, Cut::NONE).map_err(|e| e.to_string());
        for piece in [1, 7, 1000] {
            let found = try_run(&compiled, &compressed, Cut { piece, ..Cut::NONE }).map_err(|e| e.to_string());
            assert_eq!(found, plain, "{} in pieces of {piece}", text.escape_ascii());
        }
    }
}
