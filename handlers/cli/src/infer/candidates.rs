//! Dialects that a text could be written in, made from the characters that stand in it.

use std::collections::BTreeMap;

use sluice_contract::Escape;

use super::records::Dialect;

/// Single characters that part fields, with how likely that is before anything is seen.
const SINGLE: [(char, f64); 16] = [
    (',', 1.0),
    (';', 1.0),
    ('\t', 1.0),
    ('|', 1.0),
    ('\u{1f}', 1.0),
    ('\u{1}', 1.0),
    ('^', 0.95),
    ('~', 0.95),
    ('§', 0.95),
    ('¦', 0.95),
    (' ', 0.75),
    ('#', 0.6),
    ('&', 0.6),
    ('*', 0.6),
    (':', 0.35),
    ('/', 0.15),
];
/// How likely a delimiter of several characters is before anything is seen.
const LONG: f64 = 0.98;
/// Longest delimiter in bytes, as a pipeline allows.
const MAX_DELIMITER: usize = 8;
/// Most delimiters of several characters that are tried.
const MAX_LONG: usize = 8;
/// Lines that are looked at for them.
const LINES: usize = 200;

/// A dialect to try.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) dialect: Dialect,
    /// How likely its delimiter is before anything is seen, up to 1.
    pub(crate) prior: f64,
}

/// All dialects worth trying, the likelier first.
pub(crate) fn all(text: &str, base: &Dialect) -> Vec<Candidate> {
    let mut delimiters: Vec<(String, f64)> =
        SINGLE.into_iter().filter(|(c, _)| text.contains(*c)).map(|(c, prior)| (c.to_string(), prior)).collect();
    delimiters.extend(long(text).into_iter().map(|delimiter| (delimiter, LONG)));
    let mut candidates = Vec::new();
    for (quote, escape) in quotings(text) {
        for (delimiter, prior) in &delimiters {
            let trims = quote.is_some_and(|q| quote_behind_blank(text, delimiter, char::from(q)));
            for trim in [false, true].into_iter().filter(|trim| !trim || trims) {
                let dialect = Dialect { delimiter: delimiter.clone(), quote, escape, trim, ..base.clone() };
                candidates.push(Candidate { dialect, prior: *prior });
            }
        }
    }
    candidates
}

fn quotings(text: &str) -> Vec<(Option<u8>, Escape)> {
    let mut quotings = vec![(Some(b'"'), Escape::Double)];
    if text.contains("\\\"") {
        quotings.push((Some(b'"'), Escape::Backslash));
    }
    if text.contains('\'') {
        quotings.push((Some(b'\''), Escape::Double));
        if text.contains("\\'") {
            quotings.push((Some(b'\''), Escape::Backslash));
        }
    }
    if text.contains('`') {
        quotings.push((Some(b'`'), Escape::Double));
    }
    if text.contains('"') {
        quotings.push((None, Escape::Double));
    }
    quotings
}

/// Whether fields in quotes stand behind a delimiter and a blank.
fn quote_behind_blank(text: &str, delimiter: &str, quote: char) -> bool {
    !delimiter.ends_with(' ') && text.contains(&format!("{delimiter} {quote}"))
}

/// Runs of punctuation and blanks that stand in most lines, often as delimiters of several characters do.
fn long(text: &str) -> Vec<String> {
    // Not what stands in numbers, words and addresses.
    let is_part = |c: char| !c.is_alphanumeric() && !"\n\r\"'`-+.()_%$€/@\\".contains(c);
    let mut lines_with = BTreeMap::<String, usize>::new();
    let mut lines = 0;
    for line in text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(LINES) {
        lines += 1;
        let mut of_line = std::collections::BTreeSet::new();
        let mut run = String::new();
        for c in line.chars().chain(['\n']) {
            if is_part(c) {
                run.push(c);
                continue;
            }
            if run.chars().count() > 1 {
                of_line.extend(pieces(&run));
            }
            run.clear();
        }
        for run in of_line {
            *lines_with.entry(run).or_default() += 1;
        }
    }
    let mut found: Vec<(usize, String)> =
        lines_with.into_iter().filter(|(_, count)| count * 10 >= lines * 6).map(|(run, count)| (count, run)).collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.len().cmp(&a.1.len())).then(a.1.cmp(&b.1)));
    found.truncate(MAX_LONG);
    found.into_iter().map(|(_, run)| run).collect()
}

/// A run itself, and, as an empty field makes a run of two delimiters, its halves.
fn pieces(run: &str) -> Vec<String> {
    let chars: Vec<char> = run.chars().collect();
    let mut pieces = Vec::new();
    for parts in [1, 2, 3] {
        if chars.len().is_multiple_of(parts) && chars.len() / parts > 1 {
            let piece: String = chars[..chars.len() / parts].iter().collect();
            // A run of blanks only is how columns are aligned, not how they are parted.
            let is_time = piece.contains(':') && piece.chars().any(|c| c != ':');
            if piece.repeat(parts) == run && piece.len() <= MAX_DELIMITER && !piece.trim_matches(' ').is_empty() && !is_time {
                pieces.push(piece);
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiters(text: &str) -> Vec<String> {
        all(text, &Dialect::default()).into_iter().map(|c| c.dialect.delimiter).collect()
    }

    #[test]
    fn delimiters_of_several_characters_are_found_in_the_text() {
        assert!(delimiters("a||b||c\n1||||3\n").contains(&"||".to_owned()));
        assert!(delimiters("a~|~b\n1~|~2\n").contains(&"~|~".to_owned()));
        assert!(delimiters("a, b\n1, 2\n").contains(&", ".to_owned()));
        assert!(!delimiters("a   b\n1   2\n").iter().any(|d| d.len() > 1));
    }
}
