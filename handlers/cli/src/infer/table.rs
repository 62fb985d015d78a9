//! Where the table begins in a delimited text, and how its columns are named.

use sluice_engine::joined_names;

use super::formats::Formats;
use super::profile::NULLS;
use super::records::Record;
use super::score::Fit;
use super::shape::{Shape, Shapes};
use super::sure::{self, Finding};

/// Most records of a header.
const MAX_HEADER: usize = 4;
/// Rows that are looked at to learn the types of columns.
const ROWS: usize = 200;

/// How columns are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// By the file's header, of so many records.
    Header { rows: usize, names: Vec<String> },
    /// By position; the names are those of a header that cannot be used, or made up.
    Position(Vec<String>),
}

/// Where the table begins.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) names: Names,
    /// Lines to pass over before the header, or before the first row.
    pub(crate) skip_lines: u32,
    /// Line of the first row after the header, where there is one.
    pub(crate) first_row_line: Option<u32>,
    /// Fields of a row.
    pub(crate) width: usize,
    /// Rows have one field more or less than the header, all of them.
    pub(crate) pads: bool,
    pub(crate) findings: Vec<Finding>,
}

/// What a cell is, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Nothing,
    Number,
    Time,
    Word,
    Text,
}

fn class(cell: &str) -> Class {
    let shapes = Shapes::of(cell);
    let is_number = [Shape::Float, Shape::Point, Shape::Comma, Shape::CommaGroups, Shape::PointGroups].into_iter().any(|s| shapes.has(s));
    match () {
        () if cell.is_empty() || NULLS.contains(&cell) => Class::Nothing,
        () if is_number => Class::Number,
        () if !Formats::of(cell).is_empty() || [Shape::Instant, Shape::WallClock, Shape::Time].into_iter().any(|s| shapes.has(s)) => {
            Class::Time
        }
        () if shapes != Shapes::NONE => Class::Word,
        () => Class::Text,
    }
}

/// Finds the table among the records of a text.
pub(crate) fn find(fit: &Fit) -> Table {
    let blanks = blank_rows_before(fit);
    let body: Vec<Vec<String>> = fit.rows().skip(blanks).take(ROWS).map(Record::cells).collect();
    let Some(first) = fit.rows().nth(blanks) else {
        return Table {
            names: Names::Position(Vec::new()),
            skip_lines: 0,
            first_row_line: None,
            width: fit.width,
            pads: false,
            findings: Vec::new(),
        };
    };
    let mut findings = Vec::new();
    if let Some(table) = header_of_another_width(fit, &body) {
        return table;
    }
    let (rows, sure, why) = header_rows(&body);
    let header_line = first.line;
    let passed = header_line - 1;
    let mut skip_lines = if fit.body.start == 0 && blanks == 0 { 0 } else { first.line - 1 };
    if skip_lines > 0 {
        let why = format!("the first {passed} lines do not have the fields of the others");
        findings.push(Finding::new("skipLines", skip_lines.to_string(), 85, why));
    }
    let joined = joined_names(body[..rows].to_vec());
    let names = match unusable(&joined).filter(|_| rows > 0) {
        _ if rows == 0 => Names::Position((1..=fit.width).map(|n| format!("column_{n}")).collect()),
        None => Names::Header { rows, names: joined },
        Some(fault) => {
            skip_lines = fit.rows().nth(blanks + rows).map_or(skip_lines, |row| row.line - 1);
            findings.push(Finding::new(
                "columns",
                "by position",
                60,
                format!("the header {fault}: the columns are taken as they stand (header: none)"),
            ));
            Names::Position(
                joined.iter().enumerate().map(|(i, n)| if n.is_empty() { format!("column_{}", i + 1) } else { n.clone() }).collect(),
            )
        }
    };
    let found = match rows {
        0 => "none".to_owned(),
        1 => "first".to_owned(),
        more => format!("{more} records"),
    };
    findings.push(Finding::new("header", found, sure, why));
    let first_row_line = fit.rows().nth(blanks + rows).map(|row| row.line);
    Table { names, skip_lines, first_row_line, width: fit.width, pads: false, findings }
}

/// Rows at the start that have one cell at most, though they have all delimiters: a sheet's title, exported.
fn blank_rows_before(fit: &Fit) -> usize {
    // What a spreadsheet takes as the delimiter, such as `sep=;`.
    let is_hint = |record: &Record| record.start.len() == 5 && record.start[..4].eq_ignore_ascii_case(b"sep=");
    if fit.rows().next().is_some_and(is_hint) {
        return 1;
    }
    let filled = |record: &Record| record.cells().iter().filter(|c| !c.is_empty()).count();
    let mut counts: Vec<usize> = fit.rows().take(ROWS).map(filled).collect();
    let leading = counts.iter().take_while(|n| **n <= 1).count();
    counts.sort_unstable();
    let usual = counts.get(counts.len() / 2).copied().unwrap_or(0);
    if fit.width > 2 && usual > 2 { leading } else { 0 }
}

