//! The names in a header, and whether they keep the contract.

use sluice_contract::{Contract, ExtraColumns, Format, Plan};

use crate::{Code, Refusal};

/// Most names that a message lists.
const LISTED: usize = 50;
/// What fields may be parted by, for a hint about a header of one field.
const DELIMITERS: [(&str, &str); 5] = [(";", "`;`"), ("\t", "`tab`"), ("|", "`|`"), (",", "`,`"), (" ", "a blank")];

/// One name a column, from the rows of a header: its cells from top to bottom, with blanks between.
///
/// A blank cell above the last row stands for the cell to its left, as in a sheet whose cells were merged.
pub fn joined(mut rows: Vec<Vec<String>>) -> Vec<String> {
    if rows.len() == 1 {
        return rows.pop().unwrap_or_default();
    }
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut names = vec![String::new(); width];
    let last = rows.len().saturating_sub(1);
    for (i, row) in rows.iter().enumerate() {
        let mut left = "";
        for (column, name) in names.iter_mut().enumerate() {
            let mut cell = row.get(column).map_or("", |c| c.trim());
            if cell.is_empty() && i < last {
                cell = left;
            }
            left = cell;
            if !cell.is_empty() && name != cell && !name.ends_with(&format!(" {cell}")) {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(cell);
            }
        }
    }
    names
}

/// Letters and digits only, in lower case.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names that differ from one of the contract in case, blanks and punctuation only become that one.
pub(crate) fn loosened(contract: &Contract, names: Vec<String>) -> Vec<String> {
    let missing: Vec<(&String, String)> =
        contract.columns.iter().filter(|c| !names.contains(&c.source)).map(|c| (&c.source, folded(&c.source))).collect();
    let loosen = |name: String| {
        let fold = folded(&name);
        let mut alike = missing.iter().filter(|(_, f)| !f.is_empty() && *f == fold);
        match (alike.next(), alike.next()) {
            (Some((source, _)), None) => (*source).clone(),
            _ => name,
        }
    };
    names.into_iter().map(loosen).collect()
}

/// Every column of the contract must be there exactly once. Further columns are passed over, unless the pipeline refuses them.
pub(crate) fn check_names(plan: &Plan, names: &[String]) -> Result<(), Refusal> {
    let columns = &plan.contract.columns;
    let count = |source: &str| names.iter().filter(|n| *n == source).count();
    let repeated: Vec<_> = columns.iter().filter(|c| count(&c.source) > 1).map(|c| c.source.as_str()).collect();
    if !repeated.is_empty() {
        return Err(Refusal::new(Code::RepeatedColumn, format!("the header names {} more than once", quote_list(&repeated))));
    }
    let missing: Vec<_> = columns.iter().filter(|c| count(&c.source) == 0).map(|c| c.source.as_str()).collect();
    if !missing.is_empty() {
        let found: Vec<_> = names.iter().take(LISTED).map(String::as_str).collect();
        let more = if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
        let hint = hint(plan, &missing, names);
        return Err(Refusal::new(
            Code::MissingColumns,
            format!("the file lacks {} of the contract; its header names {}{more}{hint}", quote_list(&missing), quote_list(&found)),
        ));
    }
    if let Format::Csv(csv) = &plan.pipeline.intake.format
        && csv.extra_columns == ExtraColumns::Refuse
    {
        let extra: Vec<_> = names.iter().filter(|n| columns.iter().all(|c| c.source != **n)).take(LISTED).map(String::as_str).collect();
        if !extra.is_empty() {
            let message = format!("the header names {} that the contract lacks (extraColumns: refuse)", quote_list(&extra));
            return Err(Refusal::new(Code::ExtraColumns, message));
        }
    }
    Ok(())
}

/// What is probably wrong, as far as the names tell.
fn hint(plan: &Plan, missing: &[&str], names: &[String]) -> String {
    if let ([only], true) = (names, plan.contract.columns.len() > 1) {
        let is_named = |part: &str| missing.iter().any(|source| folded(source) == folded(part));
        return match DELIMITERS.iter().find(|(delimiter, _)| only.contains(delimiter) && only.split(delimiter).any(is_named)) {
            Some((_, word)) => format!("; it is one field: perhaps the delimiter is {word}"),
            None => "; it is one field: perhaps other lines stand before the header (skipLines, skipUntil)".to_owned(),
        };
    }
    let alike = missing.iter().filter_map(|source| {
        let found = names.iter().find(|name| folded(name) == folded(source))?;
        Some(format!("\"{}\" is \"{}\"", source.escape_debug(), found.escape_debug()))
    });
    let alike: Vec<_> = alike.take(5).collect();
    if alike.is_empty() {
        return String::new();
    }
    format!("; perhaps {}: correct the header or physicalName, or set headerMatch: loose", alike.join(", "))
}

fn quote_list(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().map(|n| format!("\"{}\"", n.escape_debug())).collect();
    format!("{} {}", if shown.len() == 1 { "column" } else { "columns" }, shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|c| (*c).to_owned()).collect()).collect()
    }

    #[test]
    fn cells_of_a_column_are_joined_and_merged_cells_reach_to_the_right() {
        assert_eq!(joined(rows(&[&[" a ", "b"]])), [" a ", "b"], "one row stays as it is");
        let merged = rows(&[&["id", "sales", "", "note"], &["", "2019", "2020", "note"]]);
        assert_eq!(joined(merged), ["id", "sales 2019", "sales 2020", "note"]);
        let units = rows(&[&["name", "length", "weight"], &["", "cm", "kg"]]);
        assert_eq!(joined(units), ["name", "length cm", "weight kg"]);
        assert_eq!(joined(rows(&[&["a"], &["x", "y"]])), ["a x", "a y"], "a short row");
    }
}
