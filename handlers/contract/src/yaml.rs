//! YAML text into a tree of nodes that know their place, with bounds on what a hostile file may cost.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use crate::code::Code;

/// Largest configuration file, in bytes.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting of lists and maps.
pub(crate) const MAX_DEPTH: usize = 32;
/// Most values of one document, aliases expanded.
pub(crate) const MAX_NODES: usize = 100_000;

/// A place in the text: 1-based line and column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl From<Marker> for Place {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

/// A value and where it stands. An alias stands where its anchor is.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
    /// Values in this subtree, itself included.
    size: usize,
    /// Levels of lists and maps in this subtree.
    height: usize,
}

impl Node {
    /// The value at a path such as `tasks[2].mask.column`, or the nearest one around it.
    pub(crate) fn nearest(&self, path: &str) -> &Self {
        let mut node = self;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            let next = match (&node.kind, step.strip_suffix(']').and_then(|index| index.parse::<usize>().ok())) {
                (Kind::List(items), Some(index)) => items.get(index),
                (Kind::Map(entries), None) => entries.iter().find(|entry| entry.key == step).map(|entry| &entry.value),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Text, and whether it was written without quotes (so that `12` is a number and `"12"` is not).
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Node,
}

/// A fault of the YAML itself.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) place: Option<Place>,
    pub(crate) message: String,
}

impl Fault {
    fn new(code: Code, place: impl Into<Option<Place>>, message: impl Into<String>) -> Self {
        Self { code, place: place.into(), message: message.into() }
    }
}

/// Reads exactly one document. `Ok` may carry faults (duplicate keys, tags) that do not hide the rest of the tree.
pub(crate) fn load(text: &str) -> Result<(Node, Vec<Fault>), Fault> {
    if text.len() > MAX_BYTES {
        let message = format!("expected at most {MAX_BYTES} bytes, found {}; this is not a configuration file", text.len());
        return Err(Fault::new(Code::TooLarge, None, message));
    }
    let mut builder = Builder::default();
    let mut parser = Parser::<StrInput<'_>>::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let place = Place::from(*error.marker());
            Fault::new(Code::Syntax, place, format!("this is not YAML: {}", error.info()))
        })?;
        builder.event(event, span.start.into())?;
    }
    let root = builder
        .root
        .ok_or_else(|| Fault::new(Code::NoDocument, None, "expected a document, found an empty file, or one of comments only"))?;
    Ok((root, builder.faults))
}

fn check_depth(depth: usize, place: Place) -> Result<(), Fault> {
    if depth > MAX_DEPTH {
        return Err(Fault::new(Code::TooDeep, place, format!("expected at most {MAX_DEPTH} levels of lists and maps, found more")));
    }
    Ok(())
}

