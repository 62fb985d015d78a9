//! Names made from what people write: column names for the lake, a name for the pipeline.

use std::collections::HashSet;

/// Longest name of a column that is made.
const MAX_COLUMN: usize = 100;

/// Lower case snake names for the lake, one for each name in the file, all different.
///
/// SQL folds unquoted names to lower case, so such a name can stand in an expression without quotes.
pub(crate) fn columns(sources: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    sources
        .iter()
        .enumerate()
        .map(|(i, source)| {
            let mut base = snake(source);
            if base.is_empty() {
                base = format!("column_{}", i + 1);
            }
            let mut name = base.clone();
            let mut n = 2;
            while !taken.insert(name.clone()) {
                name = format!("{base}_{n}");
                n += 1;
            }
            name
        })
        .collect()
}

fn snake(source: &str) -> String {
    let mut name = String::new();
    let mut before = ' ';
    for c in source.chars().take(MAX_COLUMN) {
        if c.is_alphanumeric() {
            if c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) && !name.ends_with('_') {
                name.push('_');
            }
            name.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        before = c;
    }
    name.truncate(name.trim_end_matches('_').len());
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("c_{name}") } else { name }
}

/// A pipeline's name from a file's: lower case letters and digits with single hyphens, without extensions and trailing dates.
pub(crate) fn pipeline(file_name: &str) -> String {
    let stem = file_name.split('.').next().unwrap_or_default();
    let words: Vec<String> =
        stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let is_date = |word: &String| word.bytes().all(|b| b.is_ascii_digit());
    let keep = words.iter().rposition(|word| !is_date(word)).map_or(0, |at| at + 1);
    let name = words[..keep].join("-");
    if name.is_empty() { "data".to_owned() } else { name.chars().take(60).collect::<String>().trim_end_matches('-').to_owned() }
}

/// The extensions of a file's name, `csv.gz` of `a.csv.gz`.
pub(crate) fn extensions(file_name: &str) -> Option<&str> {
    file_name.split_once('.').map(|(_, extensions)| extensions).filter(|e| !e.is_empty() && e.len() <= 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(source: &str) -> String {
        columns(&[source.to_owned()]).remove(0)
    }

    #[test]
    fn names_fit_the_lake() {
        assert_eq!(one("depTime"), "dep_time");
        assert_eq!(one("Order ID"), "order_id");
        assert_eq!(one("Preis (EUR)"), "preis_eur");
        assert_eq!(one("2013"), "c_2013");
        assert_eq!(one("ID"), "id");
        assert_eq!(one("größe"), "größe");
        assert_eq!(one("?!"), "column_1");
    }

    #[test]
    fn names_are_different() {
        let names = columns(&["a".to_owned(), "A".to_owned(), "a_2".to_owned(), String::new()]);
        assert_eq!(names, ["a", "a_2", "a_2_2", "column_4"]);
    }

    #[test]
    fn a_pipeline_is_named_after_its_file() {
        for (file, name) in [
            ("flights-2013-01.csv", "flights"),
            ("Orders_20240131.ndjson.gz", "orders"),
            ("2013.csv", "data"),
            ("big file.parquet", "big-file"),
        ] {
            assert_eq!(pipeline(file), name);
        }
        assert_eq!(extensions("a.csv.gz"), Some("csv.gz"));
    }
}
