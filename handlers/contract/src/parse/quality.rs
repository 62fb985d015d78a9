//! ODCS `quality`: library metrics with a `mustBe...` operator.

use crate::code::Code;
use crate::contract::{Bounds, Check, DataType, Metric, Quality};
use crate::data_type;
use crate::reader::{Cursor, Fields, one_of, shorten};
use crate::value::Value;

use super::{odcs, options};

/// Keys of a quality entry that are used.
const QUALITY: &[&str] = &[
    "type",
    "name",
    "metric",
    "rule",
    "arguments",
    "severity",
    "unit",
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
    "query",
    "engine",
    "implementation",
];

const OPERATORS: &[&str] = &[
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
];

/// The column a rule stands at.
pub(crate) struct Of<'a> {
    pub(crate) column: &'a str,
    /// `None` where the type itself is mistaken.
    pub(crate) data_type: Option<DataType>,
}

/// What an entry at a column becomes.
pub(crate) enum Read {
    /// A measure over the whole file.
    Rule(Quality),
    /// A check of every value: `invalidValues` that must be 0.
    Check(Check),
}

/// Reads the entries of a column.
pub(crate) fn read_column(list: &Cursor<'_>, of: &Of<'_>) -> Vec<Read> {
    list.items().iter().flat_map(|entry| read(entry, Some(of), None)).collect()
}

/// Reads the entries of the table; `columns` is `None` where the columns could not be read.
pub(crate) fn read_table(list: &Cursor<'_>, columns: Option<&[String]>) -> Vec<Quality> {
    let only_rule = |read| match read {
        Read::Rule(rule) => Some(rule),
        Read::Check(_) => None,
    };
    list.items().iter().flat_map(|entry| read(entry, None, columns)).filter_map(only_rule).collect()
}

fn read(entry: &Cursor<'_>, of: Option<&Of<'_>>, columns: Option<&[String]>) -> Vec<Read> {
    let Some(fields) = entry.fields(&odcs::keys(QUALITY, odcs::QUALITY)) else { return Vec::new() };
    odcs::check_unused(odcs::QUALITY, &fields.all());
    let kind = match fields.get("type") {
        None => "library",
        Some(value) => match value.choice(&[("library", "library"), ("text", "text"), ("sql", "sql"), ("custom", "custom")]) {
            Some(kind) => kind,
            None => return Vec::new(),
        },
    };
    match kind {
        // Words for people, and rules that name the tool that runs them.
        "text" | "custom" => Vec::new(),
        "sql" => {
            let message =
                "a quality rule in SQL is not run by Sluice, so nobody may rely on it; write it as a rule of the pipeline, or as a metric";
            fields.get("type").unwrap_or_else(|| entry.clone()).mistake(Code::ContractUnenforced, message);
            Vec::new()
        }
        _ => read_metric(&fields, of, columns),
    }
}

/// A metric's name as the standard writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    NullValues,
    MissingValues,
    InvalidValues,
    DuplicateValues,
    RowCount,
}

const METRICS: &[(&str, Word)] = &[
    ("nullValues", Word::NullValues),
    ("missingValues", Word::MissingValues),
    ("invalidValues", Word::InvalidValues),
    ("duplicateValues", Word::DuplicateValues),
    ("rowCount", Word::RowCount),
];

fn read_metric(fields: &Fields<'_>, of: Option<&Of<'_>>, columns: Option<&[String]>) -> Vec<Read> {
    // `rule` is the older name of `metric`.
    let place = match fields.get("metric").or_else(|| fields.get("rule")) {
        Some(place) => place,
        None => match fields.need("metric") {
            Some(place) => place,
            None => return Vec::new(),
        },
    };
    let word = metric_word(&place);
    let must = read_operator(fields);
    let percent = fields.get("unit").and_then(|v| v.choice(&[("rows", false), ("percent", true)])).unwrap_or(false);
    let severity = fields.get("severity").and_then(|v| v.choice(&[("error", false), ("warning", true), ("info", true)]));
    let warn_only = severity.unwrap_or(false);
    let name = fields.get("name").and_then(|v| v.name());
    let Some(word) = word else { return Vec::new() };
    let Some(metric) = read_arguments(fields, &place, word, of, columns) else { return Vec::new() };
    let Some(must) = must else { return Vec::new() };
    if percent && word == Word::RowCount {
        place.mistake(Code::QualityMetric, "a count of all rows cannot be in percent; remove `unit`");
        return Vec::new();
    }
    check_reachable(fields, &must, percent);
    if let Metric::InvalidValues { valid, pattern } = &metric
        && must == Bounds::Equal(0.0)
        && !warn_only
    {
        let valid = valid.clone().map(Check::OneOf);
        return valid.into_iter().chain(pattern.clone().map(Check::Pattern)).map(Read::Check).collect();
    }
    let column = of.map(|of| of.column);
    let name = name.map_or_else(|| default_name(word, column), str::to_owned);
    vec![Read::Rule(Quality { name, column: column.map(str::to_owned), metric, must, percent, warn_only })]
}

