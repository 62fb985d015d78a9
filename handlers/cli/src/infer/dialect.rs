//! Finds out how a delimited text is written, from its first part.

use sluice_contract::Escape;

use super::candidates::{self, Candidate};
use super::records::Dialect;
use super::score::Fit;
use super::sure::{self, Finding};

/// Bytes in which every candidate is tried.
const TRIED: usize = 96 << 10;
/// Prefixes of comments.
const COMMENTS: [&str; 5] = ["#", "//", "--", "%", "!"];

/// How a text is written, with the records of its first part.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) dialect: Dialect,
    pub(crate) fit: Fit,
    pub(crate) findings: Vec<Finding>,
}

/// Finds the dialect of a text in UTF-8 from its first bytes; `whole` says that there are no more.
pub(crate) fn find(head: &[u8], whole: bool) -> Found {
    let tried = whole_lines(&head[..head.len().min(TRIED)], whole && head.len() <= TRIED);
    let text = String::from_utf8_lossy(tried);
    let base = Dialect { comment: comment(&text), ..Dialect::default() };
    let mut fits: Vec<Fit> = candidates::all(&text, &base).into_iter().map(|c| Fit::new(tried, c)).collect();
    fits.push(Fit::new(tried, Candidate { dialect: Dialect { delimiter: ONE_COLUMN.to_owned(), ..base }, prior: 1.0 }));
    // The likelier come first, and of equals the first stays. A quote that quotes nothing explains nothing.
    let mut best = 0;
    for (i, fit) in fits.iter().enumerate().skip(1) {
        let is_idle = fit.candidate.dialect.quote.is_some_and(|q| q != b'"') && fit.quoted == 0;
        if !is_idle && fit.score > fits[best].score + 1e-9 {
            best = i;
        }
    }
    let rival = |differs: &dyn Fn(&Dialect) -> bool| {
        let others = fits.iter().enumerate().filter(|(i, f)| *i != best && differs(&f.candidate.dialect));
        others.max_by(|(_, a), (_, b)| a.score.total_cmp(&b.score)).map(|(_, f)| (f.score, f.candidate.dialect.clone()))
    };
    let chosen = fits[best].candidate.dialect.clone();
    let by_delimiter = rival(&|d| core(&d.delimiter) != core(&chosen.delimiter));
    let by_quote = rival(&|d| core(&d.delimiter) == core(&chosen.delimiter) && (d.quote, d.escape) != (chosen.quote, chosen.escape));
    let fit = fits.swap_remove(best);
    let mut findings = vec![delimiter_finding(&fit, by_delimiter), quote_finding(&fit, by_quote)];
    if let Some(mark) = &chosen.comment {
        findings.push(Finding::new("comment", mark.clone(), 85, "lines that begin with it do not have the fields of the others"));
    }
    let mut dialect = chosen;
    if fit.width < 2 {
        ",".clone_into(&mut dialect.delimiter);
    }
    Found { dialect, fit, findings }
}

/// A delimiter that stands in no text (Unicode keeps it free for programs): the file is one column.
const ONE_COLUMN: &str = "\u{fdd0}";

/// A delimiter without its blanks: `, ` and `,` are no rivals.
fn core(delimiter: &str) -> &str {
    let core = delimiter.trim_matches(' ');
    if core.is_empty() { delimiter } else { core }
}

fn delimiter_finding(fit: &Fit, rival: Option<(f64, Dialect)>) -> Finding {
    let rows = fit.agree as u64;
    if fit.width < 2 {
        let why = "no delimiter makes rows of equal width: the file is taken as one column";
        return Finding::new("delimiter", "none", sure::after(rows).min(75), why);
    }
    let delimiter = &fit.candidate.dialect.delimiter;
    let (score, other) = rival.map_or((0.0, None), |(score, d)| (score, Some(d.delimiter)));
    let mut why = format!("{} of {} records have {} fields", fit.agree, fit.records.len(), fit.width);
    let sure = sure::margin(fit.score, score).min(sure::after(3 * rows));
    if let Some(other) = other.filter(|d| sure < 90 && d != ONE_COLUMN) {
        why.push_str(&format!("; {} would do too", shown(&other)));
    }
    Finding::new("delimiter", shown(delimiter), sure, why)
}

fn quote_finding(fit: &Fit, rival: Option<(f64, Dialect)>) -> Finding {
    let dialect = &fit.candidate.dialect;
    let found = match (dialect.quote, dialect.escape) {
        (None, _) => "none".to_owned(),
        (Some(q), Escape::Backslash) => format!("{} escaped by \\", char::from(q)),
        (Some(q), _) => char::from(q).to_string(),
    };
    if fit.quoted == 0 && dialect.quote.is_some() {
        return Finding::new("quote", found, 80, "no field is quoted; this is the usual quote");
    }
    let mut why = match dialect.quote {
        None => "quotes stand where none may, if they are taken as quotes".to_owned(),
        Some(_) => format!("{} fields are quoted", fit.quoted),
    };
    if fit.flawed > 0 {
        why.push_str(&format!("; {} of {} records have a quote in a place where none may stand", fit.flawed, fit.records.len()));
    }
    let sure = sure::margin(fit.score, rival.map_or(0.0, |(score, _)| score)).max(60);
    Finding::new("quote", found, if fit.flawed > 0 { sure.min(75) } else { sure.max(90) }, why)
}

