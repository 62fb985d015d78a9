//! The HTTP API: one router for all resources, described by OpenAPI 3.1.

mod changes;
pub mod cursor;
mod drafts;
mod etag;
mod extract;
pub mod health;
mod idempotency;
mod openapi;
mod parameters;
mod pipelines;
pub mod problem;
mod reviews;
mod rows;
mod runs;
mod submissions;
mod summary;
mod tables;
mod time;

use axum::{Router, extract::DefaultBodyLimit, http::Uri, middleware};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

use crate::{app::App, auth::access};
use problem::Problem;

/// Most bytes of a body: a form, a decision, a pipeline.
const MOST_BYTES: usize = 2 << 20;
/// Most bytes of a dry run's body: texts and a sample.
const MOST_SAMPLE_BYTES: usize = 32 << 20;
/// Most bytes of the body with which a file is tried before it is sent: 4 MiB in base64.
const MOST_FILE_SAMPLE_BYTES: usize = 6 << 20;
/// Most bytes of a reference table.
const MOST_TABLE_BYTES: usize = 64 << 20;

/// A page of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// Items.
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which page of a listing.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Items of a page, 200 at most.
    limit: Option<usize>,
}

/// The routes and their description, in one.
fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Description::openapi())
        .routes(routes!(health::health))
        .routes(routes!(openapi::openapi))
        .routes(routes!(submissions::list, submissions::grant))
        .routes(routes!(submissions::dry_run::dry_run).layer(DefaultBodyLimit::max(MOST_FILE_SAMPLE_BYTES)))
        .routes(routes!(submissions::get))
        .routes(routes!(submissions::receipt))
        .routes(routes!(submissions::rejected))
        .routes(routes!(runs::list))
        .routes(routes!(runs::get))
        .routes(routes!(runs::timeline))
        .routes(routes!(runs::report))
        .routes(routes!(runs::audit))
        .routes(routes!(runs::chunks))
        .routes(routes!(runs::reprocess))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::resume))
        .routes(routes!(changes::changes))
        .routes(routes!(summary::summary))
        .routes(routes!(reviews::list))
        .routes(routes!(reviews::get))
        .routes(routes!(reviews::rows))
        .routes(routes!(reviews::claim))
        .routes(routes!(reviews::release))
        .routes(routes!(reviews::decide))
        .routes(routes!(reviews::decide_many))
        .routes(routes!(reviews::desk::try_rows))
        .routes(routes!(reviews::desk::comment))
        .routes(routes!(reviews::desk::assign))
        .routes(routes!(reviews::desk::undo))
        .routes(routes!(pipelines::list))
        .routes(routes!(pipelines::get, pipelines::put))
        .routes(routes!(pipelines::versions))
        .routes(routes!(pipelines::version))
        .routes(routes!(pipelines::compare))
        .routes(routes!(drafts::get, drafts::put, drafts::delete))
        .routes(routes!(drafts::approve))
        .routes(routes!(pipelines::dry_run).layer(DefaultBodyLimit::max(MOST_SAMPLE_BYTES)))
        .routes(routes!(parameters::get, parameters::put))
        .routes(routes!(tables::list))
        .routes(routes!(tables::get))
        .routes(routes!(tables::put).layer(DefaultBodyLimit::max(MOST_TABLE_BYTES)))
        .routes(routes!(rows::explain))
}

/// The description as JSON text.
pub fn description() -> String {
    let (_, description) = operations().split_for_parts();
    openapi::complete(&description)
}

/// The router, its paths without the route prefix.
pub fn router(app: App) -> Router {
    let (router, _) = operations().split_for_parts();
    router
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .route_layer(middleware::from_fn_with_state(app.clone(), idempotency::check))
        .route_layer(middleware::from_fn_with_state(app.clone(), access::check))
        .fallback(|uri: Uri| async move { Problem::not_found(uri.path()) })
        .with_state(app)
}
