//! Every type of column from text, with its checks.

use serde_json::json;

use super::support::{Cut, compile, plan, problems, run};

#[test]
fn every_type_is_read_exactly() {
    let columns = "{name: i8, logicalType: integer, physicalType: tinyint}, {name: f, logicalType: number, physicalType: double}, {name: ts, logicalType: timestamp}, {name: tm, logicalType: time}, {name: o, logicalType: object}, {name: u, logicalType: string, logicalTypeOptions: {format: uuid}}";
    let compiled = compile(plan("csv: {nullValues: ['']}", columns, ""));
    let zoned = matches!(compiled.plan().contract.columns[2].data_type, sluice_contract::DataType::Timestamp { zoned: true });
    let z = if zoned { "Z" } else { "" };
    let text = format!(
        "i8,f,ts,tm,o,u\n-128,1.5e3,2024-02-29T23:59:59.123456{z},10:30:00.5,\"{{\"\"a\"\": [1]}}\",123e4567-e89b-12d3-a456-426614174000\n128,nan,2024-02-30T00:00:00{z},25:00,[,x\n,,,,,\n"
    );
    let outcome = run(&compiled, text.as_bytes(), Cut::NONE);
    assert_eq!(
        json!(outcome.accepted[&0]),
        json!({"i8": -128, "f": 1500.0, "ts": format!("2024-02-29T23:59:59.123456{z}"), "tm": "10:30:00.500", "o": "{\"a\":[1]}", "u": "123e4567-e89b-12d3-a456-426614174000"})
    );
    assert_eq!(json!(outcome.accepted[&2]), json!({}));
    let codes: Vec<_> = problems(&outcome).into_iter().map(|(_, c)| c).collect();
    assert_eq!(codes, ["R0102 i8", "R0106 f", "R0109 ts", "R0110 tm", "R0111 o", "R0207 u"]);
}

#[test]
fn checks_hold_at_their_ends() {
    let columns = "{name: n, logicalType: integer, logicalTypeOptions: {minimum: 1, exclusiveMaximum: 10, multipleOf: 3}}, {name: d, logicalType: number, physicalType: 'decimal(5,2)', logicalTypeOptions: {exclusiveMinimum: 0, maximum: 0.10}}, {name: day, logicalType: date, logicalTypeOptions: {minimum: '2024-01-01'}}, {name: s, logicalType: string, logicalTypeOptions: {pattern: '^[a-z]+$', minLength: 2}}";
    let compiled = compile(plan("csv: {}", columns, ""));
    let outcome = run(&compiled, b"n,d,day,s\n9,0.10,2024-01-01,ab\n10,0.11,2023-12-31,\xc3\xbc\n0,0,2024-01-01,ab\n", Cut::NONE);
    assert_eq!(outcome.ends[0], "accepted", "{:?}", problems(&outcome));
    let codes: Vec<_> = problems(&outcome).into_iter().map(|(row, c)| format!("{row} {c}")).collect();
    let expected = ["1 R0203 d", "1 R0202 day", "1 R0203 n", "1 R0208 n", "1 R0204 s", "1 R0206 s", "2 R0202 d", "2 R0202 n"];
    let mut expected: Vec<_> = expected.map(str::to_owned).into();
    let mut codes = codes;
    expected.sort();
    codes.sort();
    assert_eq!(codes, expected);
}