/// Why names cannot tell columns apart.
fn unusable(names: &[String]) -> Option<String> {
    if names.iter().any(|name| name.trim().is_empty()) {
        return Some("leaves columns without a name".to_owned());
    }
    let mut seen = std::collections::BTreeSet::new();
    let twice = names.iter().find(|name| !seen.insert(name.as_str()))?;
    Some(format!("names \"{twice}\" more than once"))
}

/// How many records of the table are its header, how sure that is, and why.
fn header_rows(body: &[Vec<String>]) -> (usize, u8, String) {
    let Some(first) = body.first() else { return (0, 0, "there is no record".to_owned()) };
    if body.len() == 1 {
        let is_header = first.iter().all(|cell| class(cell) == Class::Text);
        let why = "there is one record only";
        return (usize::from(is_header), 50, why.to_owned());
    }
    // Of a header of several records, two rows at least must tell the types.
    let most = MAX_HEADER.min((body.len() - 1).saturating_sub(1).max(1));
    for rows in (1..=most).rev() {
        let classes = column_classes(&body[rows..]);
        let is_header = |(i, row): (usize, &Vec<String>)| {
            is_header_row(row, &classes, i > 0) || (i + 1 < rows && is_header_row(&body[rows - 1], &classes, true) && is_group_row(row))
        };
        if body[..rows].iter().enumerate().all(is_header) {
            let typed = classes.iter().filter(|c| **c != Class::Text).count();
            let why = format!("in {typed} of {} columns its cells are no values of the column's type", classes.len());
            let sure = sure::after(2 * typed as u64 + body.len().min(20) as u64 / 2).min(if rows > 1 { 85 } else { 99 });
            return (rows, sure, why);
        }
    }
    let classes = column_classes(&body[1..]);
    if are_years(first, &classes) {
        return (1, 75, "its numbers are years in order".to_owned());
    }
    if classes.iter().any(|c| !matches!(c, Class::Text | Class::Nothing)) {
        let sure = if first.iter().zip(&classes).all(|(cell, c)| *c == Class::Text || class(cell) == *c) { 90 } else { 65 };
        return (0, sure, "the first record looks like data: columns are named by their position".to_owned());
    }
    header_of_texts(first, &body[1..])
}

/// All columns are text: names are words that differ, and that do not come again below.
fn header_of_texts(first: &[String], rest: &[Vec<String>]) -> (usize, u8, String) {
    let named = first.iter().filter(|cell| !cell.is_empty()).count();
    let is_wordy = first.iter().filter(|c| !c.is_empty()).all(|c| class(c) == Class::Text && c.chars().count() <= 60);
    let repeats = first.iter().enumerate().filter(|(i, c)| !c.is_empty() && rest.iter().any(|row| row.get(*i) == Some(c))).count();
    let is_header = is_wordy && named * 2 > first.len() && repeats * 2 < first.len().max(2);
    let why = "every column is text, so only the look of the first record tells";
    (usize::from(is_header), if is_header && repeats == 0 { 70 } else { 55 }, why.to_owned())
}

/// The class that nine of ten cells of a column have.
fn column_classes(rows: &[Vec<String>]) -> Vec<Class> {
    let width = rows.first().map_or(0, Vec::len);
    let of_column = |column: usize| {
        let cells: Vec<Class> = rows.iter().map(|row| class(&row[column])).filter(|c| *c != Class::Nothing).collect();
        let is = |wanted: Class| cells.iter().filter(|c| **c == wanted).count() * 10 >= cells.len() * 9;
        match () {
            () if cells.is_empty() => Class::Nothing,
            () if is(Class::Number) => Class::Number,
            () if is(Class::Time) => Class::Time,
            () if is(Class::Word) => Class::Word,
            () => Class::Text,
        }
    };
    (0..width).map(of_column).collect()
}

/// No cell is a value of its column's type, and most columns with a type have a text there.
fn is_header_row(row: &[String], classes: &[Class], is_further: bool) -> bool {
    let typed: Vec<(Class, Class)> =
        row.iter().zip(classes).filter(|(_, c)| !matches!(c, Class::Text | Class::Nothing)).map(|(cell, c)| (class(cell), *c)).collect();
    if typed.is_empty() {
        return false;
    }
    // `n` and `yes` are names too where the column is something else.
    let is_text = |(cell, column): &&(Class, Class)| *cell == Class::Text || (*cell == Class::Word && *column != Class::Word);
    let texts = typed.iter().filter(is_text).count();
    let others = typed.iter().filter(|(cell, column)| cell == column).count();
    // A second header row has units or sub-names under most columns; a row of nulls is data.
    let enough = if is_further { texts * 10 >= typed.len() * 6 } else { texts > 0 };
    others == 0 && enough
}

/// `,2019,,2020,`: names that stand over several columns each.
fn is_group_row(row: &[String]) -> bool {
    let blank = row.iter().filter(|cell| cell.is_empty()).count();
    let is_name = |cell: &String| class(cell) == Class::Text || cell.parse::<u32>().is_ok_and(|n| (1800..2100).contains(&n));
    blank * 3 >= row.len() && blank < row.len() && row.iter().filter(|cell| !cell.is_empty()).all(is_name)
}

