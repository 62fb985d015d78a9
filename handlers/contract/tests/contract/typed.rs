//! What right documents become.

use std::collections::BTreeMap;

use sluice_contract::{
    Bounds, Check, Column, Compression, Contract, CsvFormat, DataType, Encoding, Escape, ExtraColumns, Format, Header, HeaderMatch, Limits,
    Mask, MaskMethod, Metric, NdjsonFormat, Outcome, Pipeline, RepeatedHeader, ShortRow, Task, TextFormat, Tier,
};

use crate::documents::{COLUMNS, PIPELINE_HEAD, contract, pipeline, plan};

fn column(properties: &str) -> Column {
    let mut contract = Contract::parse("c.yaml", &contract(&format!("      - {properties}\n"))).unwrap_or_else(|m| panic!("{m}"));
    contract.columns.remove(0)
}

#[test]
fn types_follow_from_logical_and_physical_type() {
    for (text, expected) in [
        ("{name: a, logicalType: string}", DataType::Text),
        ("{name: a, logicalType: boolean}", DataType::Boolean),
        ("{name: a, logicalType: integer}", DataType::Integer { bits: 64 }),
        ("{name: a, logicalType: integer, physicalType: smallint}", DataType::Integer { bits: 16 }),
        ("{name: a, logicalType: integer, logicalTypeOptions: {format: i8}}", DataType::Integer { bits: 8 }),
        ("{name: a, logicalType: integer, physicalType: \"number(10,0)\"}", DataType::Decimal { precision: 10, scale: 0 }),
        ("{name: a, logicalType: number}", DataType::Float { bits: 64 }),
        ("{name: a, logicalType: number, physicalType: float}", DataType::Float { bits: 32 }),
        ("{name: a, logicalType: number, logicalTypeOptions: {format: f32}}", DataType::Float { bits: 32 }),
        ("{name: a, logicalType: number, physicalType: \"decimal(15,2)\"}", DataType::Decimal { precision: 15, scale: 2 }),
        ("{name: a, logicalType: date}", DataType::Date),
        ("{name: a, logicalType: time}", DataType::Time),
        ("{name: a, logicalType: timestamp}", DataType::Timestamp { zoned: false }),
        ("{name: a, logicalType: timestamp, logicalTypeOptions: {timezone: true}}", DataType::Timestamp { zoned: true }),
        ("{name: a, physicalType: timestamptz}", DataType::Timestamp { zoned: true }),
        ("{name: a, logicalType: array, items: {logicalType: string}}", DataType::Json),
        ("{name: a, physicalType: bigint}", DataType::Integer { bits: 64 }),
    ] {
        assert_eq!(column(text).data_type, expected, "{text}");
    }
}

#[test]
fn checks_stand_in_the_order_of_the_contract_with_one_spelling_a_value() {
    let text = "{name: a, physicalType: varchar(9), logicalTypeOptions: {pattern: '^a', minLength: 2, format: uri}}";
    assert_eq!(
        column(text).checks,
        [Check::MaxLength(9), Check::Pattern("^a".into()), Check::MinLength(2), Check::Format(TextFormat::Uri),]
    );
    let text = "{name: a, physicalType: 'decimal(9,2)', logicalTypeOptions: {maximum: 1e3, exclusiveMinimum: -0.50, multipleOf: 0.250}}";
    let Err(mistakes) = Contract::parse("c.yaml", &contract(&format!("      - {text}\n"))).map(|_| ()) else {
        return assert_eq!(
            column(text).checks,
            [Check::Maximum("1000".into()), Check::ExclusiveMinimum("-0.5".into()), Check::MultipleOf("0.25".into()),]
        );
    };
    panic!("{mistakes}");
}

#[test]
fn an_unsigned_format_is_held_in_the_next_width_within_its_bounds() {
    let read = column("{name: a, logicalType: integer, logicalTypeOptions: {format: u8}}");
    assert_eq!(read.data_type, DataType::Integer { bits: 16 });
    assert_eq!(read.checks, [Check::Minimum("0".into()), Check::Maximum("255".into())]);
}

#[test]
fn instants_are_normalised_to_utc() {
    let read = column("{name: a, logicalType: timestamp, logicalTypeOptions: {timezone: true, minimum: '2013-01-01T01:00:00+01:00'}}");
    assert_eq!(read.checks, [Check::Minimum("2013-01-01T00:00:00Z".into())]);
}

