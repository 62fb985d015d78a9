//! What many operations of the description have in common, said once: the answers to mistaken requests, headers, and the form of parameters.

use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use crate::auth::access::{self, Audit, Rule};

/// An answer that many operations give.
struct Common {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    /// Header beside those of every answer.
    header: Option<&'static str>,
    /// Whether an operation gives it.
    given: fn(&Operation<'_>) -> bool,
}

/// An operation as far as its answers depend on it.
struct Operation<'a> {
    rule: &'a Rule,
    has_body: bool,
    has_parameters: bool,
    /// Whether it is about one thing, which may not exist.
    has_path_parameters: bool,
}

impl Operation<'_> {
    fn is_public(&self) -> bool {
        self.rule.roles.is_empty()
    }

    fn is_post(&self) -> bool {
        self.rule.method == Method::POST
    }

    fn is_limited(&self) -> bool {
        self.rule.path != access::PROBE
    }
}

const COMMON: &[Common] = &[
    Common {
        status: "400",
        name: "BadRequest",
        description: "A parameter, a header or the body cannot be read",
        header: None,
        given: |o| o.has_parameters || o.has_body || o.is_post(),
    },
    Common {
        status: "401",
        name: "Unauthorized",
        description: "No valid access token",
        header: Some("WWW-Authenticate"),
        given: |o| !o.is_public(),
    },
    Common { status: "403", name: "Forbidden", description: "The caller's roles do not allow it", header: None, given: |o| !o.is_public() },
    Common {
        status: "404",
        name: "NotFound",
        description: "It does not exist, or not for this caller",
        header: None,
        given: |o| o.has_path_parameters,
    },
    Common {
        status: "409",
        name: "Conflict",
        description: "The first request with this idempotency key is still worked on, or its answer is not known",
        header: Some("Retry-After"),
        given: |o| o.is_post() && o.rule.audit != Audit::Read,
    },
    Common {
        status: "412",
        name: "PreconditionFailed",
        description: "It is not what `If-Match` or `If-None-Match` expect: read it again",
        header: None,
        given: |_| false,
    },
    Common { status: "413", name: "PayloadTooLarge", description: "The body is too large", header: None, given: |o| o.has_body },
    Common {
        status: "415",
        name: "UnsupportedMediaType",
        description: "The body has another content type than is expected",
        header: None,
        given: |o| o.has_body,
    },
    Common {
        status: "422",
        name: "Unprocessable",
        description: "The body does not have the shape that is expected, or its content is mistaken; or the idempotency key came with another request",
        header: None,
        given: |o| o.has_body || (o.is_post() && o.rule.audit != Audit::Read),
    },
    Common {
        status: "429",
        name: "TooManyRequests",
        description: "More requests than the limit allows: nothing was done, wait as long as `Retry-After` says",
        header: Some("Retry-After"),
        given: |o| o.is_limited(),
    },
    Common {
        status: "500",
        name: "InternalError",
        description: "Something unexpected happened; the log has the details",
        header: None,
        given: |o| !o.is_public(),
    },
    Common {
        status: "503",
        name: "Unavailable",
        description: "A service behind the API does not answer: try again soon",
        header: Some("Retry-After"),
        given: |o| !o.is_public(),
    },
];

/// Name, description and schema of headers that answers carry.
const HEADERS: &[(&str, &str)] = &[
    ("ETag", "Entity tag, for `If-Match` and `If-None-Match`"),
    ("Idempotency-Replayed", "`true` if this is the answer of an earlier request with the same idempotency key"),
    ("RateLimit", "What is left of the limit: `r` requests, full again in `t` seconds (draft-ietf-httpapi-ratelimit-headers)"),
    ("RateLimit-Policy", "The limit of this instance: `q` requests at once, full again after `w` seconds"),
    ("Retry-After", "Seconds after which it makes sense to try again"),
    ("WWW-Authenticate", "How to authenticate (RFC 6750)"),
];

const RUN_STATES: &str = "moving|sealing|transforming|gathering|reviewing|publishing|archiving|completed|rejected|failed|cancelled";
const CASE_STATES: &str = "opening|open|confirming|decided|void";

/// Base64 with its padding, and no bits beyond the last byte (RFC 4648, section 3.5).
const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

/// A list of these words, separated by commas.
fn list_of(words: &str) -> String {
    format!("^({words})(,({words}))*$")
}

/// The form of a parameter that is told by its name and place, as a pattern; `None` if any text will do.
fn pattern(method: &str, place: &str, name: &str) -> Option<String> {
    Some(match (method, place, name) {
        (_, "header", "If-Match") => r#"^"[!#-~]+"$"#.to_owned(),
        ("put", "header", "If-None-Match") => r"^\*$".to_owned(),
        (_, "query", "submission") => "^s-[0-9a-f]{25}$".to_owned(),
        (_, "query", "run") => "^s-[0-9a-f]{25}-[1-9][0-9]{0,8}$".to_owned(),
        (_, "query", "state") => list_of(RUN_STATES),
        (_, "query", "status") => list_of(CASE_STATES),
        _ => return None,
    })
}

/// The description as JSON text, with all of this in it.
pub(in crate::api) fn complete(description: &OpenApi) -> String {
    // Maps of strings always are JSON.
    let mut description = serde_json::to_value(description).unwrap_or_default();
    let components = &mut description["components"];
    components["responses"] = COMMON.iter().map(|common| (common.name.to_owned(), common.answer())).collect::<Map<_, _>>().into();
    let header = |text: &str| json!({ "description": text, "schema": { "type": "string" } });
    components["headers"] = HEADERS.iter().map(|(name, text)| ((*name).to_owned(), header(text))).collect::<Map<_, _>>().into();
    components["parameters"] = json!({ "IdempotencyKey": idempotency_key() });
    shapes(&mut components["schemas"]);
    for (path, item) in description["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(rule) = method.to_uppercase().parse().ok().and_then(|method| access::rule(&method, path)) {
                name(operation);
                parameters(method, operation, rule);
                answers(operation, rule);
            }
        }
    }
    serde_json::to_string_pretty(&description).unwrap_or_default()
}

