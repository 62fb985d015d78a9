//! Reference tables: CSV texts that pipelines look values up in, stored by their content.

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};
use serde::Serialize;
use sluice_flow::pipelines::{self, ReferenceTable};
use utoipa::ToSchema;

use super::{
    etag,
    extract::{Path, Precondition},
    pipelines::tagged,
    problem::Problem,
};
use crate::{app::App, auth::Caller};

/// The newest content of a reference table.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TableView {
    /// Name.
    name: String,
    /// Column names.
    columns: Vec<String>,
    /// Rows.
    rows: u64,
    /// Where it is stored; the name tells its BLAKE3.
    blob: String,
    /// RFC 3339 UTC.
    updated_at: String,
    /// Object id of who stored it.
    updated_by: String,
}

impl From<ReferenceTable> for TableView {
    fn from(t: ReferenceTable) -> Self {
        Self {
            name: t.name,
            columns: t.columns,
            rows: t.rows,
            blob: t.blob.to_string(),
            updated_at: t.updated_at,
            updated_by: t.updated_by,
        }
    }
}

/// The content's hash: the file name of its blob.
fn tag(table: &ReferenceTable) -> String {
    let name = table.blob.path.rsplit('/').next().unwrap_or_default();
    format!("\"{}\"", name.trim_end_matches(".csv"))
}

/// All reference tables.
#[utoipa::path(get, path = "/tables", tag = "tables", responses((status = 200, body = [TableView])))]
pub(super) async fn list(State(app): State<App>) -> Result<axum::Json<Vec<TableView>>, Problem> {
    Ok(axum::Json(pipelines::tables(&app.context).await?.into_iter().map(Into::into).collect()))
}

/// A reference table, without its rows; its `ETag` is what `If-Match` takes.
#[utoipa::path(get, path = "/tables/{name}", tag = "tables", params(("name" = String, Path), ("If-None-Match" = Option<String>, Header, description = "`ETag` of the content as it is known")), responses((status = 200, body = TableView), (status = 304, description = "Not changed"), (status = 404, body = Problem)))]
pub(super) async fn get(State(app): State<App>, headers: HeaderMap, Path(name): Path<String>) -> Result<Response, Problem> {
    let table = pipelines::tables(&app.context).await?.into_iter().find(|table| table.name == name);
    let table = table.ok_or_else(|| Problem::not_found("this table"))?;
    Ok(etag::unless_known(&headers, tagged(&tag(&table), axum::Json(TableView::from(table)))))
}

/// Stores a reference table for runs that start from now on.
#[utoipa::path(put, path = "/tables/{name}", tag = "tables",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header, description = "`ETag` of the content that was stored before"), ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none")),
    request_body(content = String, content_type = "text/csv", description = "CSV with a header, UTF-8"),
    responses((status = 200, body = TableView), (status = 412, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    precondition: Option<Precondition>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Problem> {
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv") {
        let status = axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "H0415", "expected Content-Type: text/csv"));
    }
    let body = body.map_err(|rejection| Problem::of_status(rejection.status(), rejection.body_text()))?;
    if let Some(precondition) = precondition {
        let tables = pipelines::tables(&app.context).await?;
        precondition.check(tables.iter().find(|table| table.name == name).map(tag).as_deref())?;
    }
    let table = pipelines::put_table(&app.context, &caller.id, &name, body).await?;
    let tag = tag(&table);
    Ok(tagged(&tag, axum::Json(TableView::from(table))))
}
