//! The API's own description, made from the handlers themselves. `docs/api/openapi.json` is its checked-in copy.

use axum::{
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

/// Names each operation after its resource and its function, such as `runs.list`: an id stands for one operation (OpenAPI 3.1.1, 4.8.10.1),
/// and the names of functions repeat.
pub(super) fn name_operations(openapi: &mut utoipa::openapi::OpenApi) {
    for item in openapi.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            if let (Some(tag), Some(function)) = (operation.tags.iter().flatten().next(), &operation.operation_id) {
                operation.operation_id = Some(format!("{tag}.{function}"));
            }
        }
    }
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "openapi", security(()), responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
pub(super) async fn openapi() -> Response {
    let mut response = super::description().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
