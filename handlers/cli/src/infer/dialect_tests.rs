//! Files written in many dialects: what is found must be what they were written in, and the engine must take every row of them.

use proptest::prelude::*;
use sluice_contract::Encoding;

use super::tests::infer;
use super::write::FileFormat;

/// How a file is written.
#[derive(Debug, Clone)]
struct Written {
    delimiter: &'static str,
    quote: char,
    quotes_all: bool,
    line_end: &'static str,
    encoding: Encoding,
    mark: bool,
    preamble: usize,
    comment: bool,
    header_rows: usize,
    footer: bool,
    comma: bool,
}

fn written() -> impl Strategy<Value = Written> {
    let delimiters = vec![",", ";", "\t", "|", "||", "~|~", ", ", "^", "\u{1f}"];
    let encodings = vec![
        (Encoding::Utf8, false),
        (Encoding::Utf8, true),
        (Encoding::Utf16, true),
        (Encoding::Utf16Le, false),
        (Encoding::Latin1, false),
    ];
    (
        (prop::sample::select(delimiters), prop::sample::select(vec!['"', '"', '\'']), any::<bool>()),
        (prop::sample::select(vec!["\n", "\r\n", "\r"]), prop::sample::select(encodings)),
        (0usize..4, any::<bool>(), 0usize..3, any::<bool>(), any::<bool>()),
    )
        .prop_map(|((delimiter, quote, quotes_all), (line_end, (encoding, mark)), (preamble, comment, header_rows, footer, comma))| {
            Written {
                delimiter,
                quote,
                quotes_all: quotes_all || quote == '\'',
                line_end,
                encoding,
                mark,
                preamble,
                comment,
                header_rows,
                footer,
                // A comma that parts fields cannot be the mark of a number without quotes.
                comma: comma && !delimiter.contains(','),
            }
        })
}

const NAMES: [&str; 10] = ["Ada", "Zoë Müller", "O'Neil", "Smith, John", "a; b", "5\" pipe", "x|y", "née", "two\nlines", "José"];

fn rows(style: &Written, seeds: &[u32]) -> Vec<Vec<String>> {
    let mark = if style.comma { "," } else { "." };
    let row = |(i, seed): (usize, &u32)| {
        let name = NAMES[*seed as usize % NAMES.len()];
        vec![
            (i + 1).to_string(),
            name.to_owned(),
            format!("{}{mark}{:02}", seed % 9000, seed % 97),
            format!("20{:02}-{:02}-{:02}", 10 + seed % 15, 1 + seed % 12, 1 + seed % 28),
            if seed % 5 == 0 { String::new() } else { ["true", "false"][*seed as usize % 2].to_owned() },
        ]
    };
    seeds.iter().enumerate().map(row).collect()
}

fn field(style: &Written, text: &str) -> String {
    let quote = style.quote;
    let must = text.contains(style.delimiter) || text.contains(['\n', '\r', quote]) || style.delimiter.chars().any(|c| text.contains(c));
    if must || style.quotes_all { format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}"))) } else { text.to_owned() }
}

fn file(style: &Written, rows: &[Vec<String>]) -> Vec<u8> {
    let mut lines: Vec<String> =
        ["Report of the month", "made for somebody", "all numbers in EUR"][..style.preamble].iter().map(|s| (*s).to_owned()).collect();
    if style.comment && style.preamble == 0 {
        lines.push("# exported by hand".to_owned());
    }
    let header = [["id", "name", "amount", "day", "paid"], ["no", "text", "EUR", "date", "yes or no"]];
    let join = |cells: &[String]| cells.iter().map(|c| field(style, c)).collect::<Vec<_>>().join(style.delimiter);
    for row in &header[..style.header_rows] {
        lines.push(join(&row.map(str::to_owned)));
    }
    lines.extend(rows.iter().map(|row| join(row)));
    if style.footer {
        lines.push("Total of all rows".to_owned());
    }
    let mut text: String = lines.iter().map(|line| format!("{line}{}", style.line_end)).collect();
    if style.mark {
        text.insert(0, '\u{feff}');
    }
    match style.encoding {
        Encoding::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
        Encoding::Utf16 | Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.into_bytes(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_file_is_read_as_it_was_written(style in written(), seeds in prop::collection::vec(0u32..100_000, 12..40)) {
        let rows = rows(&style, &seeds);
        let bytes = file(&style, &rows);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let (proposal, report, _) = infer("some.csv", &bytes).map_err(|f| TestCaseError::fail(format!("{}\n{shown}", f.message)))?;
        let FileFormat::Csv(csv) = &proposal.format else { return Err(TestCaseError::fail("not CSV")) };
        let pipeline = proposal.pipeline();
        // `, ` is read as `,` with blanks passed over as well.
        prop_assert_eq!(csv.dialect.delimiter.trim_end_matches(' '), style.delimiter.trim_end_matches(' '), "{}\n{}", shown, pipeline);
        if style.quotes_all {
            prop_assert_eq!(csv.dialect.quote, Some(style.quote as u8), "{}\n{}", shown, pipeline);
        }
        prop_assert_eq!(csv.header, style.header_rows, "{}\n{}", shown, pipeline);
        prop_assert_eq!(report.tally.totals.accepted, rows.len() as u64, "{}\n{}\n{:?}", shown, pipeline, report.tally.problems);
        let types: Vec<String> = proposal.columns.iter().map(|c| format!("{:?}", c.kind)).collect();
        prop_assert!(types[0].starts_with("Integer") && types[3].starts_with("Date") && types[4] == "Boolean", "{:?}\n{}\n{}", types, shown, pipeline);
        prop_assert!(types[2].starts_with("Decimal") || types[2] == "Double", "{:?}\n{}", types, shown);
    }
}
