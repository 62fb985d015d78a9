//! The parts of the engine by themselves: finding records, decoding, checks, expressions, encoding, keys.
//!
//! Rows that a filter leaves out are decoded and checked, and not encoded: that is how the parts are told apart through the public API.
//!
//! `cargo bench --manifest-path benches/micro/Cargo.toml`; words behind `--` choose some of them by name, `--save-baseline NAME` and
//! `--baseline NAME` compare two states of the code.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_engine::{
    Chunk, ChunkStart, Compiled, HeaderEnd, KEY_RECORD_BYTES, KeyPass, Overrides, Scanner, Splitting, Stream, Transformer, parquet_chunks,
    parquet_footer_len, read_header,
};

#[path = "../../../handlers/engine/src/tests/plans.rs"]
mod plans;

/// Rows of each file.
const ROWS: u64 = 20_000;
/// Bytes of a push, as the handler and the command line make them.
const PIECE: usize = 256 << 10;

const COLUMNS: &str = "{name: id, logicalType: integer, physicalType: bigint}, {name: name, logicalType: string}, \
    {name: amount, logicalType: number, physicalType: 'decimal(12,2)'}, {name: day, logicalType: date}, \
    {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}, {name: flag, logicalType: boolean}";
const CHECKED: &str = "{name: id, logicalType: integer, physicalType: bigint, required: true, logicalTypeOptions: {minimum: 0}}, \
    {name: name, logicalType: string, required: true, logicalTypeOptions: {minLength: 3, maxLength: 30, pattern: '^[a-z ]+[0-9]+$'}}, \
    {name: amount, logicalType: number, physicalType: 'decimal(12,2)', logicalTypeOptions: {minimum: 0, maximum: 100000}}, \
    {name: day, logicalType: date, logicalTypeOptions: {minimum: '2000-01-01'}}, {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}, \
    {name: flag, logicalType: boolean, required: true}";