impl Common {
    fn answer(&self) -> Value {
        let mut answer = json!({
            "description": self.description,
            "content": { "application/problem+json": { "schema": reference("schemas", "Problem") } },
        });
        if let Some(name) = self.header {
            answer["headers"] = json!({ name: reference("headers", name) });
        }
        answer
    }
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Chosen by the caller, new for each new request. The same request (path and body) of the same caller with the same key \
            within a day is not done again: it gets the first answer, with `Idempotency-Replayed: true`. Kept are answers below 500 except \
            401, 403 and 429. Where nothing is changed (trials and comparisons), nothing is kept, and the request is answered anew.",
        "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
    })
}

/// What the types of the code cannot tell about themselves.
fn shapes(schemas: &mut Value) {
    schemas["PutParameters"]["properties"]["values"]["additionalProperties"] = json!({ "type": ["boolean", "number", "string"] });
    // A pointer of a schema to what its values must keep.
    let bounds = [
        ("/BulkDecision/properties/cases", json!({ "minItems": 1, "maxItems": 100 })),
        ("/BulkDecision/properties/comment", json!({ "maxLength": 2000 })),
        ("/DecisionBody/properties/comment", json!({ "maxLength": 2000 })),
        ("/DryRunBody/properties/sampleBase64", json!({ "pattern": BASE64 })),
        ("/FileSample/properties/sample", json!({ "pattern": BASE64 })),
        ("/TryBody/properties/rows", json!({ "maxProperties": 100 })),
    ];
    for (pointer, bound) in bounds {
        for (name, value) in bound.as_object().into_iter().flatten() {
            if let Some(schema) = schemas.pointer_mut(pointer) {
                schema[name] = value.clone();
            }
        }
    }
    // Each form of these takes its own fields alone.
    for name in ["GrantScope", "VerdictView"] {
        for form in schemas[name]["oneOf"].as_array_mut().into_iter().flatten() {
            form["additionalProperties"] = false.into();
        }
    }
}

/// Names an operation after its resource and its function, such as `runs.list`: an id stands for one operation (OpenAPI 3.1.1, 4.8.10.1), and
/// the names of functions repeat.
fn name(operation: &mut Value) {
    if let (Some(tag), Some(function)) = (operation["tags"][0].as_str(), operation["operationId"].as_str()) {
        operation["operationId"] = format!("{tag}.{function}").into();
    }
}

fn parameters(method: &str, operation: &mut Value, rule: &Rule) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let pattern = pattern(method, parameter["in"].as_str().unwrap_or_default(), parameter["name"].as_str().unwrap_or_default());
        let schema = &mut parameter["schema"];
        // A parameter is there or it is not; there is no null.
        if let Some(kind) = schema["type"].as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null")).cloned() {
            schema["type"] = kind;
        }
        if let Some(pattern) = pattern {
            schema["pattern"] = pattern.into();
        }
    }
    if rule.method == Method::POST {
        let list = operation.as_object_mut().map(|map| map.entry("parameters").or_insert_with(|| json!([])));
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.push(reference("parameters", "IdempotencyKey"));
        }
    }
}

fn answers(operation: &mut Value, rule: &Rule) {
    let has_parameters = operation["parameters"].as_array().is_some_and(|list| !list.is_empty());
    let precondition = |name: &str| operation["parameters"].as_array().into_iter().flatten().any(|one| one["name"] == name);
    let has_tag = precondition("If-Match") || precondition("If-None-Match");
    let facts =
        Operation { rule, has_body: !operation["requestBody"].is_null(), has_parameters, has_path_parameters: rule.path.contains('{') };
    let Some(answers) = operation["responses"].as_object_mut() else { return };
    for (status, answer) in answers.iter_mut() {
        if status.starts_with('2') && facts.is_limited() {
            for name in ["RateLimit", "RateLimit-Policy"] {
                answer["headers"][name] = reference("headers", name);
            }
        }
        if status.starts_with('2') && facts.is_post() && rule.audit != Audit::Read {
            answer["headers"]["Idempotency-Replayed"] = reference("headers", "Idempotency-Replayed");
        }
        if has_tag && (status == "200" || status == "304") {
            answer["headers"]["ETag"] = reference("headers", "ETag");
        }
        problem(status, answer);
    }
    for common in COMMON {
        if (common.given)(&facts) && !answers.contains_key(common.status) {
            answers.insert(common.status.to_owned(), reference("responses", common.name));
        }
    }
    answers.sort_keys();
}

/// Gives an operation's own answer to a mistake its media type; one that says nothing of its own becomes the common one.
fn problem(status: &str, answer: &mut Value) {
    let schema = &answer["content"]["application/json"]["schema"];
    if *schema != reference("schemas", "Problem") {
        return;
    }
    let common = COMMON.iter().find(|common| common.status == status);
    if let (Some(common), true) = (common, answer["description"].as_str().is_none_or(str::is_empty)) {
        *answer = reference("responses", common.name);
        return;
    }
    let mut own = json!({ "application/problem+json": { "schema": schema } });
    std::mem::swap(&mut answer["content"], &mut own);
    if let Some(name) = common.and_then(|common| common.header) {
        answer["headers"][name] = reference("headers", name);
    }
}