fn metric_word(place: &Cursor<'_>) -> Option<Word> {
    let text = place.text()?;
    let word = METRICS.iter().find(|(name, _)| *name == text);
    if word.is_none() {
        let names: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
        let message = format!("expected {}, found `{}`{}", one_of(&names), shorten(text), place.did_you_mean(text, &names));
        place.mistake(Code::QualityMetric, message);
    }
    word.map(|(_, word)| *word)
}

fn default_name(word: Word, column: Option<&str>) -> String {
    let metric = METRICS.iter().find(|(_, w)| *w == word).map_or("", |(name, _)| name);
    column.map_or_else(|| metric.to_owned(), |column| format!("{metric} of {column}"))
}

fn read_operator(fields: &Fields<'_>) -> Option<Bounds> {
    let found: Vec<_> = OPERATORS.iter().filter_map(|name| Some((*name, fields.get(name)?))).collect();
    let [(name, value)] = found.as_slice() else {
        let message = format!("expected exactly one operator, found {}; use one of {}", found.len(), one_of(OPERATORS));
        fields.map().mistake(Code::QualityOperator, message);
        return None;
    };
    let bounds = match *name {
        "mustBe" => Bounds::Equal(bound(value)?),
        "mustNotBe" => Bounds::NotEqual(bound(value)?),
        "mustBeGreaterThan" => Bounds::Greater(bound(value)?),
        "mustBeGreaterOrEqualTo" => Bounds::AtLeast(bound(value)?),
        "mustBeLessThan" => Bounds::Less(bound(value)?),
        "mustBeLessOrEqualTo" => Bounds::AtMost(bound(value)?),
        between => {
            let ends = value.items();
            let [low, high] = ends.as_slice() else {
                value.mistake(Code::QualityBound, "expected a list of two numbers, the smaller one first");
                return None;
            };
            let (low, high) = (bound(low)?, bound(high)?);
            if low >= high {
                value.mistake(Code::QualityBound, format!("expected the smaller number first, found {low} and {high}"));
                return None;
            }
            if between == "mustBeBetween" { Bounds::Between(low, high) } else { Bounds::NotBetween(low, high) }
        }
    };
    Some(bounds)
}

fn bound(value: &Cursor<'_>) -> Option<f64> {
    let number = value.number()?;
    if number < 0.0 {
        value.mistake(Code::QualityBound, format!("a count is never negative, found {number}"));
        return None;
    }
    Some(number)
}

/// A rule that can never hold would refuse every file.
fn check_reachable(fields: &Fields<'_>, must: &Bounds, percent: bool) {
    let highest = if percent { 100.0 } else { f64::MAX };
    let impossible = match *must {
        Bounds::Less(x) => x <= 0.0,
        Bounds::Equal(x) | Bounds::AtLeast(x) => x > highest,
        Bounds::Greater(x) => x >= highest,
        Bounds::Between(low, _) => low > highest,
        Bounds::NotBetween(low, high) => low <= 0.0 && high >= highest,
        Bounds::NotEqual(_) | Bounds::AtMost(_) => false,
    };
    let fraction = !percent && matches!(*must, Bounds::Equal(x) if x.fract() > 0.0);
    if impossible || fraction {
        fields.map().mistake(Code::QualityBound, "this can never hold, so every file would be refused; change the number or the unit");
    }
}