/// A delimiter as people name it.
pub(crate) fn shown(delimiter: &str) -> String {
    match delimiter {
        "\t" => "tab".to_owned(),
        " " => "a blank".to_owned(),
        other => other.escape_debug().to_string(),
    }
}

/// Without a last line that may be cut.
fn whole_lines(head: &[u8], whole: bool) -> &[u8] {
    match head.iter().rposition(|b| *b == b'\n' || *b == b'\r') {
        Some(end) if !whole => &head[..=end],
        _ => head,
    }
}

/// A prefix of some lines, but of less than half of them, that all look alike apart from it: they have not the delimiters of the others.
fn comment(text: &str) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split(['\n', '\r']).filter(|line| !line.trim().is_empty()).take(400).collect();
    let marks = |line: &str| [',', ';', '\t', '|'].map(|d| line.matches(d).count());
    for mark in COMMENTS {
        let (with, without): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.starts_with(mark));
        if with.is_empty() || with.len() >= without.len() {
            continue;
        }
        let usual = marks(without[without.len() / 2]);
        // Remarks at the top, of which one may have as many delimiters as the rows by chance.
        let is_remark = |line: &&str| line.starts_with(&format!("{mark} "));
        let is_at_top = lines.iter().take(with.len()).all(|line| line.starts_with(mark));
        if usual != [0; 4] && is_at_top && with.iter().all(is_remark) && with.iter().any(|line| marks(line) != usual) {
            return Some(mark.to_owned());
        }
        let is_numeric = mark == "--" || mark == "%";
        // A line with the delimiters of the others is data, or a header that begins with the mark.
        if usual != [0; 4] && with.iter().all(|line| marks(line) != usual) && !(is_numeric && with.len() < 2) {
            return Some(mark.to_owned());
        }
        if usual == [0; 4] && with.iter().all(|line| line.starts_with(&format!("{mark} "))) && !is_numeric {
            return Some(mark.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> Dialect {
        find(text.as_bytes(), true).dialect
    }

    #[test]
    fn delimiters_are_found() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", ","),
            ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
            ("a\tb\n1\t2\n", "\t"),
            ("a|b|c\n1|2|3\n", "|"),
            ("name;note\nx;\"a, b, c\"\ny;\"d, e\"\n", ";"),
            ("a||b||c\n1||x||2.5\n2||||3.5\n3||z||\n", "||"),
            ("a~|~b~|~c\n1~|~x~|~2.5\n2~|~~|~3.5\n", "~|~"),
            ("id name size\n1 Ada 2.5\n2 Bob 3.5\n", " "),
            ("a\u{1f}b\n1\u{1f}2\n", "\u{1f}"),
            ("a:b:c\n1:x:2\n2:y:3\n3:z:4\n", ":"),
        ] {
            assert_eq!(dialect(text).delimiter, delimiter, "{text}");
        }
    }

    #[test]
    fn one_column_has_no_delimiter() {
        for text in [
            "time\n10:00:00\n11:00:00\n12:30:00\n",
            "when\n2024-01-01 10:00:00\n2024-01-02 10:00:00\n",
            "note\nhello, you there\nhow are you\nfine, thanks, and you\n",
            "day\n01/02/2024\n01/03/2024\n",
        ] {
            let found = find(text.as_bytes(), true);
            assert_eq!(found.fit.width, 1, "{text} {:?}", found.dialect);
        }
    }

    #[test]
    fn a_nul_character_is_no_delimiter() {
        assert_eq!(find(b"a\0b\nc\0d\n", true).fit.width, 1);
    }

    #[test]
    fn quotes_and_escapes_are_found() {
        assert_eq!(dialect("a,b\n'x, y',1\n'z, w',2\n").quote, Some(b'\''));
        assert_eq!(dialect("a,b\nO'Neil,1\nD'Arc,2\n").quote, Some(b'"'));
        assert_eq!(dialect("a,b\n\"say \\\"hi\\\"\",1\n\"x\",2\n").escape, Escape::Backslash);
        assert_eq!(dialect("a,b\n\"say \"\"hi\"\"\",1\n\"x\",2\n").escape, Escape::Double);
        assert!(dialect("a, b\n1, \"x, y\"\n2, \"z, w\"\n").trim || dialect("a, b\n1, \"x, y\"\n2, \"z, w\"\n").delimiter == ", ");
    }

    #[test]
    fn comments_are_found() {
        assert_eq!(dialect("# made by hand\n# by me, and you\na,b\n1,2\n3,4\n").comment.as_deref(), Some("#"));
        assert_eq!(dialect("# made by hand\na,b\n1,2\n# and, so, on\n3,4\n").comment.as_deref(), Some("#"));
        assert_eq!(dialect("#a,b\n1,2\n3,4\n").comment, None);
    }
}