/// `country,2019,2020`: names that are numbers.
fn are_years(first: &[String], classes: &[Class]) -> bool {
    let years: Vec<u32> = first.iter().filter_map(|cell| cell.parse().ok()).filter(|n| (1800..2100).contains(n)).collect();
    let others = first.iter().filter(|cell| class(cell) == Class::Text).count();
    let numbers = classes.iter().filter(|c| **c == Class::Number).count();
    years.len() > 1
        && others > 0
        && years.len() <= numbers
        && years.windows(2).all(|pair| pair[0].abs_diff(pair[1]) == years[0].abs_diff(years[1]))
}

/// The record before the table is its header, with one field more or less than the rows.
fn header_of_another_width(fit: &Fit, body: &[Vec<String>]) -> Option<Table> {
    let before = fit.records[..fit.body.start].last()?;
    let names = before.cells();
    let classes = column_classes(body);
    let typed = classes.iter().filter(|c| !matches!(c, Class::Text | Class::Nothing)).count();
    let is_wordy = names.iter().all(|n| matches!(class(n), Class::Text | Class::Nothing)) && names.iter().any(|n| !n.is_empty());
    if typed == 0 || names.len() < 2 || names.len().abs_diff(fit.width) != 1 || !is_wordy || header_rows(body).0 > 0 {
        return None;
    }
    let skip_lines = if fit.body.start == 1 { 0 } else { before.line - 1 };
    let mut findings = Vec::new();
    let rest = classes.last() == Some(&Class::Nothing);
    let (names, skip_lines, pads) = if names.len() > fit.width || rest {
        findings.push(Finding::new(
            "shortRow",
            "pad",
            75,
            format!("the header has {} fields and the rows have {}", names.len(), fit.width),
        ));
        let mut names = names;
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        if unusable(&names).is_some() {
            return None;
        }
        (Names::Header { rows: 1, names }, skip_lines, true)
    } else {
        let why = "the header has one field less than the rows: the first column has no name, and columns are taken by position";
        findings.push(Finding::new("columns", "by position", 70, why));
        let names = std::iter::once("column_1".to_owned()).chain(names).collect();
        (Names::Position(names), fit.records[fit.body.start].line - 1, false)
    };
    findings.push(Finding::new("header", "first", 80, "the record before the rows has words where they have values"));
    let first_row_line = Some(fit.records[fit.body.start].line);
    Some(Table { names, skip_lines, first_row_line, width: fit.width, pads, findings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::dialect;

    fn table(text: &str) -> Table {
        find(&dialect::find(text.as_bytes(), true).fit)
    }

    fn header(rows: usize, names: &[&str]) -> Names {
        Names::Header { rows, names: names.iter().map(|n| (*n).to_owned()).collect() }
    }

    #[test]
    fn headers_are_found() {
        assert_eq!(table("id,name\n1,Ada\n2,Bob\n").names, header(1, &["id", "name"]));
        assert_eq!(table("n\n1\n2\n3\n").names, header(1, &["n"]));
        assert_eq!(
            table(",2019,,2020,\nregion,sales,cost,sales,cost\na,1,2,3,4\nb,5,6,7,8\n").names,
            header(2, &["region", "2019 sales", "2019 cost", "2020 sales", "2020 cost"])
        );
        assert_eq!(table("sep=;\na;b\n1;2\n3;4\n").skip_lines, 1);
        assert_eq!(table("1,Ada\n2,Bob\n").names, Names::Position(vec!["column_1".into(), "column_2".into()]));
        assert_eq!(
            table("id,sales,,note\n,2019 EUR,2020 EUR,\n1,10,20,good\n2,11,30,bad\n").names,
            header(2, &["id", "sales 2019 EUR", "sales 2020 EUR", "note"])
        );
        assert_eq!(table("country,2019,2020\nDE,1.5,2.5\nFR,3.5,4.5\n").names, header(1, &["country", "2019", "2020"]));
        assert_eq!(table("name,city\nAda,London\nBob,Paris\n").names, header(1, &["name", "city"]));
    }

    #[test]
    fn a_preamble_is_passed_over() {
        let table = table("Report of January\n\nmade for you\na,b\n1,2\n3,4\n");
        assert_eq!((table.skip_lines, table.names), (3, header(1, &["a", "b"])));
    }

    #[test]
    fn names_that_cannot_be_used_leave_the_columns_by_position() {
        let found = table("x,x,\n1,2,3\n4,5,6\n");
        assert_eq!((found.skip_lines, found.names), (1, Names::Position(vec!["x".into(), "x".into(), "column_3".into()])));
    }

    #[test]
    fn a_header_may_have_one_field_more_or_less() {
        let found = table("a,b,c\n1,2\n3,4\n5,6\n");
        assert!(found.pads && found.names == header(1, &["a", "b", "c"]), "{found:?}");
        let found = table("a,b\nx,1,2\ny,3,4\nz,5,6\n");
        assert_eq!((found.skip_lines, found.names), (1, Names::Position(vec!["column_1".into(), "a".into(), "b".into()])));
    }
}