/// A list or map that is not closed yet.
struct Open {
    anchor: usize,
    place: Place,
    height: usize,
    size: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    /// The entries, and the key that waits for its value (`None` inside for a key that cannot be one).
    Map(Vec<Entry>, Option<(Option<String>, Place)>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    faults: Vec<Fault>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, place: Place) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(Fault::new(
                Code::ManyDocuments,
                place,
                "expected one document, found a second one after `---`; put it into a file of its own",
            )),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, place)?;
                let plain = style == ScalarStyle::Plain && !self.is_text_tag(tag.as_deref(), place);
                self.add(anchor, Node { place, kind: Kind::Scalar { text: text.into_owned(), plain }, size: 1, height: 0 })
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(node) => {
                    self.count(node.size, place)?;
                    self.add(0, node)
                }
                None => Err(Fault::new(Code::Syntax, place, "an alias cannot stand inside the value of its own anchor")),
            },
            Event::SequenceStart(anchor, tag) => {
                self.is_text_tag(tag.as_deref(), place);
                self.open(anchor, place, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.is_text_tag(tag.as_deref(), place);
                self.open(anchor, place, Content::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            _ => Ok(()),
        }
    }

    /// Whether the tag makes a plain scalar text; notes a tag that has no meaning here.
    fn is_text_tag(&mut self, tag: Option<&Tag>, place: Place) -> bool {
        let Some(tag) = tag else { return false };
        if tag.is_yaml_core_schema() && ["str", "int", "float", "bool", "null", "seq", "map"].contains(&tag.suffix.as_str()) {
            return tag.suffix == "str";
        }
        // The non-specific tag `!` asks for text.
        if tag.handle.is_empty() && tag.suffix == "!" {
            return true;
        }
        self.faults.push(Fault::new(Code::Tag, place, format!("the tag {tag} has no meaning here; remove it")));
        false
    }

    fn open(&mut self, anchor: usize, place: Place, content: Content) -> Result<(), Fault> {
        self.count(1, place)?;
        self.open.push(Open { anchor, place, height: 0, size: 1, content });
        check_depth(self.open.len(), place)
    }

    /// Takes `more` values from the budget, so that aliases of aliases cannot grow without bound.
    fn count(&mut self, more: usize, place: Place) -> Result<(), Fault> {
        self.nodes += more;
        if self.nodes > MAX_NODES {
            return Err(Fault::new(
                Code::TooManyNodes,
                place,
                format!("expected at most {MAX_NODES} values with aliases expanded, found more"),
            ));
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Map(entries, _) => Kind::Map(self.finish_map(entries)),
        };
        self.add(open.anchor, Node { place: open.place, kind, size: open.size, height: open.height + 1 })
    }

    /// Merges `<<` (YAML 1.1, as the Python tools of ODCS read it) and notes duplicate keys; the first one stays.
    fn finish_map(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let (merges, own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| e.key == "<<");
        let mut result: Vec<Entry> = Vec::with_capacity(own.len());
        let mut lines: HashMap<String, usize> = HashMap::with_capacity(own.len());
        for entry in own {
            if let Some(first) = lines.get(&entry.key) {
                let message = format!("the key `{}` stands here twice, first in line {first}; keep one", entry.key);
                self.faults.push(Fault::new(Code::DuplicateKey, entry.place, message));
            } else {
                lines.insert(entry.key.clone(), entry.place.line);
                result.push(entry);
            }
        }
        let mut known: HashSet<String> = lines.into_keys().collect();
        for merge in merges {
            let maps = match merge.value.kind {
                Kind::List(items) => items,
                _ => vec![merge.value],
            };
            for map in maps {
                let Kind::Map(inherited) = map.kind else {
                    self.faults.push(Fault::new(Code::Syntax, merge.place, "`<<` merges a map; name one with an alias"));
                    continue;
                };
                result.extend(inherited.into_iter().filter(|entry| known.insert(entry.key.clone())));
            }
        }
        result
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, anchor: usize, node: Node) -> Result<(), Fault> {
        check_depth(self.open.len() + node.height, node.place)?;
        if anchor != 0 {
            self.count(node.size, node.place)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        parent.size += node.size;
        parent.height = parent.height.max(node.height);
        match &mut parent.content {
            Content::List(items) => items.push(node),
            Content::Map(entries, waiting) => match waiting.take() {
                None => {
                    let place = node.place;
                    let key = match node.kind {
                        Kind::Scalar { text, .. } => Some(text),
                        Kind::List(_) | Kind::Map(_) => {
                            self.faults.push(Fault::new(Code::KeyNotText, place, "expected text as a key, found a list or a map"));
                            None
                        }
                    };
                    *waiting = Some((key, place));
                }
                Some((Some(key), place)) => {
                    // A value that is not there has the place of its key, not of whatever comes next.
                    let missing = matches!(&node.kind, Kind::Scalar { text, plain: true } if text.is_empty());
                    let value = if missing { Node { place, ..node } } else { node };
                    entries.push(Entry { key, place, value });
                }
                Some((None, _)) => {}
            },
        }
        Ok(())
    }
}

/// What a plain scalar is, by the core schema of YAML 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarKind {
    Null,
    Boolean(bool),
    Integer,
    Number,
    Text,
}

/// The kind of a scalar (YAML 1.2.2, section 10.3.2).
pub(crate) fn scalar_kind(text: &str, plain: bool) -> ScalarKind {
    if !plain {
        return ScalarKind::Text;
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return ScalarKind::Null,
        "true" | "True" | "TRUE" => return ScalarKind::Boolean(true),
        "false" | "False" | "FALSE" => return ScalarKind::Boolean(false),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        ScalarKind::Integer
    } else if is_float(unsigned) {
        ScalarKind::Number
    } else {
        ScalarKind::Text
    }
}

fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction) && exponent.is_none_or(|e| !e.is_empty() && digits(e))
}
