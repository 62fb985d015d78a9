//! A query of the flow as SQL of Cosmos DB. Values travel as parameters only; field names are literals of this program.

use std::fmt::Write;

use azure_data_cosmos::Query as Sql;
use serde_json::Value;
use sluice_flow::{Error, Query, Result};

use crate::cursor::Cursor;

/// Words of the language, which cannot stand behind a dot. (In brackets they could: `c["order"]`; but the driver's own parser, which plans
/// queries over several partitions and is the emulator's too, takes a double-quoted word for an identifier and finds nothing.)
const KEYWORDS: &[&str] = &[
    "and",
    "array",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cross",
    "desc",
    "distinct",
    "escape",
    "exists",
    "false",
    "for",
    "from",
    "group",
    "having",
    "in",
    "inner",
    "insert",
    "into",
    "is",
    "join",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "rank",
    "right",
    "select",
    "set",
    "top",
    "true",
    "udf",
    "undefined",
    "update",
    "value",
    "where",
    "with",
];
/// Largest page.
const MOST: usize = 1000;

/// A statement and its parameters.
#[derive(Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) parameters: Vec<(String, Value)>,
}

impl Statement {
    /// The statement of `query`, or `None` if nothing can match.
    ///
    /// # Errors
    /// Code `K0400` (bug): a limit outside of 1..=1000, or a field that the language cannot name.
    pub(crate) fn of(query: &Query, cursor: Option<&Cursor>) -> Result<Option<Self>> {
        if query.limit == 0 || query.limit > MOST {
            return Err(Error::bug("K0400", format!("a page has 1 to {MOST} documents, asked for {}", query.limit)));
        }
        let most = Cursor::most(query, cursor);
        let text = format!("SELECT TOP {most} * FROM c WHERE c.kind = @p0");
        let mut statement = Self { text, parameters: vec![("@p0".to_owned(), query.kind.into())] };
        if let Some(prefix) = &query.id_prefix {
            let name = statement.parameter(prefix.as_str().into());
            statement.append(format_args!(" AND STARTSWITH(c.id, {name})"));
        }
        for (field, value) in &query.equals {
            let (field, name) = (path(field)?, statement.parameter(value.clone()));
            statement.append(format_args!(" AND {field} = {name}"));
        }
        if let Some((field, values)) = &query.any_of {
            if values.is_empty() {
                return Ok(None);
            }
            let names: Vec<String> = values.iter().map(|value| statement.parameter(value.clone())).collect();
            statement.append(format_args!(" AND {} IN ({})", path(field)?, names.join(", ")));
        }
        for (field, limit) in &query.less_than {
            let name = statement.parameter(limit.as_str().into());
            statement.append(format_args!(" AND {} < {name}", path(field)?));
        }
        if let Some((field, limit)) = &query.at_least {
            let name = statement.parameter(limit.as_str().into());
            statement.append(format_args!(" AND {} >= {name}", path(field)?));
        }
        if let Some((fields, text)) = &query.contains {
            let name = statement.parameter(text.as_str().into());
            let tests = fields.iter().map(|field| Ok(format!("CONTAINS({}, {name}, true)", path(field)?))).collect::<Result<Vec<_>>>()?;
            if tests.is_empty() {
                return Ok(None);
            }
            statement.append(format_args!(" AND ({})", tests.join(" OR ")));
        }
        if let Some((field, present)) = query.present {
            statement.append(format_args!(" AND {}IS_DEFINED({})", if present { "" } else { "NOT " }, path(field)?));
        }
        let (field, descending) = query.order.unwrap_or(("id", false));
        if let Some(cursor) = cursor {
            let name = statement.parameter(cursor.value.as_str().into());
            statement.append(format_args!(" AND {} {} {name}", path(field)?, if descending { "<=" } else { ">=" }));
        }
        statement.append(format_args!(" ORDER BY {} {}", path(field)?, if descending { "DESC" } else { "ASC" }));
        Ok(Some(statement))
    }

    fn append(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(text);
    }

