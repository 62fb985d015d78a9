//! Reviews: the cases that wait for people, and their decisions.

pub(super) mod desk;

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sluice_flow::{
    Outputs, RunId,
    review::{CaseStatus, Comment, Decision, ReviewCase, Verdict},
    reviews::{self, CaseFilter, DecisionRequest},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    Page, PageQuery, cursor, etag,
    extract::{Json, Path, Query},
    problem::{PartProblem, Problem},
    runs::{ActorView, with_messages},
    time,
};
use crate::{
    app::App,
    auth::{Caller, Role},
};

/// Most cases of one bulk decision.
const MOST_CASES: usize = 100;

/// Most characters of a text that is looked for.
const TEXT_CHARS: usize = 200;

/// A review case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CaseView {
    /// `<run>.<n>`.
    case_id: String,
    /// The run.
    run_id: String,
    /// Partner id.
    partner: String,
    /// Pipeline name.
    pipeline: String,
    /// Rule name or problem code that held the rows.
    cause: String,
    /// Column the cause is about.
    column: Option<String>,
    /// What a person reads first.
    title: String,
    /// Rows held.
    rows: u64,
    /// A decision names it, so that it is bound to exactly these rows and values.
    digest: String,
    /// open, confirming, decided or void.
    status: &'static str,
    /// How many people must agree.
    approvers: u8,
    /// Who works on it.
    claimed_by: Option<ActorView>,
    /// RFC 3339 UTC; then it is overdue.
    due_at: String,
    /// RFC 3339 UTC.
    created_at: String,
    /// What was decided so far.
    decisions: Vec<DecisionView>,
    /// Columns of the contract that a correction can change.
    correctable: Vec<String>,
    /// What people said about it, the oldest first.
    comments: Vec<CommentView>,
}

/// What somebody said about a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommentView {
    /// Who.
    by: ActorView,
    /// RFC 3339 UTC.
    at: String,
    /// The words.
    text: String,
}

/// A decision that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecisionView {
    /// Who.
    by: ActorView,
    /// RFC 3339 UTC.
    at: String,
    /// For all rows that `rows` does not name.
    verdict: VerdictView,
    /// Row number to another verdict.
    rows: BTreeMap<String, VerdictView>,
    /// Why.
    comment: String,
}

/// What happens to a row.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "verdict", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum VerdictView {
    /// Published as proposed.
    Approve,
    /// Rejected.
    Reject,
    /// Sent back to the partner with the comment, which must not be empty: the row is rejected, with a reason code of its own.
    Return,
    /// Columns are replaced, and the row goes through contract and rules again.
    Correct {
        /// Column name to new value, as one would type it; null empties the cell.
        values: BTreeMap<String, Option<String>>,
    },
}

/// A decision to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// For all rows that `rows` does not name.
    verdict: VerdictView,
    /// Row number to another verdict.
    #[serde(default)]
    rows: BTreeMap<String, VerdictView>,
    /// Why; for the audit log, and for the partner where rows are rejected or sent back.
    #[serde(default)]
    comment: String,
    /// `digest` of the case that was seen: another one is refused with 409.
    digest: String,
}

/// One decision for several cases.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct BulkDecision {
    /// Approve, reject or return: corrections need a case of their own.
    verdict: VerdictView,
    /// Why; for the audit log, and for the partner where rows are rejected or sent back.
    #[serde(default)]
    comment: String,
    /// The cases with the digests that were seen; 100 at most.
    cases: Vec<SeenCase>,
}

/// A case as it was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SeenCase {
    /// Case id.
    case_id: String,
    /// Its digest.
    digest: String,
}

/// What became of a bulk decision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkResult {
    /// Cases that were decided.
    decided: Vec<CaseView>,
    /// Cases that were not, and why.
    problems: Vec<PartProblem>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CaseQuery {
    /// open, confirming, decided or void, several separated by commas; open and confirming unless asked otherwise.
    status: Option<String>,
    /// Rule name or problem code.
    cause: Option<String>,
    /// Only cases that wait and whose time is over.
    #[serde(default)]
    overdue: bool,
    /// Only cases that the caller has claimed.
    #[serde(default)]
    mine: bool,
    /// Partner id.
    partner: Option<String>,
    /// Pipeline name.
    pipeline: Option<String>,
    /// Run id.
    run: Option<String>,
    /// RFC 3339: only cases that are due before.
    #[param(format = DateTime)]
    due_before: Option<String>,
    /// RFC 3339: only cases that were opened before.
    #[param(format = DateTime)]
    opened_before: Option<String>,
    /// Only cases with this in title, cause, column, partner, pipeline, run or case id, whatever the case of its letters.
    #[param(max_length = 200)]
    text: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 200 at most.
    limit: Option<usize>,
}

