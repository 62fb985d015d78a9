//! Rows that are no data: totals and remarks at the end, rows without any value, the header once more.

use super::records::Record;

/// Most records at the end that are taken for a footer.
pub(crate) const MAX_FOOTER: usize = 10;
/// What rows of totals begin with.
const TOTALS: [&str; 14] = [
    "total",
    "totals",
    "sum",
    "subtotal",
    "grand total",
    "summe",
    "gesamt",
    "gesamtsumme",
    "somme",
    "totale",
    "suma",
    "average",
    "mean",
    "count",
];

/// Whether a row of the table's width is rather a sum of those before it.
pub(crate) fn is_total(record: &Record) -> bool {
    let cells = record.cells();
    let first = cells.iter().find(|cell| !cell.is_empty()).map(|cell| cell.to_lowercase()).unwrap_or_default();
    let word = first.trim_end_matches([':', ' ', '.']);
    TOTALS.contains(&word) || TOTALS.iter().any(|total| word.strip_prefix(total).is_some_and(|rest| rest.starts_with([' ', ':'])))
}

/// A regular expression for rows that begin like these records, and for rows without a value if there are such.
pub(crate) fn pattern(footers: &[Vec<u8>], delimiter: &str, has_blank_rows: bool) -> Option<String> {
    let mut starts: Vec<String> = Vec::new();
    for footer in footers {
        let start = start(&String::from_utf8_lossy(footer));
        if !start.is_empty() && !starts.contains(&start) {
            starts.push(start);
        }
    }
    let mut alternatives: Vec<String> = Vec::new();
    match starts.as_slice() {
        [] => {}
        [only] => alternatives.push(format!("^{only}")),
        many => alternatives.push(format!("^(?:{})", many.join("|"))),
    }
    if has_blank_rows {
        alternatives.push(format!("^(?:\\s|\"\"|{})+$", escaped(delimiter)));
    }
    (!alternatives.is_empty()).then(|| alternatives.join("|"))
}

/// The beginning of a record up to the end of its first word.
fn start(record: &str) -> String {
    let mut start = String::new();
    for c in record.chars().take(40) {
        if !c.is_alphanumeric() && start.chars().any(char::is_alphanumeric) {
            break;
        }
        start.push(c);
    }
    escaped(&start)
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_made_of_first_words() {
        let footers = [b"Total,,5".to_vec(), b"Source: the ledger".to_vec()];
        assert_eq!(pattern(&footers, ",", false).as_deref(), Some("^(?:Total|Source)"));
        assert_eq!(pattern(&[b",,Total,5".to_vec()], ",", false).as_deref(), Some("^,,Total"));
        assert_eq!(pattern(&[], "|", true).as_deref(), Some("^(?:\\s|\"\"|\\|)+$"));
        assert_eq!(pattern(&[], ",", false), None);
    }
}
