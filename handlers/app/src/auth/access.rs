//! Who may call what: one row per operation of the API. What is not in the table is refused.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Caller, Role, Scope, TokenError};
use crate::{
    api::problem::Problem,
    app::App,
    limits::{self, Allowance},
};

/// How a change leaves its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audit {
    /// Nothing is changed.
    Read,
    /// An event in the run's audit chain, with the caller as its actor.
    Chain,
    /// An immutable document that names the caller as its author.
    Author,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Method.
    pub method: Method,
    /// Path template below the route prefix.
    pub path: &'static str,
    /// Roles of which one is needed; empty: no token is needed.
    pub roles: &'static [Role],
    /// How it is audited.
    pub audit: Audit,
}

use Role::{Auditor, Engineer, Operator, Partner, Reviewer};

const PUBLIC: &[Role] = &[];
/// Facts, counts and states, no values of rows.
const FACTS: &[Role] = &[Partner, Reviewer, Operator, Engineer, Auditor];
const STAFF: &[Role] = &[Reviewer, Operator, Engineer, Auditor];
/// Values of rows: everybody whose work needs them, and the partner that sent them.
const ROWS: &[Role] = &[Partner, Reviewer, Operator, Engineer];
const UPLOAD: &[Role] = &[Partner, Operator];
/// Trying a file before it is sent.
const TRY: &[Role] = &[Partner, Operator, Engineer];
const OPERATE: &[Role] = &[Operator];
const AUDITS: &[Role] = &[Auditor, Operator];
const DECIDE: &[Role] = &[Reviewer];
/// Around a decision: talk, hand on, take back.
const DESK: &[Role] = &[Reviewer, Operator];
const ENGINEER: &[Role] = &[Engineer];
const TUNE: &[Role] = &[Engineer, Operator];

const fn get(path: &'static str, roles: &'static [Role]) -> Rule {
    Rule { method: Method::GET, path, roles, audit: Audit::Read }
}
const fn post(path: &'static str, roles: &'static [Role], audit: Audit) -> Rule {
    Rule { method: Method::POST, path, roles, audit }
}
const fn delete(path: &'static str, roles: &'static [Role]) -> Rule {
    Rule { method: Method::DELETE, path, roles, audit: Audit::Author }
}
const fn put(path: &'static str, roles: &'static [Role]) -> Rule {
    Rule { method: Method::PUT, path, roles, audit: Audit::Author }
}

/// The table.
pub const RULES: &[Rule] = &[
    get("/health", PUBLIC),
    get("/openapi.json", PUBLIC),
    post("/submissions", UPLOAD, Audit::Author),
    post("/submissions/dry-run", TRY, Audit::Read),
    get("/submissions", FACTS),
    get("/submissions/{id}", FACTS),
    get("/submissions/{id}/receipt", FACTS),
    get("/submissions/{id}/rejected", ROWS),
    get("/runs", FACTS),
    get("/runs/{run}", FACTS),
    get("/runs/{run}/timeline", STAFF),
    get("/runs/{run}/report", FACTS),
    get("/runs/{run}/audit", AUDITS),
    get("/runs/{run}/chunks", STAFF),
    post("/runs/{run}/reprocess", OPERATE, Audit::Chain),
    post("/runs/{run}/cancel", OPERATE, Audit::Chain),
    post("/runs/{run}/resume", OPERATE, Audit::Chain),
    get("/changes", FACTS),
    get("/summary", FACTS),
    get("/reviews", STAFF),
    get("/reviews/{case}", STAFF),
    get("/reviews/{case}/rows", DECIDE),
    post("/reviews/{case}/claim", DECIDE, Audit::Chain),
    post("/reviews/{case}/release", DESK, Audit::Chain),
    post("/reviews/{case}/decide", DECIDE, Audit::Chain),
    post("/reviews/decide", DECIDE, Audit::Chain),
    post("/reviews/{case}/try", DECIDE, Audit::Read),
    post("/reviews/{case}/comments", DESK, Audit::Chain),
    post("/reviews/{case}/assign", DESK, Audit::Chain),
    post("/reviews/{case}/undo", DESK, Audit::Chain),
    get("/pipelines", STAFF),
    get("/pipelines/{name}", STAFF),
    get("/pipelines/{name}/versions", STAFF),
    get("/pipelines/{name}/versions/{version}", STAFF),
    get("/pipelines/{name}/draft", STAFF),
    put("/pipelines/{name}/draft", ENGINEER),
    delete("/pipelines/{name}/draft", ENGINEER),
    post("/pipelines/{name}/draft/approve", TUNE, Audit::Author),
    put("/pipelines/{name}", ENGINEER),
    post("/pipelines/dry-run", ENGINEER, Audit::Read),
    post("/pipelines/compare", ENGINEER, Audit::Read),
    get("/parameters/{pipeline}", STAFF),
    put("/parameters/{pipeline}", TUNE),
    get("/tables", STAFF),
    get("/tables/{name}", STAFF),
    put("/tables/{name}", TUNE),
    get("/rows/{run}/{row}", ROWS),
];

/// The row of an operation. A HEAD is a GET.
pub fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    RULES.iter().find(|rule| rule.method == *method && rule.path == path)
}