#[test]
fn keys_are_required_and_have_positions() {
    let text = contract(
        "      - {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 2}\n      - {name: b, physicalName: B B, logicalType: string, primaryKey: true, primaryKeyPosition: 1}\n      - {name: c, logicalType: string, primaryKeyPosition: -1}\n",
    );
    let read = Contract::parse("c.yaml", &text).unwrap();
    assert_eq!(read.primary_key(), ["b", "a"]);
    assert!(read.columns[0].required && !read.columns[2].required);
    assert_eq!(read.columns[1].source, "B B");
}

#[test]
fn invalid_values_that_must_be_none_are_a_check_of_every_value() {
    let text = "{name: a, logicalType: integer, quality: [{metric: invalidValues, arguments: {validValues: [1, 2.0]}, mustBe: 0}]}";
    assert_eq!(column(text).checks, [Check::OneOf(vec!["1".into(), "2".into()])]);
}

#[test]
fn quality_is_a_measure_with_bounds() {
    let properties = "      - name: a
        logicalType: string
        quality:
          - {name: n, metric: nullValues, mustBeLessThan: 5, unit: percent, severity: warning}
          - {metric: missingValues, arguments: {missingValues: [null, '', N/A]}, mustBeBetween: [0, 3]}
          - {metric: invalidValues, arguments: {pattern: '^x'}, mustBeLessOrEqualTo: 2}
          - {metric: duplicateValues, mustBe: 0}
          - {type: text, description: words}
          - {type: custom, engine: soda, implementation: x}
    quality:
      - {metric: rowCount, mustBeGreaterOrEqualTo: 10}
      - {metric: duplicateValues, arguments: {properties: [a]}, mustNotBeBetween: [1, 9]}
";
    let quality = Contract::parse("c.yaml", &contract(properties)).unwrap_or_else(|m| panic!("{m}")).quality;
    let read: Vec<_> = quality.iter().map(|q| (q.name.as_str(), q.column.as_deref(), q.must, q.percent, q.warn_only)).collect();
    assert_eq!(
        read,
        [
            ("n", Some("a"), Bounds::Less(5.0), true, true),
            ("missingValues of a", Some("a"), Bounds::Between(0.0, 3.0), false, false),
            ("invalidValues of a", Some("a"), Bounds::AtMost(2.0), false, false),
            ("duplicateValues of a", Some("a"), Bounds::Equal(0.0), false, false),
            ("rowCount", None, Bounds::AtLeast(10.0), false, false),
            ("duplicateValues", None, Bounds::NotBetween(1.0, 9.0), false, false),
        ]
    );
    assert_eq!(quality[1].metric, Metric::MissingValues { values: vec![String::new(), "N/A".into()] });
    assert_eq!(quality[2].metric, Metric::InvalidValues { valid: None, pattern: Some("^x".into()) });
    assert_eq!(quality[5].metric, Metric::DuplicateValues { columns: vec!["a".into()] });
}

#[test]
fn a_short_pipeline_has_the_defaults() {
    let read = Pipeline::parse("p.yaml", PIPELINE_HEAD).unwrap();
    assert_eq!(read.intake.format, Format::Csv(CsvFormat::default()));
    assert_eq!(read.intake.compression, Compression::Auto);
    assert_eq!(read.limits, Limits { rejected_percent: None, row_bytes: 16_777_216, expansion: 200 });
    assert_eq!((read.review.approvers, read.review.due_within_seconds), (1, 172_800));
    assert_eq!((read.archive.tier, read.archive.retain_days, read.archive.remove_landing), (Tier::Cool, None, false));
    assert!(read.tasks.is_empty() && read.rules.is_empty() && read.parameters.is_empty() && read.publish.partition_by.is_empty());
}