    fn parameter(&mut self, value: Value) -> String {
        let name = format!("@p{}", self.parameters.len());
        self.parameters.push((name.clone(), value));
        name
    }

    /// As the SDK takes it.
    ///
    /// # Errors
    /// Code `K0400` (bug): a value is not JSON.
    pub(crate) fn into_sql(self) -> Result<Sql> {
        let mut sql = Sql::from(self.text);
        for (name, value) in self.parameters {
            sql = sql.with_parameter(name, value).map_err(|error| Error::bug("K0400", "a value of a query is not JSON").because(error))?;
        }
        Ok(sql)
    }
}

/// The path of a field of a document.
fn path(field: &str) -> Result<String> {
    let word = field.starts_with(|c: char| c.is_ascii_alphabetic()) && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let lower = field.to_lowercase();
    if word && !KEYWORDS.contains(&lower.as_str()) {
        Ok(format!("c.{field}"))
    } else {
        Err(Error::bug("K0400", format!("a query cannot name the field {field:?}: rename it")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_of_a_query_has_its_place() {
        let query = Query {
            kind: "case",
            partition: Some("run:1".to_owned()),
            id_prefix: Some("case:".to_owned()),
            equals: vec![("partner", json!("o'hare")), ("n", json!(1))],
            any_of: Some(("status", vec![json!("open"), json!("claimed")])),
            less_than: vec![("due_at", "2026-01-01".to_owned()), ("created_at", "2025-12-31".to_owned())],
            at_least: Some(("due_at", "2025-01-01".to_owned())),
            contains: Some((&["title", "cause"], "Late".to_owned())),
            present: Some(("dead_letter", false)),
            order: Some(("created_at", true)),
            limit: 10,
            after: None,
        };
        let statement = Statement::of(&query, None).unwrap().unwrap();
        assert_eq!(
            statement.text,
            "SELECT TOP 11 * FROM c WHERE c.kind = @p0 AND STARTSWITH(c.id, @p1) AND c.partner = @p2 AND c.n = @p3 \
             AND c.status IN (@p4, @p5) AND c.due_at < @p6 AND c.created_at < @p7 AND c.due_at >= @p8 \
             AND (CONTAINS(c.title, @p9, true) OR CONTAINS(c.cause, @p9, true)) AND NOT IS_DEFINED(c.dead_letter) ORDER BY c.created_at DESC"
        );
        let values: Vec<_> = statement.parameters.into_iter().map(|(_, value)| value).collect();
        assert_eq!(
            values,
            [
                json!("case"),
                json!("case:"),
                json!("o'hare"),
                json!(1),
                json!("open"),
                json!("claimed"),
                json!("2026-01-01"),
                json!("2025-12-31"),
                json!("2025-01-01"),
                json!("Late")
            ]
        );
    }

    #[test]
    fn without_an_order_it_is_by_id() {
        let statement = Statement::of(&Query { kind: "run", limit: 1, ..Query::default() }, None).unwrap().unwrap();
        assert_eq!(statement.text, "SELECT TOP 2 * FROM c WHERE c.kind = @p0 ORDER BY c.id ASC");
    }

    #[test]
    fn one_of_no_values_matches_nothing() {
        assert_eq!(
            Statement::of(&Query { kind: "run", limit: 1, any_of: Some(("state", vec![])), ..Query::default() }, None).unwrap(),
            None
        );
    }

    #[test]
    fn a_field_that_is_a_keyword_or_no_word_is_a_bug() {
        for field in ["order", "Value", "a-b", "a b", "", "1st", "x = 1 OR c.y"] {
            let query = Query { kind: "run", limit: 1, equals: vec![(field, json!(1))], ..Query::default() };
            assert_eq!(Statement::of(&query, None).unwrap_err().code(), "K0400", "{field}");
        }
    }

    #[test]
    fn a_limit_outside_of_its_range_is_a_bug() {
        for limit in [0, 1001] {
            assert_eq!(Statement::of(&Query { kind: "run", limit, ..Query::default() }, None).unwrap_err().code(), "K0400");
        }
    }
}