const NOTHING: &str = "tasks: [{filter: 'id < 0'}]\n";
const ENCODED: &str = "";
const EXPRESSIONS: &str = "tasks: [{derive: {tax: 'amount * 0.19', month: \"date_part('month', day)\", upper: 'upper(name)', long: 'length(name) > 20'}}, {filter: 'id < 0'}]
rules: [{name: large, when: 'amount > 99999', outcome: review}, {name: odd, when: \"name like 'x%' and flag\", outcome: reject}]\n";

/// A plan of a format over columns, both as YAML, and further keys of the pipeline.
fn compile(format: &str, columns: &str, rest: &str) -> Arc<Compiled> {
    plans::compile(plans::plan(format, columns, rest))
}

/// The values of a row, which look like chance and are the same every time.
fn row(n: u64) -> [String; 6] {
    let chance = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33;
    let (cents, day) = (chance % 10_000_000, chance % 28 + 1);
    [
        n.to_string(),
        format!("a customer of the house {}", chance % 5000),
        format!("{}.{:02}", cents / 100, cents % 100),
        format!("2024-{:02}-{day:02}", chance % 12 + 1),
        format!("2024-01-{day:02}T{:02}:{:02}:{:02}Z", n % 24, n % 60, chance % 60),
        chance.is_multiple_of(2).to_string(),
    ]
}

fn csv(quote: &str) -> Vec<u8> {
    let mut text = String::from("id,name,amount,day,at,flag\n");
    for n in 0..ROWS {
        let [id, name, rest @ ..] = row(n);
        text.push_str(&format!("{id},{quote}{name}{quote},{}\n", rest.join(",")));
    }
    text.into_bytes()
}

fn ndjson() -> Vec<u8> {
    let line = |n| {
        let [id, name, amount, day, at, flag] = row(n);
        format!("{{\"id\":{id},\"name\":\"{name}\",\"amount\":{amount},\"day\":\"{day}\",\"at\":\"{at}\",\"flag\":{flag}}}\n")
    };
    (0..ROWS).map(line).collect::<String>().into_bytes()
}

/// Every second row has three problems.
fn bad_csv() -> Vec<u8> {
    let mut text = String::from("id,name,amount,day,at,flag\n");
    for n in 0..ROWS {
        let [id, name, amount, day, at, flag] = row(n);
        let line = if n.is_multiple_of(2) {
            format!("{id},x,{amount},2024-02-30,{at},perhaps\n")
        } else {
            format!("{id},{name},{amount},{day},{at},{flag}\n")
        };
        text.push_str(&line);
    }
    text.into_bytes()
}

/// A file of one chunk through the engine, which must reject so many rows; the bytes of a stream of outputs.
fn run(compiled: &Arc<Compiled>, kind: Splitting, bytes: &[u8], rejected: u64, wanted: impl Fn(&Stream) -> bool) -> Vec<u8> {
    let (plan, file_len) = (compiled.plan(), bytes.len() as u64);
    let mut start = ChunkStart {
        run: "bench".to_owned(),
        index: 0,
        chunk: Chunk { start: 0, end: file_len, first_row: 0, first_line: 1, row_groups: Vec::new() },
        header: None,
        kind,
        footer: None,
        file_len,
    };
    match kind {
        Splitting::Records => {
            let header = read_header(plan, bytes, true).expect("a header");
            (start.chunk.start, start.chunk.first_line, start.header) = (header.end, header.lines + 1, header.names);
        }
        Splitting::RowGroups => {
            let len = parquet_footer_len(&bytes[bytes.len() - 8..]).expect("Parquet") as usize;
            let footer = &bytes[bytes.len() - len..];
            start.chunk = parquet_chunks(plan, footer, file_len, u64::MAX).expect("Parquet").remove(0);
            start.footer = Some(footer.into());
        }
        Splitting::Whole => {}
    }
    let range = start.chunk.start as usize..start.chunk.end as usize;
    let mut transformer = Transformer::new(compiled, start, &Overrides::default()).expect("a chunk");
    let mut kept = Vec::new();
    for piece in bytes[range].chunks(PIECE) {
        transformer.push(piece).expect("taken");
        transformer.drain().into_iter().filter(|(stream, _)| wanted(stream)).for_each(|(_, bytes)| kept.extend(bytes));
    }
    let (pieces, report) = transformer.finish().expect("taken");
    assert_eq!((report.rows, report.tally.totals.rejected), (ROWS, rejected));
    pieces.into_iter().filter(|(stream, _)| wanted(stream)).for_each(|(_, bytes)| kept.extend(bytes));
    kept
}

/// A benchmark of work on `amount` bytes or keys.
fn measure<T>(criterion: &mut Criterion, name: &str, amount: Throughput, mut work: impl FnMut() -> T) {
    let (group, part) = name.split_once('/').unwrap_or((name, "all"));
    let mut group = criterion.benchmark_group(group);
    group.throughput(amount).bench_function(part, |bencher| bencher.iter(&mut work));
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let (plain, quoted, json, bad) = (csv(""), csv("\""), ndjson(), bad_csv());
    let accepted = |stream: &Stream| matches!(stream, Stream::Accepted { .. });
    let parquet = run(&compile("csv: {}", COLUMNS, ENCODED), Splitting::Records, &plain, 0, accepted);
    let cases = [
        ("decode/csv", &plain, compile("csv: {}", COLUMNS, NOTHING)),
        ("decode/csv, quoted", &quoted, compile("csv: {}", COLUMNS, NOTHING)),
        ("decode/ndjson", &json, compile("ndjson: {}", COLUMNS, NOTHING)),
        ("decode/parquet", &parquet, compile("parquet: {}", COLUMNS, NOTHING)),
        ("validate/good rows", &plain, compile("csv: {}", CHECKED, NOTHING)),
        ("validate/half of the rows with three problems", &bad, compile("csv: {}", CHECKED, NOTHING)),
        ("expressions/four derived columns and two rules", &plain, compile("csv: {}", COLUMNS, EXPRESSIONS)),
        ("encode/csv to parquet", &plain, compile("csv: {}", COLUMNS, ENCODED)),
    ];
    for (name, file, compiled) in cases {
        let kind = if name == "decode/parquet" { Splitting::RowGroups } else { Splitting::Records };
        let rejected = if name.contains("problems") { ROWS / 2 } else { 0 };
        let amount = Throughput::Bytes(file.len() as u64);
        measure(criterion, name, amount, || run(&compiled, kind, black_box(file), rejected, |_| false));
    }

    let compiled = compile("csv: {}", COLUMNS, NOTHING);
    let start = HeaderEnd::from(&read_header(compiled.plan(), &plain, true).expect("a header"));
    measure(criterion, "split/find records", Throughput::Bytes(plain.len() as u64), || {
        let mut scanner = Scanner::after_header(compiled.plan(), start);
        scanner.feed(black_box(&plain));
        scanner.finish()
    });

    let keyed = compile("csv: {}", &COLUMNS.replacen("physicalType: bigint", "physicalType: bigint, unique: true", 1), "");
    let keys = run(&keyed, Splitting::Records, &plain, 0, |stream| *stream == Stream::Keys);
    measure(criterion, "keys/one pass", Throughput::Elements((keys.len() / KEY_RECORD_BYTES) as u64), || {
        let mut pass = KeyPass::new(keyed.keys(), 0, 1);
        pass.feed(black_box(&keys)).expect("whole records");
        pass.finish().is_empty()
    });
}

criterion_group! {
    name = engine;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3)).sample_size(20);
    targets = parts
}
criterion_main!(engine);
