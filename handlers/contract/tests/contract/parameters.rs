//! Values that an operator sets.

use std::collections::BTreeMap;

use sluice_contract::{ParameterValue, Pipeline};

use crate::documents::{found, pipeline};

const DECLARED: &str = "parameters:
  count: { type: integer, default: 3 }
  share: { type: number, default: 2 }
  word: { type: string, default: x }
  flag: { type: boolean, default: false }
  day: { type: date, default: 2013-01-31 }
rules:
  - { name: r, outcome: warn, when: \"$count > $share and $flag and d = $day and w = $word\" }
";

fn read() -> Pipeline {
    Pipeline::parse("p.yaml", &pipeline(DECLARED)).expect("a right pipeline")
}

#[test]
fn defaults_have_the_declared_types() {
    let expected = BTreeMap::from([
        ("count".to_owned(), ParameterValue::Integer(3)),
        ("share".to_owned(), ParameterValue::Number(2.0)),
        ("word".to_owned(), ParameterValue::Text("x".to_owned())),
        ("flag".to_owned(), ParameterValue::Boolean(false)),
        ("day".to_owned(), ParameterValue::Text("2013-01-31".to_owned())),
    ]);
    assert_eq!(read().default_parameters(), expected);
}

#[test]
fn given_values_are_completed_and_a_whole_number_is_a_number() {
    let given = BTreeMap::from([("share".to_owned(), ParameterValue::Integer(7)), ("count".to_owned(), ParameterValue::Integer(-1))]);
    let complete = read().check_parameters(&given).unwrap();
    assert_eq!(complete["share"], ParameterValue::Number(7.0));
    assert_eq!(complete["count"], ParameterValue::Integer(-1));
    assert_eq!(complete.len(), 5);
}

#[test]
fn unknown_names_and_wrong_types_are_all_reported() {
    let given = BTreeMap::from([
        ("cout".to_owned(), ParameterValue::Integer(1)),
        ("count".to_owned(), ParameterValue::Number(1.5)),
        ("day".to_owned(), ParameterValue::Text("2013-02-30".to_owned())),
        ("flag".to_owned(), ParameterValue::Text("true".to_owned())),
        ("share".to_owned(), ParameterValue::Number(f64::NAN)),
    ]);
    assert_eq!(found(read().check_parameters(&given)), ["P0202 0 count", "P0205 0 cout", "P0202 0 day", "P0202 0 flag", "P0202 0 share"]);
}

#[test]
fn values_come_from_json_as_they_are_declared() {
    let given = serde_json::from_str(r#"{"count": 5, "share": 2.5, "word": "y", "flag": true, "day": "2014-02-28"}"#).unwrap();
    assert_eq!(read().check_parameters(&given).unwrap(), given);
}