impl Rule {
    /// What this caller may see here; `None` if it may not call at all.
    pub fn scope(&self, caller: &Caller) -> Option<Scope> {
        let mut granted = caller.roles.iter().filter(|role| self.roles.contains(role)).peekable();
        granted.peek()?;
        if granted.any(|role| *role != Partner) {
            return Some(Scope::All);
        }
        caller.partner.clone().map(Scope::Partner)
    }
}

/// Lets a request through to its handler with its [`Caller`] and [`Scope`] as extensions, or refuses it: who the caller is, then how much it
/// asks for, then what it may do.
pub async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let Some(rule) = rule(request.method(), &path) else {
        let allowed: Vec<&str> = RULES.iter().filter(|rule| rule.path == path).map(|rule| rule.method.as_str()).collect();
        return method_not_allowed(&allowed.join(", "));
    };
    if rule.path == PROBE {
        return next.run(request).await;
    }
    let now = app.context.clock.now();
    if rule.roles.is_empty() {
        let allowance = app.limits.strangers.take(limits::address(request.headers()), now);
        return limited(&allowance, next.run(request)).await;
    }
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match app.authenticator.caller(authorization).await {
        Ok(caller) => {
            let allowance = app.limits.callers.take(&caller.id, now);
            limited(&allowance, allowed(rule, caller, request, next)).await
        }
        Err(error @ TokenError::Keys(_)) => {
            tracing::error!(%error, "tokens cannot be checked");
            Problem::unavailable("tokens cannot be checked now; try again soon").into_response()
        }
        Err(error) => {
            let allowance = app.limits.strangers.take(limits::address(request.headers()), now);
            limited(&allowance, async { unauthorized(&error) }).await
        }
    }
}

/// Whatever asks again and again whether the service lives.
pub const PROBE: &str = "/health";

/// The answer with its limits, or that of a caller that is over them.
async fn limited(allowance: &Allowance, answer: impl Future<Output = Response>) -> Response {
    if let Some(refusal) = allowance.refusal() {
        return refusal;
    }
    let mut response = answer.await;
    allowance.tell(response.headers_mut());
    response
}

/// The answer to a caller that is known.
async fn allowed(rule: &Rule, caller: Caller, mut request: Request, next: Next) -> Response {
    let Some(scope) = rule.scope(&caller) else {
        tracing::info!(caller = caller.id, roles = ?caller.roles, "the caller's roles do not allow this");
        let needed = rule.roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ");
        let why = if caller.roles.contains(&Partner) && rule.roles.contains(&Partner) {
            "the token has the role Partner but names no partner".to_owned()
        } else {
            format!("needs one of the roles {needed}")
        };
        return Problem::forbidden(why).into_response();
    };
    tracing::Span::current().record("caller", &caller.id);
    let write = rule.audit != Audit::Read;
    let operation = format!("{} {}", rule.method, rule.path);
    let id = caller.id.clone();
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(scope);
    let response = next.run(request).await;
    if write {
        tracing::info!(operation, caller = id, status = response.status().as_u16(), "change asked for");
    }
    response
}

fn method_not_allowed(allowed: &str) -> Response {
    let mut response = Problem::method_not_allowed(allowed).into_response();
    if let Ok(value) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

fn unauthorized(error: &TokenError) -> Response {
    let challenge = match error {
        TokenError::Missing => "Bearer",
        // RFC 6750, section 3.1.
        _ => "Bearer error=\"invalid_token\"",
    };
    if !matches!(error, TokenError::Missing) {
        tracing::info!(reason = %error, "token refused");
    }
    let mut response = Problem::unauthorized().into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(roles: &[Role], partner: Option<&str>) -> Caller {
        Caller { id: "i".into(), name: "n".into(), roles: roles.to_vec(), partner: partner.map(Into::into) }
    }

    #[test]
    fn a_partner_sees_only_its_own_unless_it_has_another_role_too() {
        let runs = rule(&Method::GET, "/runs").unwrap();
        assert_eq!(runs.scope(&caller(&[Partner], Some("acme"))), Some(Scope::Partner("acme".into())));
        assert_eq!(runs.scope(&caller(&[Partner], None)), None);
        assert_eq!(runs.scope(&caller(&[Partner, Auditor], Some("acme"))), Some(Scope::All));
        assert_eq!(runs.scope(&caller(&[], Some("acme"))), None);
        // A role that this route does not take widens nothing.
        let upload = rule(&Method::POST, "/submissions").unwrap();
        assert_eq!(upload.scope(&caller(&[Partner, Auditor], Some("acme"))), Some(Scope::Partner("acme".into())));
    }

    #[test]
    fn no_operation_stands_twice_in_the_table() {
        for (index, one) in RULES.iter().enumerate() {
            assert!(RULES[..index].iter().all(|other| (&other.method, other.path) != (&one.method, one.path)), "{one:?}");
        }
    }

    #[test]
    fn only_health_and_description_are_public() {
        let public: Vec<&str> = RULES.iter().filter(|rule| rule.roles.is_empty()).map(|rule| rule.path).collect();
        assert_eq!(public, ["/health", "/openapi.json"]);
    }
}
