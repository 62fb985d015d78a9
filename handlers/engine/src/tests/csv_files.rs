//! CSV as it really comes.

use serde_json::json;

use super::support::{Cut, Outcome, compile, plan, problems, run};

const ABC: &str = "{name: a, logicalType: string}, {name: b, logicalType: integer}, {name: c, logicalType: string}";

fn read(format: &str, bytes: &[u8]) -> Outcome {
    run(&compile(plan(format, ABC, "")), bytes, Cut::NONE)
}

fn row(outcome: &Outcome, number: u64) -> serde_json::Value {
    json!(outcome.accepted[&number])
}

#[test]
fn columns_are_matched_by_name_in_any_order_and_more_are_passed_over() {
    let outcome = read("csv: {}", b"\xef\xbb\xbfc,extra,b,a\nz,!,1,x\n");
    assert_eq!(row(&outcome, 0), json!({"a": "x", "b": 1, "c": "z"}));
}

#[test]
fn preamble_comments_blank_lines_and_a_missing_last_newline_are_no_rows() {
    let outcome = read("csv: {skipLines: 2, comment: '#'}", b"report\r\nof today\r\n# columns\na,b,c\n\n# a note\nx,1,y\n\n\nx,2,y");
    assert_eq!(outcome.ends, ["accepted", "accepted"]);
    assert_eq!(outcome.report.tally.lines, 5);
}

#[test]
fn line_ends_may_be_mixed() {
    let outcome = read("csv: {}", b"a,b,c\rx,1,\"p\r\nq\"\r\nx,2,y\nx,3,y\r");
    assert_eq!(outcome.ends.len(), 3);
    assert_eq!(row(&outcome, 0)["c"], "p\r\nq");
}

#[test]
fn delimiters_may_be_of_several_bytes_and_blank() {
    let outcome = read("csv: {delimiter: ', '}", b"a, b, c\n\"x, y\", 1, z,z\n");
    assert_eq!(row(&outcome, 0), json!({"a": "x, y", "b": 1, "c": "z,z"}));
    let outcome = read("csv: {delimiter: ' '}", b"a b c\nx 1 y\n");
    assert_eq!(row(&outcome, 0)["b"], 1);
}

#[test]
fn a_stray_quote_is_a_letter_and_text_after_a_closing_quote_is_a_problem() {
    let outcome = read("csv: {}", b"a,b,c\n5\" pipe,1,y\n\"x\"y,2,z\n");
    assert_eq!(row(&outcome, 0)["a"], "5\" pipe");
    assert_eq!(problems(&outcome), [(1, "R0004 a".to_owned())]);
    assert!(outcome.rejected.starts_with("\"\"\"x\"\"y,2,z\",,,1,3,"), "{}", outcome.rejected);
}

#[test]
fn rows_of_another_width_are_rejected_filled_up_or_held() {
    let text = b"a,b,c\nx,1\nx,2,y,z\nx,3,y\n";
    let outcome = read("csv: {shortRow: reject}", text);
    assert_eq!(outcome.ends, ["rejected", "rejected", "accepted"]);
    assert_eq!(problems(&outcome), [(0, "R0001".to_owned()), (1, "R0002".to_owned())]);
    assert_eq!(
        outcome.rejected,
        "x,1,,0,2,\"R0001: expected 3 fields, found 2\"\n\"x,2,y,z\",,,1,3,\"R0002: expected 3 fields, found 4\"\n"
    );
    let outcome = read("csv: {shortRow: pad}", text);
    assert_eq!(outcome.ends, ["accepted"; 3]);
    assert_eq!(json!(outcome.report.tally.repairs), json!({"paddedRows": 1, "droppedFields": 1}));
    let outcome = read("csv: {shortRow: review}", text);
    assert_eq!(outcome.ends, ["held", "held", "accepted"]);
    assert_eq!(outcome.held[0].cause.name, "R0001");
    assert_eq!(json!(outcome.held[0].proposed), json!({"a": "x", "b": 1, "c": null}));
}

#[test]
fn all_problems_of_a_row_are_reported_with_value_line_and_offset() {
    let columns = "{name: a, logicalType: integer, required: true}, {name: b, logicalType: date}, {name: c, logicalType: string, logicalTypeOptions: {maxLength: 2}}";
    let compiled = compile(plan("csv: {nullValues: ['NA']}", columns, ""));
    let outcome = run(&compiled, b"a,b,c\n1,2024-02-29,ok\nNA,2023-02-29,long\n", Cut::NONE);
    assert_eq!(problems(&outcome), [(1, "R0108 b".to_owned()), (1, "R0201 a".to_owned()), (1, "R0205 c".to_owned())]);
    let date = outcome.report.tally.problems.iter().find(|p| p.column.as_deref() == Some("b")).expect("a problem");
    let sample = &date.samples[0];
    assert_eq!((sample.line, sample.offset, sample.value.as_deref()), (3, 22, Some("2023-02-29")));
    assert_eq!(
        outcome.rejected,
        "NA,2023-02-29,long,1,3,\"R0201 a: a value is required; R0108 b: is no date that exists: 2023-02 has 28 days and no day 29; \
         R0205 c: must have at most 2 characters, has 4\"\n"
    );
}