impl From<VerdictView> for Verdict {
    fn from(verdict: VerdictView) -> Self {
        match verdict {
            VerdictView::Approve => Self::Approve,
            VerdictView::Reject => Self::Reject,
            VerdictView::Return => Self::Return,
            VerdictView::Correct { values } => Self::Correct { values },
        }
    }
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Approve => Self::Approve,
            Verdict::Reject => Self::Reject,
            Verdict::Return => Self::Return,
            Verdict::Correct { values } => Self::Correct { values: values.clone() },
        }
    }
}

impl From<&Decision> for DecisionView {
    fn from(decision: &Decision) -> Self {
        Self {
            by: (&decision.by).into(),
            at: decision.at.clone(),
            verdict: (&decision.verdict).into(),
            rows: decision.rows.iter().map(|(row, verdict)| (row.clone(), verdict.into())).collect(),
            comment: decision.comment.clone(),
        }
    }
}

impl From<&Comment> for CommentView {
    fn from(comment: &Comment) -> Self {
        Self { by: (&comment.by).into(), at: comment.at.clone(), text: comment.text.clone() }
    }
}

fn status_name(status: CaseStatus) -> &'static str {
    match status {
        CaseStatus::Opening => "opening",
        CaseStatus::Open => "open",
        CaseStatus::Confirming => "confirming",
        CaseStatus::Decided => "decided",
        CaseStatus::Void => "void",
    }
}

fn status(name: &str) -> Result<CaseStatus, Problem> {
    serde_json::from_value(name.into()).map_err(|_| Problem::bad_request(format!("status: no status is named {name:?}")))
}

impl From<&ReviewCase> for CaseView {
    fn from(case: &ReviewCase) -> Self {
        Self {
            case_id: case.case_id.clone(),
            run_id: case.run.to_string(),
            partner: case.partner.clone(),
            pipeline: case.pipeline.clone(),
            cause: case.cause.clone(),
            column: case.column.clone(),
            title: case.title.clone(),
            rows: case.rows,
            digest: case.digest.clone(),
            status: status_name(case.status),
            approvers: case.approvers,
            claimed_by: case.claimed_by.as_ref().map(Into::into),
            due_at: case.due_at.clone(),
            created_at: case.created_at.clone(),
            decisions: case.decisions.iter().map(Into::into).collect(),
            correctable: case.correctable.clone(),
            comments: case.comments.iter().map(Into::into).collect(),
        }
    }
}

/// Cases, the most urgent first.
#[utoipa::path(get, path = "/reviews", tag = "reviews", params(CaseQuery), responses((status = 200, body = Page<CaseView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<CaseQuery>,
) -> Result<axum::Json<Page<CaseView>>, Problem> {
    let claimed_by = query.mine.then(|| caller.id.clone());
    if query.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS) {
        return Err(Problem::bad_request(format!("text: expected at most {TEXT_CHARS} characters")));
    }
    let (due_before, opened_before) =
        (time::stored("dueBefore", query.due_before.as_ref())?, time::stored("openedBefore", query.opened_before.as_ref())?);
    let text = query.text.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let of = (&query.status, &query.partner, &query.pipeline, &query.run, &query.cause);
    let listing = ("reviews", of, query.overdue, &claimed_by, &due_before, &opened_before, &text);
    let after = cursor::decode(&listing, query.cursor.as_deref())?;
    let filter = CaseFilter {
        run: query.run.clone().map(RunId::try_from).transpose()?,
        pipeline: query.pipeline.clone(),
        partner: query.partner.clone(),
        status: query.status.iter().flat_map(|list| list.split(',')).map(status).collect::<Result<_, _>>()?,
        cause: query.cause.clone(),
        overdue: query.overdue,
        claimed_by: claimed_by.clone(),
        due_before: due_before.clone(),
        opened_before: opened_before.clone(),
        text: text.clone(),
    };
    let page = reviews::list(&app.context, &filter, after.as_deref(), cursor::limit(query.limit)).await?;
    Ok(axum::Json(Page { items: page.items.iter().map(Into::into).collect(), next: cursor::encode(&listing, page.next) }))
}

/// A case, with its `ETag`.
#[utoipa::path(get, path = "/reviews/{case}", tag = "reviews", params(("case" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the case as it is known")), responses((status = 200, body = CaseView), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, headers: HeaderMap, Path(case): Path<String>) -> Result<Response, Problem> {
    etag::conditional(&headers, &CaseView::from(&reviews::get(&app.context, &case).await?))
}

