//! Typed access to a YAML tree that notes every mistake and goes on.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::code::Code;
use crate::mistake::{Mistake, Mistakes};
use crate::suggest::did_you_mean;
use crate::yaml::{self, Entry, Kind, Node, Place, ScalarKind, scalar_kind};

/// Mistakes of one document before suggestions stop.
const MAX_SUGGESTIONS: usize = 100;

/// Codes of the mistakes that either kind of document can have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codes {
    pub(crate) unknown_key: Code,
    pub(crate) missing_key: Code,
    pub(crate) kind: Code,
    pub(crate) choice: Code,
    pub(crate) range: Code,
}

/// Codes of a contract.
pub(crate) const CONTRACT: Codes = Codes {
    unknown_key: Code::ContractUnknownKey,
    missing_key: Code::ContractMissingKey,
    kind: Code::ContractKind,
    choice: Code::ContractChoice,
    range: Code::ContractKind,
};

/// Codes of a pipeline.
pub(crate) const PIPELINE: Codes = Codes {
    unknown_key: Code::PipelineUnknownKey,
    missing_key: Code::PipelineMissingKey,
    kind: Code::PipelineKind,
    choice: Code::PipelineChoice,
    range: Code::PipelineRange,
};

/// One document being read, with the mistakes found so far.
#[derive(Debug)]
pub(crate) struct Report {
    file: String,
    codes: Codes,
    mistakes: RefCell<Vec<Mistake>>,
}

impl Report {
    pub(crate) fn new(file: &str, codes: Codes) -> Self {
        Self { file: file.to_owned(), codes, mistakes: RefCell::default() }
    }

    /// Loads the text; a fault of the YAML becomes a mistake.
    pub(crate) fn load(&self, text: &str) -> Option<Node> {
        let (root, faults) = match yaml::load(text) {
            Ok((root, faults)) => (Some(root), faults),
            Err(fault) => (None, vec![fault]),
        };
        for fault in faults {
            self.note(fault.code, "", fault.place, fault.message);
        }
        root
    }

    fn note(&self, code: Code, path: &str, place: Option<Place>, message: String) {
        let (line, column) = place.map_or((0, 0), |p| (p.line, p.column));
        let mistake = Mistake { code: code.as_str().to_owned(), file: self.file.clone(), path: path.to_owned(), line, column, message };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Whether a key stands twice somewhere. What the second one says is not read.
    pub(crate) fn has_repeated_keys(&self) -> bool {
        self.mistakes.borrow().iter().any(|m| m.code == Code::DuplicateKey.as_str())
    }

    /// All mistakes, in file order.
    pub(crate) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|m| (m.line, m.column));
        // A value under an alias is read wherever the alias stands.
        mistakes.dedup();
        mistakes
    }

    /// `value` if there was no mistake.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Mistakes> {
        match (self.into_mistakes(), value) {
            (mistakes, Some(value)) if mistakes.is_empty() => Ok(value),
            (mistakes, _) => Err(Mistakes(mistakes)),
        }
    }
}

/// A value with its path.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    node: &'a Node,
    path: String,
    report: &'a Report,
}

impl<'a> Cursor<'a> {
    pub(crate) fn root(node: &'a Node, report: &'a Report) -> Self {
        Self { node, path: String::new(), report }
    }