#[test]
fn text_that_is_none_is_a_problem_of_its_field() {
    let outcome = read("csv: {}", b"a,b,c\nx,1,\xff\nx\0,2,y\n");
    assert_eq!(problems(&outcome), [(0, "R0009 c".to_owned()), (1, "R0010 a".to_owned())]);
}

#[test]
fn single_byte_encodings_are_decoded_and_rejects_keep_theirs() {
    let outcome = read("csv: {encoding: windows-1252}", b"a,b,c\n\x80 100,1,na\xefve\n");
    assert_eq!(row(&outcome, 0)["a"], "€ 100");
    assert_eq!(row(&outcome, 0)["c"], "naïve");
    let compiled = compile(plan("csv: {encoding: latin1, delimiter: '§'}", ABC, ""));
    let outcome = run(&compiled, b"a\xa7b\xa7c\nx\xa71\xa7\xfc\n", Cut::NONE);
    assert_eq!(row(&outcome, 0)["c"], "ü");
}

#[test]
fn numbers_and_booleans_follow_the_dialect() {
    let columns =
        "{name: n, logicalType: number, physicalType: 'decimal(12,2)'}, {name: i, logicalType: integer}, {name: t, logicalType: boolean}";
    let compiled = compile(plan("csv: {delimiter: ';', decimal: ',', thousands: '.', trueValues: [ja], falseValues: [nein]}", columns, ""));
    let outcome = run(&compiled, b"n;i;t\n1.234,50;1.000;Ja\n1,234;12.34;yes\n", Cut::NONE);
    assert_eq!(row(&outcome, 0), json!({"n": "1234.50", "i": 1000, "t": true}));
    assert_eq!(problems(&outcome), [(1, "R0101 i".to_owned()), (1, "R0104 n".to_owned()), (1, "R0107 t".to_owned())]);
}

#[test]
fn a_file_of_one_column_has_a_row_for_each_line() {
    let compiled = compile(plan("csv: {nullValues: ['']}", "{name: a, logicalType: string}", ""));
    assert_eq!(run(&compiled, b"a\nx\n\ny\n", Cut::NONE).ends.len(), 3);
}

#[test]
fn a_rejected_record_is_one_field_where_it_cannot_be_told_apart() {
    let mut plan = plan("csv: {}", ABC, "");
    plan.pipeline.limits.row_bytes = 20;
    let compiled = compile(plan);
    let outcome = run(&compiled, b"a,b,c\nx,1,\"open\nx,2,y\nx,3,a very long text indeed\n", Cut::NONE);
    assert_eq!(outcome.ends, ["rejected", "accepted", "rejected"]);
    let lines: Vec<_> = outcome.rejected.lines().collect();
    assert!(lines[0].starts_with("\"x,1,\"\"open\",,,0,2,"), "{}", lines[0]);
    assert!(lines[1].starts_with("\"x,3,a very long text\",,,2,4,"), "{}", lines[1]);
    let header = crate::rejected_header(&compiled, Some(&["a".to_owned(), "b,2".to_owned(), "c".to_owned()]));
    assert_eq!(header, b"a,\"b,2\",c,_row,_line,_problems\n");
}

#[test]
fn what_is_wrong_with_a_number_or_a_time_is_said_precisely() {
    let columns = "{name: f, logicalType: number}, {name: t, logicalType: timestamp, logicalTypeOptions: {timezone: true}}, {name: g, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}, {name: s, logicalType: number, physicalType: float}";
    let compiled = compile(plan("csv: {}", columns, ""));
    let rows = [
        ("NaN,,,", "f is NaN, and only finite numbers are taken (nullValues can make it null)"),
        ("-Infinity,,,", "f is infinite, and only finite numbers are taken (nullValues can make it null)"),
        ("1e999,,,", "f is out of the range of a float of 64 bits"),
        ("1x,,,", "f is not a float of 64 bits"),
        (",2013-02-30T10:00:00Z,,", "t is no date that exists: 2013-02 has 28 days and no day 30"),
        (",2013-02-28T10:00:00,,", "t has no offset from UTC such as Z or +01:00 (the contract says timezone: true)"),
        (",soon,,", "t is not a timestamp with an offset from UTC"),
        (",,30.02.2013,", "g is no date that exists: 2013-02 has 28 days and no day 30"),
        (",,2013-02-28,", "g is not a date in the format of the contract"),
        (",,,1e300", "s is out of the range of a float of 32 bits"),
    ];
    for (row, said) in rows {
        let outcome = run(&compiled, format!("f,t,g,s\n{row}\n").as_bytes(), Cut::NONE);
        let all = &outcome.report.tally.problems;
        assert_eq!(all.len(), 1, "{row}: {all:?}");
        assert_eq!(format!("{} {}", all[0].column.as_deref().unwrap_or_default(), all[0].samples[0].message), said);
    }
}