/// The rows of a case: as they came, as they are proposed, and why they are held.
#[utoipa::path(get, path = "/reviews/{case}/rows", tag = "reviews", params(("case" = String, Path), PageQuery), responses((status = 200, body = Page<Object>), (status = 404, body = Problem)))]
pub(super) async fn rows(State(app): State<App>, Path(case): Path<String>, Query(query): Query<PageQuery>) -> Result<Response, Problem> {
    let listing = ("rows", &case);
    let after = cursor::decode(&listing, query.cursor.as_deref())?;
    let page = reviews::rows(&app.context, &case, after.as_deref(), cursor::limit(query.limit)).await?;
    Ok(axum::Json(Page { items: page.items, next: cursor::encode(&listing, page.next) }).into_response())
}

/// Marks a case as being worked on.
#[utoipa::path(post, path = "/reviews/{case}/claim", tag = "reviews", params(("case" = String, Path)), responses((status = 200, body = CaseView), (status = 404, body = Problem), (status = 409, body = Problem, description = "Claimed by somebody else, or decided")))]
pub(super) async fn claim(State(app): State<App>, caller: Caller, Path(case): Path<String>) -> Result<axum::Json<CaseView>, Problem> {
    Ok(axum::Json((&reviews::claim(&app.context, &caller.actor(), &case).await?).into()))
}

/// Takes the mark away; an operator takes it from another person, too.
#[utoipa::path(post, path = "/reviews/{case}/release", tag = "reviews", params(("case" = String, Path)), responses((status = 200, body = CaseView), (status = 404, body = Problem), (status = 409, body = Problem, description = "Claimed by somebody else")))]
pub(super) async fn release(State(app): State<App>, caller: Caller, Path(case): Path<String>) -> Result<axum::Json<CaseView>, Problem> {
    let by_force = caller.roles.contains(&Role::Operator);
    Ok(axum::Json((&reviews::release(&app.context, &caller.actor(), &case, by_force).await?).into()))
}

/// Decides the rows of a case.
#[utoipa::path(post, path = "/reviews/{case}/decide", tag = "reviews", params(("case" = String, Path)), request_body = DecisionBody, responses(
    (status = 200, body = CaseView), (status = 404, body = Problem), (status = 409, body = Problem, description = "Decided already, taken by another, or changed since it was seen"),
    (status = 422, body = Problem, description = "Rows that do not fit after their correction, or are sent back without a comment"),
))]
pub(super) async fn decide(
    State(app): State<App>,
    caller: Caller,
    Path(case): Path<String>,
    Json(body): Json<DecisionBody>,
) -> Result<Response, Problem> {
    let rows = body.rows.into_iter().map(|(row, verdict)| (row, verdict.into())).collect();
    let request = DecisionRequest { verdict: body.verdict.into(), rows, comment: body.comment, digest: body.digest };
    let (case, outputs) = reviews::decide(&app.context, &caller.actor(), &case, request).await?;
    Ok(with_messages(outputs, axum::Json(CaseView::from(&case))))
}

/// Decides several cases alike. Those that cannot be decided do not hold up the others.
#[utoipa::path(post, path = "/reviews/decide", tag = "reviews", request_body = BulkDecision, responses((status = 200, body = BulkResult), (status = 400, body = Problem), (status = 422, body = Problem, description = "Sent back without a comment")))]
pub(super) async fn decide_many(State(app): State<App>, caller: Caller, Json(body): Json<BulkDecision>) -> Result<Response, Problem> {
    if body.cases.is_empty() || body.cases.len() > MOST_CASES {
        return Err(Problem::bad_request(format!("cases: expected 1 to {MOST_CASES}, found {}", body.cases.len())));
    }
    if matches!(body.verdict, VerdictView::Correct { .. }) {
        return Err(Problem::bad_request("verdict: expected approve, reject or return; corrections need a case of their own"));
    }
    let verdict = Verdict::from(body.verdict);
    reviews::check_comment([&verdict], &body.comment)?;
    let mut result = BulkResult { decided: Vec::new(), problems: Vec::new() };
    let mut messages = Outputs::none();
    for seen in body.cases {
        let request =
            DecisionRequest { verdict: verdict.clone(), rows: BTreeMap::new(), comment: body.comment.clone(), digest: seen.digest };
        match reviews::decide(&app.context, &caller.actor(), &seen.case_id, request).await {
            Ok((case, outputs)) => {
                messages.0.extend(outputs.0);
                result.decided.push((&case).into());
            }
            Err(error) => {
                let problem = Problem::from(error);
                result.problems.push(PartProblem { id: seen.case_id, code: problem.code, detail: problem.detail, reasons: Vec::new() });
            }
        }
    }
    Ok(with_messages(messages, (StatusCode::OK, axum::Json(result))))
}