    pub(crate) fn place(&self) -> Place {
        self.node.place
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether a mistake was noted about this value or anything inside of it.
    pub(crate) fn is_mistaken(&self) -> bool {
        let inside = |path: &str| path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.report.mistakes.borrow().iter().any(|m| inside(&m.path))
    }

    /// Whether a key stands twice somewhere in the document.
    pub(crate) fn has_repeated_keys(&self) -> bool {
        self.report.has_repeated_keys()
    }

    /// Notes a mistake about this value.
    pub(crate) fn mistake(&self, code: Code, message: impl Into<String>) {
        self.report.note(code, &self.path, Some(self.node.place), message.into());
    }

    /// `; did you mean ...?` for the nearest word. Not for a flood of mistakes: whoever made them did not mistype.
    pub(crate) fn did_you_mean(&self, found: &str, words: &[&str]) -> String {
        if self.report.mistakes.borrow().len() < MAX_SUGGESTIONS { did_you_mean(found, words) } else { String::new() }
    }

    fn wrong_kind<T>(&self, expected: &str) -> Option<T> {
        self.mistake(self.report.codes.kind, format!("expected {expected}, found {}", self.describe()));
        None
    }

    /// The value in words, for messages.
    pub(crate) fn describe(&self) -> String {
        match &self.node.kind {
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
            Kind::Scalar { text, plain } => {
                let short = shorten(text);
                match scalar_kind(text, *plain) {
                    ScalarKind::Null => "nothing".to_owned(),
                    ScalarKind::Boolean(value) => value.to_string(),
                    ScalarKind::Integer | ScalarKind::Number => format!("the number {short}"),
                    ScalarKind::Text => format!("the text `{short}`"),
                }
            }
        }
    }

    fn scalar(&self) -> Option<(&'a str, ScalarKind)> {
        match &self.node.kind {
            Kind::Scalar { text, plain } => Some((text, scalar_kind(text, *plain))),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.scalar(), Some((_, ScalarKind::Null)))
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self.node.kind, Kind::Map(_))
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(self.scalar(), Some((_, ScalarKind::Integer)))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.node.kind, Kind::List(_))
    }

    /// Text; a number or `true` without quotes is a mistake.
    pub(crate) fn text(&self) -> Option<&'a str> {
        match self.scalar() {
            Some((text, ScalarKind::Text)) => Some(text),
            Some((_, ScalarKind::Null)) | None => self.wrong_kind("text"),
            Some((text, _)) => self.wrong_kind(&format!("text (write it in quotes: \"{}\")", shorten(text))),
        }
    }

    /// Text that is not blank.
    pub(crate) fn name(&self) -> Option<&'a str> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return self.wrong_kind("text that is not empty");
        }
        Some(text)
    }

    /// A value as it would be spelled in a data file: any scalar but null.
    pub(crate) fn spelling(&self) -> Option<&'a str> {
        match self.scalar() {
            Some((text, kind)) if kind != ScalarKind::Null => Some(text),
            _ => self.wrong_kind("one value (text in quotes if it is empty or `null`)"),
        }
    }

    /// true or false.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.scalar() {
            Some((_, ScalarKind::Boolean(value))) => Some(value),
            _ => self.wrong_kind("true or false"),
        }
    }

    /// A whole number in `range`.
    pub(crate) fn integer<T>(&self, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some((text, ScalarKind::Integer)) = self.scalar() else {
            return self.wrong_kind("a whole number");
        };
        match text.parse::<T>() {
            Ok(value) if range.contains(&value) => Some(value),
            _ => {
                let message = format!("expected a whole number from {} to {}, found {}", range.start(), range.end(), shorten(text));
                self.mistake(self.report.codes.range, message);
                None
            }
        }
    }

    /// A finite number.
    pub(crate) fn number(&self) -> Option<f64> {
        let text = self.number_text()?;
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Some(value),
            _ => self.wrong_kind("a number"),
        }
    }

    /// The digits of a number as they are written.
    pub(crate) fn number_text(&self) -> Option<&'a str> {
        match self.scalar() {
            Some((text, ScalarKind::Integer | ScalarKind::Number)) => Some(text),
            _ => self.wrong_kind("a number"),
        }
    }

    /// One of the words.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!("expected {}, found `{}`{}", one_of(&words), shorten(text), self.did_you_mean(text, &words));
        self.mistake(self.report.codes.choice, message);
        None
    }

    /// The items of a list; nothing at all is an empty list.
    pub(crate) fn items(&self) -> Vec<Cursor<'a>> {
        match &self.node.kind {
            Kind::List(items) => items
                .iter()
                .enumerate()
                .map(|(i, node)| Cursor { node, path: format!("{}[{i}]", self.path), report: self.report })
                .collect(),
            _ if self.is_null() => Vec::new(),
            _ => {
                self.wrong_kind::<()>("a list");
                Vec::new()
            }
        }
    }

    /// A list of texts, each with its place.
    pub(crate) fn names(&self) -> Vec<(&'a str, Cursor<'a>)> {
        self.items().into_iter().filter_map(|item| Some((item.name()?, item))).collect()
    }

    /// The entries of a map with keys of the author's choice; nothing at all is an empty map.
    pub(crate) fn entries(&self) -> Vec<(&'a str, Cursor<'a>)> {
        match &self.node.kind {
            Kind::Map(entries) => entries.iter().map(|entry| (entry.key.as_str(), self.child(entry))).collect(),
            _ if self.is_null() => Vec::new(),
            _ => {
                self.wrong_kind::<()>("a map");
                Vec::new()
            }
        }
    }

    /// The map with exactly these possible keys.
    pub(crate) fn fields(&self, known: &[&str]) -> Option<Fields<'a>> {
        let Kind::Map(entries) = &self.node.kind else {
            return self.wrong_kind(&format!("a map with {}", one_of(known)));
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let hint = self.did_you_mean(&entry.key, known);
                let hint = if hint.is_empty() { format!("; expected {}", one_of(known)) } else { hint };
                self.key_mistake(entry, self.report.codes.unknown_key, format!("unknown key `{}`{hint}", shorten(&entry.key)));
            }
        }
        Some(Fields { map: self.clone(), entries })
    }

    fn key_mistake(&self, entry: &Entry, code: Code, message: String) {
        self.report.note(code, &self.child_path(&entry.key), Some(entry.place), message);
    }

    fn child(&self, entry: &'a Entry) -> Cursor<'a> {
        Cursor { node: &entry.value, path: self.child_path(&entry.key), report: self.report }
    }

    fn child_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// A map whose keys have been checked.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    map: Cursor<'a>,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The map itself, for mistakes that concern more than one key.
    pub(crate) fn map(&self) -> &Cursor<'a> {
        &self.map
    }

    /// The value of a key, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<Cursor<'a>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| self.map.child(entry))
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &str) -> Option<Cursor<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.map.mistake(self.map.report.codes.missing_key, format!("the key `{key}` is missing; add it"));
        }
        found
    }

    /// All entries, in order.
    pub(crate) fn all(&self) -> Vec<(&'a str, Cursor<'a>)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), self.map.child(entry))).collect()
    }
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// At most 60 characters of a text that somebody else wrote, without control characters.
pub(crate) fn shorten(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(60).map(clean).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}
