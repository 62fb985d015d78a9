//! Files that are at fault as a whole.

use super::support::{Cut, compile, plan, plan_with, refusal, run};
use crate::{Code, Overrides, read_header};

const AB: &str = "{name: a, logicalType: string}, {name: b, physicalName: B col, logicalType: integer}";

#[test]
fn a_header_that_breaks_the_contract_names_everything_at_once() {
    let compiled = compile(plan("csv: {}", &format!("{AB}, {{name: c, logicalType: string}}"), ""));
    let missing = refusal(&compiled, b"a,b\n1,2\n");
    assert_eq!(missing.code, Code::MissingColumns);
    assert!(missing.message.contains("\"B col\", \"c\"") && missing.message.contains("\"a\", \"b\""), "{}", missing.message);
    let repeated = refusal(&compiled, b"a,B col,c,a\n");
    assert_eq!((repeated.code, repeated.line), (Code::RepeatedColumn, Some(1)));
}

#[test]
fn files_of_other_kinds_are_named() {
    let compiled = compile(plan("csv: {}", AB, ""));
    let cases: [(&[u8], Code, &str); 9] = [
        (b"", Code::EmptyFile, "no bytes"),
        (b"PK\x03\x04rest", Code::WrongKind, "Excel"),
        (b"PAR1rest", Code::WrongKind, "Parquet"),
        (b"%PDF-1.7", Code::WrongKind, "PDF"),
        (b"\xff\xfea\0,\0", Code::WrongEncoding, "UTF-16"),
        (b"a\0,\0b\0\n\0x\0,\0", Code::WrongEncoding, "UTF-16"),
        (b"\x01\x02\0\0\x03\x04\0\0\x05\x06xyz", Code::WrongKind, "binary"),
        (b"\"a,b\n1,2\n", Code::HeaderTooLong, "quote"),
        (b"\n\n", Code::NoRows, "no header"),
    ];
    for (bytes, code, word) in cases {
        let found = refusal(&compiled, bytes);
        assert_eq!(found.code, code, "{}", bytes.escape_ascii());
        assert!(found.message.contains(word), "{}", found.message);
    }
    let invalid = refusal(&compiled, b"a,B \xffcol\n");
    assert_eq!(invalid.code, Code::HeaderEncoding);
    let ndjson = compile(plan("ndjson: {}", AB, ""));
    assert_eq!(refusal(&ndjson, b" [{\"a\":1}]").code, Code::WrongKind);
}

#[test]
fn a_header_that_does_not_end_in_the_bytes_given_is_too_long() {
    let plan = plan("csv: {}", AB, "");
    assert_eq!(read_header(&plan, b"a,B col", false).expect_err("no end").code, Code::HeaderTooLong);
    assert_eq!(read_header(&plan, b"a,B col", true).expect("the whole file").end, 7);
    // The line end may go on after a carriage return.
    assert_eq!(read_header(&plan, b"a,B col\r", false).expect_err("no end").code, Code::HeaderTooLong);
}

#[test]
fn a_header_alone_too_many_rejects_and_broken_quality_refuse_the_run() {
    let quality = "quality: [{name: enough, metric: rowCount, mustBeGreaterThan: 2}]";
    let columns = "{name: a, logicalType: integer, quality: [{name: few nulls, metric: nullValues, mustBeLessThan: 50, unit: percent}, {name: known, metric: invalidValues, arguments: {validValues: ['1', '2']}, mustBeLessOrEqualTo: 1}, {name: repeats, metric: duplicateValues, mustBe: 0}]}, {name: b, logicalType: integer}";
    let compiled = compile(plan_with("csv: {nullValues: [NA]}", columns, quality, "limits: {rejectedPercent: 30}\n"));
    let judge = |bytes: &[u8]| {
        let outcome = run(&compiled, bytes, Cut::NONE);
        let refusals = outcome.report.refusals(compiled.plan(), &outcome.overrides);
        refusals.into_iter().map(|r| (r.code, r.message)).collect::<Vec<_>>()
    };
    assert_eq!(judge(b"a,b\n")[0].0, Code::NoRows);
    assert_eq!(judge(b"a,b\n1,1\n2,1\n3,1\n"), []);
    let broken = judge(b"a,b\n3,x\n3,1\n");
    assert_eq!(
        broken.iter().map(|(c, _)| *c).collect::<Vec<_>>(),
        [Code::QualityBroken, Code::QualityBroken, Code::TooManyRejected],
        "{broken:?}"
    );
    assert!(broken.iter().any(|(_, m)| m.contains("enough: 2")) && broken.iter().any(|(_, m)| m.contains("known: 2")), "{broken:?}");
    let nulls = judge(b"a,b\nNA,1\nNA,1\n2,1\n2,1\n");
    assert!(nulls.iter().any(|(_, m)| m.contains("few nulls: 50 %")) && nulls.iter().any(|(_, m)| m.contains("repeats: 1")), "{nulls:?}");
    assert_eq!(crate::RunReport::default().verdicts(compiled.plan(), &Overrides::default()).len(), 4);
}
