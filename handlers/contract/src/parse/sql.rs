//! What can be said about a SQL expression without a SQL parser: which parameters it names, and whether it is closed.

/// What was found in an expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan<'a> {
    /// Names after `$`, outside of quotes and comments.
    pub(crate) parameters: Vec<&'a str>,
    /// What is wrong with its text.
    pub(crate) fault: Option<String>,
}

/// Scans an expression.
pub(crate) fn scan(sql: &str) -> Scan<'_> {
    let mut found = Scan::default();
    let mut depth = 0i32;
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\'' | '"' | '`' => match after.find(c) {
                // A doubled quote closes one text and opens the next.
                Some(end) => &after[end + 1..],
                None => return found.broken(format!("the quote {c} is not closed")),
            },
            '-' if after.starts_with('-') => after.find('\n').map_or("", |end| &after[end..]),
            '/' if after.starts_with('*') => match after.find("*/") {
                Some(end) => &after[end + 2..],
                None => return found.broken("the comment is not closed".to_owned()),
            },
            '$' => {
                let name = identifier(after);
                if name.is_empty() {
                    return found.broken("expected the name of a parameter after `$`".to_owned());
                }
                found.parameters.push(name);
                &after[name.len()..]
            }
            '(' | ')' => {
                depth += if c == '(' { 1 } else { -1 };
                if depth < 0 {
                    return found.broken("a `)` has no `(`".to_owned());
                }
                after
            }
            ';' => return found.broken("expected one expression, found `;`".to_owned()),
            _ => after,
        };
    }
    if depth > 0 {
        return found.broken("a `(` is not closed".to_owned());
    }
    if sql.trim().is_empty() {
        return found.broken("expected an expression, found nothing".to_owned());
    }
    found
}

impl Scan<'_> {
    fn broken(mut self, fault: String) -> Self {
        self.fault = Some(fault);
        self
    }
}

/// The ASCII letters, digits and underscores at the start.
pub(crate) fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The names in `{braces}` of a text for people.
pub(crate) fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, more)) = after.split_once('}') else { break };
        names.push(name);
        rest = more;
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_found_outside_of_quotes_and_comments() {
        let sql = "a > $one and b = '$no ''$no' and \"$no\" < $two_2 -- $no\n or c /* $no */ in ($one)";
        assert_eq!(scan(sql), Scan { parameters: vec!["one", "two_2", "one"], fault: None });
    }

    #[test]
    fn an_open_text_is_a_fault() {
        for sql in ["", "  ", "'a", "\"a", "/* a", "(a", "a)", "a; drop", "$", "a = $ b"] {
            assert!(scan(sql).fault.is_some(), "{sql}");
        }
    }

    #[test]
    fn placeholders_are_the_names_in_braces() {
        assert_eq!(placeholders("over {a} min of {b}, {open"), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(sql in "[\\PC\n]{0,60}") {
            let _answer = scan(&sql);
            let _answer = placeholders(&sql);
        }

        #[test]
        fn a_quoted_text_hides_everything(text in "[^']{0,30}") {
            let sql = format!("'{text}'");
            prop_assert_eq!(scan(&sql), Scan::default());
        }
    }
}
