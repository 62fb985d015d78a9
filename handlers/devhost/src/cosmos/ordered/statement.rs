//! The statements that are understood here: conditions on top-level properties joined by AND and OR, ordered by one property. It is the form in
//! which the SDK asks each physical partition for its part of an ordered query.

use serde_json::{Map, Value};

/// `SELECT VALUE {"_rid": c._rid, "orderByItems": [{"item": c.<order>}], "payload": c} FROM c WHERE <conditions> ORDER BY c.<order>`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    condition: Condition,
    /// Property that the answer is ordered by.
    pub(super) order: String,
    pub(super) is_descending: bool,
}

/// What has no value (a test of a property that is not there) counts as false: no condition here turns that into true.
#[derive(Debug, Clone, PartialEq)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Property { name: String, test: Test },
    Defined { name: String, is_defined: bool },
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    In(Vec<Value>),
    Less(String),
    AtMost(String),
    Greater(String),
    AtLeast(String),
    StartsWith(String),
    /// In lower case.
    Contains(String),
}

impl Statement {
    /// Reads a query specification (`{"query": ..., "parameters": [...]}`); `None` if it has another form.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let parameters = body.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let parameters = parameters.iter().map(|one| Some((one.get("name")?.as_str()?, one.get("value")?))).collect::<Option<Vec<_>>>()?;
        Parser { rest: tokens(body.get("query")?.as_str()?)?, at: 0, parameters }.statement()
    }

    /// Whether a document meets the condition.
    pub(super) fn takes(&self, document: &Map<String, Value>) -> bool {
        self.condition.holds(document)
    }
}

impl Condition {
    fn holds(&self, document: &Map<String, Value>) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(document)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(document)),
            Self::Property { name, test } => document.get(name).is_some_and(|value| test.holds(value)),
            Self::Defined { name, is_defined } => document.contains_key(name) == *is_defined,
        }
    }
}

impl Test {
    /// Texts are compared with texts only, as the service does.
    fn holds(&self, value: &Value) -> bool {
        let text = |holds: &dyn Fn(&str) -> bool| value.as_str().is_some_and(holds);
        match self {
            Self::In(values) => values.iter().any(|one| is_equal(one, value)),
            Self::Less(limit) => text(&|value| value < limit.as_str()),
            Self::AtMost(limit) => text(&|value| value <= limit.as_str()),
            Self::Greater(limit) => text(&|value| value > limit.as_str()),
            Self::AtLeast(limit) => text(&|value| value >= limit.as_str()),
            Self::StartsWith(prefix) => text(&|value| value.starts_with(prefix.as_str())),
            Self::Contains(part) => text(&|value| value.to_lowercase().contains(part.as_str())),
        }
    }
}

/// 1 and 1.0 are one number.
fn is_equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word, `@parameter` included.
    Word(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: [&str; 16] = ["<=", ">=", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "*", "!"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '"' {
            // As JSON writes texts.
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            found.push(Token::Text(values.next()?.ok()?));
            rest = &rest[values.byte_offset()..];
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"_@".contains(c)).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(found)
}

struct Parser<'a> {
    rest: Vec<Token>,
    at: usize,
    parameters: Vec<(&'a str, &'a Value)>,
}

