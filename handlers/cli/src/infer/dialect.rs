//! Finds out how a delimited text is written, from its first part.

use sluice_contract::{Encoding, Escape};

use super::records::{Dialect, Record, Records};

/// Delimiters that are tried, the likelier first.
const DELIMITERS: [u8; 7] = [b',', b';', b'\t', b'|', b'^', b'~', 1];
/// Records that are looked at.
const LOOKED_AT: usize = 2_000;
/// Most lines before the header that are taken for a preamble.
const MAX_PREAMBLE: u32 = 20;

/// What was found, with doubts in words.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) dialect: Dialect,
    pub(crate) doubts: Vec<String>,
}

/// How well a delimiter and a quote explain the text.
#[derive(Debug)]
struct Fit {
    delimiter: u8,
    quote: Option<u8>,
    escape: Escape,
    /// Fields of most records.
    fields: usize,
    /// Records that have so many, in all.
    agree: usize,
    records: usize,
    flawed: usize,
    /// Fields that were quoted.
    quoted: usize,
}

impl Fit {
    /// More is better. A text that is one column under a delimiter says nothing for it.
    fn score(&self) -> f64 {
        if self.records == 0 || self.fields < 2 {
            return 0.0;
        }
        (self.agree as f64 - 2.0 * self.flawed as f64) / self.records as f64
    }
}

/// Finds the dialect of a text from its first bytes; `whole` says that there are no more.
pub(crate) fn find(head: &[u8], whole: bool) -> Found {
    let mut doubts = Vec::new();
    let head = whole_lines(head, whole);
    let encoding = encoding(head, &mut doubts);
    let base = Dialect { delimiter: b',', quote: Some(b'"'), escape: Escape::Double, comment: comment(head), skip_lines: 0, encoding };
    let best = best_fit(head, &base);
    if best.score() <= 0.0 {
        doubts.push("no delimiter was found: the file is taken as one column".to_owned());
        return Found { dialect: base, doubts };
    }
    let mut dialect = Dialect { delimiter: best.delimiter, quote: best.quote, escape: best.escape, ..base };
    dialect.skip_lines = preamble(head, &dialect, best.fields);
    if dialect.skip_lines > 0 {
        doubts.push(format!("the first {} line(s) have fewer fields than the rest and are passed over (skipLines)", dialect.skip_lines));
    }
    let odd = best.records - best.agree;
    if odd > dialect.skip_lines as usize {
        doubts.push(format!(
            "{odd} of the first {} records do not have {} fields: rows with too few or too many fields are rejected (shortRow)",
            best.records, best.fields
        ));
    }
    if best.flawed > 0 {
        doubts.push(format!("{} of the first {} records have a quote in a place where none may stand", best.flawed, best.records));
    }
    Found { dialect, doubts }
}

/// Without a last line that may be cut.
fn whole_lines(head: &[u8], whole: bool) -> &[u8] {
    match head.iter().rposition(|b| *b == b'\n') {
        Some(end) if !whole => &head[..=end],
        _ => head,
    }
}

fn encoding(head: &[u8], doubts: &mut Vec<String>) -> Encoding {
    if std::str::from_utf8(head).is_ok() {
        return Encoding::Utf8;
    }
    let (encoding, name) =
        if head.iter().any(|b| (0x80..0xa0).contains(b)) { (Encoding::Windows1252, "windows-1252") } else { (Encoding::Latin1, "latin1") };
    doubts.push(format!("the text is no valid UTF-8: {name} is a guess (any byte is valid in it)"));
    encoding
}

/// A first line such as `# made by x` that is no header.
fn comment(head: &[u8]) -> Option<u8> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut lines = head.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next()?;
    let next = lines.find(|line| !line.starts_with(b"#") && !line.is_empty())?;
    let fields = |line: &[u8]| DELIMITERS.iter().map(|d| line.split(|b| b == d).count()).max();
    (first.starts_with(b"#") && fields(first) != fields(next)).then_some(b'#')
}