fn read_arguments(fields: &Fields<'_>, place: &Cursor<'_>, word: Word, of: Option<&Of<'_>>, columns: Option<&[String]>) -> Option<Metric> {
    let known: &[&str] = match (word, of) {
        (Word::MissingValues, Some(_)) => &["missingValues"],
        (Word::InvalidValues, Some(_)) => &["validValues", "pattern"],
        (Word::DuplicateValues, None) => &["properties"],
        _ => &[],
    };
    let level = if of.is_some() { "a column" } else { "the table" };
    let fits = match word {
        Word::RowCount => of.is_none(),
        Word::DuplicateValues => true,
        Word::NullValues | Word::MissingValues | Word::InvalidValues => of.is_some(),
    };
    if !fits {
        let other = if of.is_some() { "the table" } else { "a column" };
        place.mistake(Code::QualityMetric, format!("this metric cannot be measured over {level}; move it to the `quality` of {other}"));
        return None;
    }
    let arguments = fields.get("arguments");
    let given = match &arguments {
        Some(arguments) if known.is_empty() && !arguments.entries().is_empty() => {
            arguments.mistake(Code::QualityArgument, format!("this metric has no arguments over {level}; remove them"));
            None
        }
        Some(arguments) if known.is_empty() => {
            arguments.entries();
            None
        }
        Some(arguments) => Some(arguments.fields(known)?),
        None => None,
    };
    let argument = |key: &str| given.as_ref().and_then(|fields| fields.get(key));
    let missing = |message: &str| {
        arguments.as_ref().unwrap_or(fields.map()).mistake(Code::QualityArgument, message);
        None
    };
    match (word, of) {
        (Word::RowCount, _) => Some(Metric::RowCount),
        (Word::NullValues, _) => Some(Metric::NullValues),
        (Word::MissingValues, _) => match argument("missingValues") {
            // Null counts in any case.
            Some(list) => {
                let spelled = list.items().into_iter().filter(|item| !item.is_null());
                Some(Metric::MissingValues { values: spelled.filter_map(|item| item.spelling()).map(str::to_owned).collect() })
            }
            None => missing("expected `arguments: { missingValues: [...] }` with the spellings that count as missing"),
        },
        (Word::InvalidValues, of) => {
            let valid = argument("validValues").map(|list| valid_values(&list, of.and_then(|of| of.data_type)));
            let pattern = argument("pattern").map(|value| text_pattern(&value, of));
            match (valid, pattern) {
                (None, None) => missing("expected `arguments` with `validValues` or `pattern`"),
                // A mistake inside was noted where it stands.
                (Some(None), _) | (_, Some(None)) => None,
                (valid, pattern) => Some(Metric::InvalidValues { valid: valid.flatten(), pattern: pattern.flatten() }),
            }
        }
        (Word::DuplicateValues, Some(of)) => Some(Metric::DuplicateValues { columns: vec![of.column.to_owned()] }),
        (Word::DuplicateValues, None) => match argument("properties") {
            Some(list) => duplicate_columns(&list, columns),
            None => missing("expected `arguments: { properties: [...] }` with the columns that are taken together"),
        },
    }
}

fn valid_values(list: &Cursor<'_>, data_type: Option<DataType>) -> Option<Vec<String>> {
    let items = list.items();
    if items.is_empty() {
        list.mistake(Code::QualityArgument, "expected at least one valid value");
        return None;
    }
    let mut values = Vec::with_capacity(items.len());
    for item in &items {
        let text = item.spelling()?;
        let value = match data_type {
            None | Some(DataType::Text | DataType::Json) => Some(text.to_owned()),
            Some(DataType::Boolean) => ["true", "false"].contains(&text).then(|| text.to_owned()),
            Some(data_type) => Value::parse(data_type, text).map(|v| v.to_string()),
        };
        match (value, data_type) {
            (Some(value), _) => values.push(value),
            (None, data_type) => {
                let expected = data_type.map_or_else(String::new, data_type::describe);
                item.mistake(Code::QualityArgument, format!("expected a value of type {expected}, found `{}`", shorten(text)));
            }
        }
    }
    (values.len() == items.len()).then_some(values)
}

fn text_pattern(value: &Cursor<'_>, of: Option<&Of<'_>>) -> Option<String> {
    let pattern = options::pattern(value, Code::Pattern)?;
    if of.and_then(|of| of.data_type).is_some_and(|t| t != DataType::Text) {
        value.mistake(Code::QualityArgument, "a pattern is for columns of logicalType string; use validValues or bounds");
        return None;
    }
    Some(pattern)
}

fn duplicate_columns(list: &Cursor<'_>, columns: Option<&[String]>) -> Option<Metric> {
    let named = list.names();
    if named.is_empty() {
        list.mistake(Code::QualityArgument, "expected at least one column");
        return None;
    }
    for (name, place) in &named {
        if let Some(columns) = columns
            && !columns.iter().any(|c| c == name)
        {
            let words: Vec<&str> = columns.iter().map(String::as_str).collect();
            place.mistake(Code::QualityColumn, format!("there is no column `{}`{}", shorten(name), place.did_you_mean(name, &words)));
        }
    }
    Some(Metric::DuplicateValues { columns: named.into_iter().map(|(name, _)| name.to_owned()).collect() })
}