impl Parser<'_> {
    fn statement(mut self) -> Option<Statement> {
        self.words(&["SELECT", "VALUE"])?;
        self.sign("{")?;
        self.name("_rid")?;
        (self.property()? == "_rid").then_some(())?;
        self.sign(",")?;
        self.name("orderByItems")?;
        self.sign("[")?;
        self.sign("{")?;
        self.name("item")?;
        let item = self.property()?;
        for sign in ["}", "]", ","] {
            self.sign(sign)?;
        }
        self.name("payload")?;
        self.words(&["c"])?;
        self.sign("}")?;
        self.words(&["FROM", "c", "WHERE"])?;
        let condition = self.disjunction()?;
        self.words(&["ORDER", "BY"])?;
        let order = self.property()?;
        let is_descending = match self.rest.get(self.at) {
            None => false,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("ASC") => false,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("DESC") => true,
            Some(_) => return None,
        };
        let is_whole = self.at + 1 >= self.rest.len();
        (is_whole && item == order).then_some(Statement { condition, order, is_descending })
    }

    fn disjunction(&mut self) -> Option<Condition> {
        let mut conditions = vec![self.conjunction()?];
        while self.words(&["OR"]).is_some() {
            conditions.push(self.conjunction()?);
        }
        Some(Condition::Any(conditions))
    }

    fn conjunction(&mut self) -> Option<Condition> {
        let mut conditions = vec![self.term()?];
        while self.words(&["AND"]).is_some() {
            conditions.push(self.term()?);
        }
        Some(Condition::All(conditions))
    }

    fn term(&mut self) -> Option<Condition> {
        if self.sign("(").is_some() {
            let condition = self.disjunction()?;
            return self.sign(")").map(|()| condition);
        }
        if self.words(&["true"]).is_some() {
            return Some(Condition::All(Vec::new()));
        }
        if self.words(&["NOT"]).is_some() {
            return self.defined(false);
        }
        if self.is_word("IS_DEFINED") {
            return self.defined(true);
        }
        let call = ["STARTSWITH", "CONTAINS"].into_iter().find(|name| self.is_word(name));
        if let Some(function) = call {
            self.at += 1;
            return self.call(function);
        }
        let name = self.property()?;
        let test = if self.is_word("IN") {
            self.at += 1;
            self.sign("(")?;
            let mut values = vec![self.operand()?];
            while self.sign(",").is_some() {
                values.push(self.operand()?);
            }
            self.sign(")")?;
            Test::In(values)
        } else if self.sign("=").is_some() {
            Test::In(vec![self.operand()?])
        } else if self.sign("<=").is_some() {
            Test::AtMost(self.text()?)
        } else if self.sign(">=").is_some() {
            Test::AtLeast(self.text()?)
        } else if self.sign("<").is_some() {
            Test::Less(self.text()?)
        } else if self.sign(">").is_some() {
            Test::Greater(self.text()?)
        } else {
            return None;
        };
        Some(Condition::Property { name, test })
    }

    /// `IS_DEFINED(c.<name>)`.
    fn defined(&mut self, is_defined: bool) -> Option<Condition> {
        self.words(&["IS_DEFINED"])?;
        self.sign("(")?;
        let name = self.property()?;
        self.sign(")")?;
        Some(Condition::Defined { name, is_defined })
    }

    /// `(c.<name>, <text>)`, or of `CONTAINS` `(c.<name>, <text>, true)`, which does not look at the case of letters.
    fn call(&mut self, function: &str) -> Option<Condition> {
        self.sign("(")?;
        let name = self.property()?;
        self.sign(",")?;
        let text = self.text()?;
        let test = if function == "CONTAINS" {
            self.sign(",")?;
            self.words(&["true"])?;
            Test::Contains(text.to_lowercase())
        } else {
            Test::StartsWith(text)
        };
        self.sign(")")?;
        Some(Condition::Property { name, test })
    }

    /// `c.<name>`.
    fn property(&mut self) -> Option<String> {
        self.words(&["c"])?;
        self.sign(".")?;
        let Token::Word(name) = self.rest.get(self.at)? else { return None };
        let name = name.clone();
        self.at += 1;
        // A deeper path is none of ours.
        (self.rest.get(self.at) != Some(&Token::Sign(".")) && self.rest.get(self.at) != Some(&Token::Sign("["))).then_some(name)
    }

    fn operand(&mut self) -> Option<Value> {
        let value = match self.rest.get(self.at)? {
            Token::Text(text) => Value::String(text.clone()),
            Token::Word(word) => (*self.parameters.iter().find(|(name, _)| name == word)?.1).clone(),
            Token::Sign(_) => return None,
        };
        self.at += 1;
        // What is equal to a list or an object is a question of its own.
        (!value.is_array() && !value.is_object()).then_some(value)
    }

    fn text(&mut self) -> Option<String> {
        match self.operand()? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// `"<name>":`.
    fn name(&mut self, name: &str) -> Option<()> {
        (self.rest.get(self.at)? == &Token::Text(name.to_owned())).then_some(())?;
        self.at += 1;
        self.sign(":")
    }

    /// These words, or none of them is passed over.
    fn words(&mut self, words: &[&str]) -> Option<()> {
        let start = self.at;
        for word in words {
            if !self.is_word(word) {
                self.at = start;
                return None;
            }
            self.at += 1;
        }
        Some(())
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.rest.get(self.at), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn sign(&mut self, sign: &str) -> Option<()> {
        match self.rest.get(self.at) {
            Some(Token::Sign(found)) if *found == sign => {
                self.at += 1;
                Some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(conditions: &str, order: &str) -> Option<Statement> {
        let query = format!(
            r#"SELECT VALUE {{"_rid": c._rid, "orderByItems": [{{"item": c.at}}], "payload": c}} FROM c WHERE {conditions} ORDER BY {order}"#
        );
        let parameters = json!([{"name": "@p0", "value": "case"}, {"name": "@p1", "value": 1}, {"name": "@p2", "value": null}]);
        Statement::parse(json!({"query": query, "parameters": parameters}).to_string().as_bytes())
    }

    fn takes(conditions: &str, document: &Value) -> bool {
        parse(conditions, "c.at ASC").unwrap_or_else(|| panic!("{conditions}")).takes(document.as_object().unwrap())
    }

    #[test]
    fn conditions_are_those_of_the_language() {
        let document = json!({"kind": "case", "n": 1.0, "flag": true, "at": "b", "nothing": null});
        for (conditions, expected) in [
            ("(c.kind = @p0) AND true", true),
            ("(c.kind = @p0 AND c.n = @p1) AND true", true),
            ("c.kind = @p1", false),
            ("c.kind IN (@p1, \"case\")", true),
            ("c.missing = @p0", false),
            ("c.missing = @p2", false),
            ("c.nothing = @p2", true),
            ("c.at < \"b\"", false),
            ("c.at <= \"b\" AND c.at >= \"b\"", true),
            ("c.at > \"a\"", true),
            ("c.n < \"b\"", false),
            ("STARTSWITH(c.kind, \"ca\")", true),
            ("STARTSWITH(c.kind, \"se\")", false),
            ("CONTAINS(c.kind, \"AS\", true)", true),
            ("CONTAINS(c.kind, \"at\", true)", false),
            ("CONTAINS(c.n, \"1\", true)", false),
            ("c.kind = @p0 AND (CONTAINS(c.missing, \"as\", true) OR CONTAINS(c.at, \"B\", true))", true),
            ("c.kind = @p1 AND c.at = \"b\" OR c.kind = @p0", true),
            ("c.kind = @p1 AND (c.at = \"b\" OR c.kind = @p0)", false),
            ("IS_DEFINED(c.nothing) AND NOT IS_DEFINED(c.missing)", true),
            ("NOT IS_DEFINED(c.nothing)", false),
        ] {
            assert_eq!(takes(conditions, &document), expected, "{conditions}");
        }
    }

    #[test]
    fn what_is_not_understood_is_left_to_the_emulator() {
        for conditions in [
            "c.a.b = @p0",
            "c.a[0] = @p0",
            "c.a = @p9",
            "c.a = 1 OR c.b = 2",
            "NOT c.a = @p0",
            "c.a != @p0",
            "c.n < @p1",
            "f(c.a)",
            "CONTAINS(c.a, @p0)",
        ] {
            assert_eq!(parse(conditions, "c.at ASC"), None, "{conditions}");
        }
        assert_eq!(parse("true", "c.other ASC"), None, "the item is not what is ordered by");
        assert_eq!(parse("true", "c.at ASC, c.b ASC"), None);
        assert!(parse("true", "c.at DESC").unwrap().is_descending);
        assert_eq!(Statement::parse(br#"{"query": "SELECT * FROM c"}"#), None);
    }
}