fn best_fit(head: &[u8], base: &Dialect) -> Fit {
    // The likelier first: a later one must be better, not as good.
    let mut quotings = vec![(Some(b'"'), Escape::Double)];
    if head.windows(2).any(|pair| pair == b"\\\"") {
        quotings.push((Some(b'"'), Escape::Backslash));
    }
    quotings.extend([(Some(b'\''), Escape::Double), (None, Escape::Double)]);
    let mut best: Option<Fit> = None;
    for (quote, escape) in quotings {
        for delimiter in DELIMITERS {
            let fit = fit(head, Dialect { delimiter, quote, escape, ..base.clone() });
            // A single quote is an apostrophe unless it really quotes something.
            if quote == Some(b'\'') && fit.quoted == 0 {
                continue;
            }
            let better = best.as_ref().is_none_or(|best| {
                let (a, b) = (fit.score(), best.score());
                let same_quoting = (fit.quote, fit.escape) == (best.quote, best.escape);
                a > b + 1e-9 || ((a - b).abs() <= 1e-9 && same_quoting && fit.fields > best.fields)
            });
            if better {
                best = Some(fit);
            }
        }
    }
    best.unwrap_or(Fit {
        delimiter: b',',
        quote: Some(b'"'),
        escape: Escape::Double,
        fields: 1,
        agree: 0,
        records: 0,
        flawed: 0,
        quoted: 0,
    })
}

fn fit(head: &[u8], dialect: Dialect) -> Fit {
    let (delimiter, quote, escape) = (dialect.delimiter, dialect.quote, dialect.escape);
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    let mut fit = Fit { delimiter, quote, escape, fields: 0, agree: 0, records: 0, flawed: 0, quoted: 0 };
    let mut records = Records::new(head, dialect);
    let mut record = Record::default();
    // Reading from memory cannot fail.
    while fit.records < LOOKED_AT && records.read(&mut record).unwrap_or(false) {
        *counts.entry(record.len()).or_default() += 1;
        fit.records += 1;
        fit.flawed += usize::from(record.flawed);
        fit.quoted += record.fields().filter(|(_, quoted)| *quoted).count();
    }
    if let Some((fields, agree)) = counts.into_iter().max_by_key(|(_, agree)| *agree) {
        fit.fields = fields;
        fit.agree = agree;
    }
    fit
}

/// Lines before the header: those up to the first record that has as many fields as the others.
fn preamble(head: &[u8], dialect: &Dialect, fields: usize) -> u32 {
    let mut needed = false;
    let mut offset = 0;
    for lines in 0..=MAX_PREAMBLE {
        let Some(rest) = head.get(offset..).filter(|rest| !rest.is_empty()) else { return 0 };
        let line = rest.iter().position(|b| *b == b'\n').map_or(rest, |end| &rest[..=end]);
        offset += line.len();
        if line.trim_ascii().is_empty() || dialect.comment.is_some_and(|mark| line.starts_with(&[mark])) {
            continue;
        }
        let mut record = Record::default();
        // Reading from memory cannot fail.
        let _ = Records::new(rest, dialect.clone()).read(&mut record);
        if record.len() >= fields {
            return if needed { lines } else { 0 };
        }
        needed = true;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> Dialect {
        find(text.as_bytes(), true).dialect
    }

    #[test]
    fn delimiters_are_found() {
        assert_eq!(dialect("a,b,c\n1,2,3\n4,5,6\n").delimiter, b',');
        assert_eq!(dialect("a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n").delimiter, b';', "decimal commas are no delimiters");
        assert_eq!(dialect("a\tb\n1, 2 and 3\t4\n5\t6\n").delimiter, b'\t');
        assert_eq!(dialect("a|b\n\"x|y\"|2\n3|4\n").delimiter, b'|');
    }

    #[test]
    fn quotes_are_found() {
        assert_eq!(dialect("a,b\n'x,y',2\n'z',3\n").quote, Some(b'\''));
        assert_eq!(dialect("a,b\nO'Brien,2\nD'Arcy,3\n").quote, Some(b'"'));
        assert_eq!(dialect("a,b\n\"x\"y,2\n\"z\"1,3\n").quote, None, "quotes that do not quote");
        assert_eq!(dialect("a,b\n\"say \\\"hi, you\\\"\",2\n1,2\n").escape, Escape::Backslash);
    }

    #[test]
    fn what_stands_before_the_header_is_passed_over() {
        assert_eq!(dialect("Report of January\n\na,b\n1,2\n3,4\n").skip_lines, 2);
        assert_eq!(dialect("# made by x\na,b\n1,2\n").comment, Some(b'#'));
        assert_eq!(dialect("#id,name\n1,x\n2,y\n").comment, None);
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(find("a,b\ncafé,1\n".as_bytes(), true).dialect.encoding, Encoding::Utf8);
        assert_eq!(find(b"a,b\ncaf\xe9,1\n", true).dialect.encoding, Encoding::Latin1);
        assert_eq!(find(b"a,b\n\x80 5,1\n", true).dialect.encoding, Encoding::Windows1252);
    }

    #[test]
    fn one_column_is_no_table_of_many() {
        let found = find(b"name\nx\ny\n", true);
        assert_eq!((found.dialect.delimiter, found.doubts.len()), (b',', 1));
    }
}
