//! The API's own description, made from the handlers themselves. `docs/api/openapi.json` is its checked-in copy.

use std::sync::LazyLock;

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Server,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

mod complete;

pub(super) use complete::complete;

use super::problem::{Mistake, PartProblem, Problem, ProblemType};
use crate::server::ROUTE_PREFIX;

/// Everything of the description that belongs to no single operation.
#[derive(OpenApi)]
#[openapi(
    info(title = "Sluice", description = "Data intake: upload grants, runs, reviews, pipelines."),
    components(schemas(Problem, ProblemType, Mistake, PartProblem)),
    security(("token" = [])),
    modifiers(&Common),
)]
pub(super) struct Description;

struct Common;

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        env!("CARGO_PKG_VERSION").clone_into(&mut openapi.info.version);
        openapi.servers = Some(vec![Server::new(ROUTE_PREFIX)]);
        let token = SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build());
        openapi.components.get_or_insert_default().add_security_scheme("token", token);
    }
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "openapi", security(()), responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
pub(super) async fn openapi() -> Response {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| super::description().into());
    let mut response = Body::from(TEXT.clone()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