#[test]
fn every_option_of_a_dialect_is_read() {
    let format = "format:
    csv: {delimiter: tab, quote: \"'\", escape: backslash, comment: \"#\", header: 3, headerMatch: loose, extraColumns: refuse, repeatedHeader: skip, skipLines: 2, skipUntil: ^id, skipRows: ^Total, nullValues: [NA, -999, \"\"], shortRow: pad,
      decimal: \",\", thousands: \".\", trueValues: [Ja], falseValues: [Nein], encoding: windows-1252, trim: true}";
    let read = Pipeline::parse("p.yaml", &PIPELINE_HEAD.replace("format: csv", format)).unwrap_or_else(|m| panic!("{m}"));
    let expected = CsvFormat {
        delimiter: "\t".into(),
        quote: Some('\''),
        escape: Escape::Backslash,
        comment: Some("#".into()),
        header: Header::Rows(3),
        header_match: HeaderMatch::Loose,
        extra_columns: ExtraColumns::Refuse,
        repeated_header: RepeatedHeader::Skip,
        skip_lines: 2,
        skip_until: Some("^id".into()),
        skip_rows: Some("^Total".into()),
        null_values: vec!["NA".into(), "-999".into(), String::new()],
        short_row: ShortRow::Pad,
        decimal: ',',
        thousands: Some('.'),
        true_values: vec!["ja".into()],
        false_values: vec!["nein".into()],
        encoding: Encoding::Windows1252,
        trim: true,
    };
    assert_eq!(read.intake.format, Format::Csv(expected));
}

#[test]
fn formats_are_words_or_maps() {
    for (text, expected) in [
        ("format: parquet", Format::Parquet),
        ("format: {parquet: {}}", Format::Parquet),
        ("format: {csv: {header: 1}}", Format::Csv(CsvFormat::default())),
        ("format: {csv: {header: none}}", Format::Csv(CsvFormat { header: Header::None, ..CsvFormat::default() })),
        ("format: {csv: {encoding: utf-16be}}", Format::Csv(CsvFormat { encoding: Encoding::Utf16Be, ..CsvFormat::default() })),
        ("format: {csv: {quote: none}}", Format::Csv(CsvFormat { quote: None, ..CsvFormat::default() })),
        ("format: ndjson", Format::Ndjson(NdjsonFormat::default())),
        (
            "format: {ndjson: {nullValues: [n/a], rejectUnknown: true}}",
            Format::Ndjson(NdjsonFormat { null_values: vec!["n/a".into()], reject_unknown: true }),
        ),
    ] {
        let read = Pipeline::parse("p.yaml", &PIPELINE_HEAD.replace("format: csv", text)).unwrap_or_else(|m| panic!("{m}"));
        assert_eq!(read.intake.format, expected, "{text}");
    }
}

#[test]
fn tasks_change_the_columns_step_by_step() {
    let text = pipeline(
        "tasks:
  - rename: { a: b, b: a }
  - derive: { d: \"a || 'x'\", c: \"c\" }
  - cast: { b: \"decimal(10,2)\" }
  - lookup: { table: ref_1, on: { d: k }, take: { e: name }, missing: review }
  - mask: { column: e, with: truncate, keep: 2 }
  - select: [e, b]
  - aggregate: { by: [e], take: { total: sum(b) } }
rules:
  - { name: r-1, when: \"b > 1\", outcome: reject, because: \"{b} of {e}\" }
",
    )
    .replace("publish: { table: t }", "publish: { table: t, partitionBy: [e] }");
    let read = plan(&text, &contract(COLUMNS)).unwrap_or_else(|m| panic!("{m}")).pipeline;
    assert_eq!(read.tasks.len(), 7);
    assert_eq!(read.tasks[2], Task::Cast(BTreeMap::from([("b".into(), DataType::Decimal { precision: 10, scale: 2 })])));
    assert!(matches!(&read.tasks[3], Task::Lookup(lookup) if lookup.missing == Some(Outcome::Review)));
    assert_eq!(read.tasks[4], Task::Mask(Mask { column: "e".into(), with: MaskMethod::Truncate { keep: 2 } }));
    assert!(matches!(&read.tasks[6], Task::Aggregate { by, take } if by == &["e"] && take[0].expression.sql == "sum(b)"));
}

#[test]
fn anchors_and_merged_maps_are_read() {
    let text = pipeline("tasks:\n  - mask: &m { column: a, with: redact }\n  - mask: { <<: *m, column: b }\n");
    let read = plan(&text, &contract(COLUMNS)).unwrap_or_else(|m| panic!("{m}")).pipeline;
    assert_eq!(read.tasks[1], Task::Mask(Mask { column: "b".into(), with: MaskMethod::Redact }));
}
