//! The Cosmos DB emulator of Microsoft's driver, hosted over HTTP.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use azure_core::http::{Method, Request as SdkRequest, Url};
use azure_data_cosmos_driver::in_memory_emulator::{ConsistencyLevel, InMemoryEmulatorHttpClient, VirtualAccountConfig, VirtualRegion};
use futures::TryStreamExt;
use tokio::{net::TcpListener, task::JoinHandle};

/// Runs until it is dropped.
pub(crate) struct Cosmos {
    server: JoinHandle<()>,
    pub(crate) endpoint: String,
}

#[derive(Clone)]
struct Host {
    emulator: Arc<InMemoryEmulatorHttpClient>,
    base: Url,
}

impl Cosmos {
    /// Starts an empty account at a free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let base: Url = endpoint.parse().expect("the address makes a URL");
        let region = VirtualRegion::new("East US", base.clone());
        let account =
            VirtualAccountConfig::new(vec![region]).expect("one region is an account").with_consistency(ConsistencyLevel::Session);
        let host = Host { emulator: Arc::new(InMemoryEmulatorHttpClient::new(account)), base };
        let router = Router::new().fallback(answer).with_state(host);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("the emulator serves until it is dropped") });
        Self { server, endpoint }
    }
}

impl Drop for Cosmos {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(host): State<Host>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let url = host.base.join(path).expect("a request path joins to the base");
    let method: Method = parts.method.as_str().parse().expect("the SDK sends known methods");
    let mut forwarded = SdkRequest::new(url, method);
    for (name, value) in &parts.headers {
        forwarded.insert_header(name.as_str().to_owned(), value.to_str().expect("the SDK sends text headers").to_owned());
    }
    let bytes: Vec<u8> = body
        .into_data_stream()
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
        .expect("the SDK sends its whole body");
    forwarded.set_body(bytes);
    let answer = host.emulator.execute_request(&forwarded).await.expect("the emulator answers");
    let answer = answer.try_into_raw_response().await.expect("the answer is complete");
    let mut response = Response::new(Body::from(answer.body().as_ref().to_vec()));
    *response.status_mut() = StatusCode::from_u16(u16::from(answer.status())).expect("the status is valid");
    for (name, value) in answer.headers().iter() {
        let name: HeaderName = name.as_str().parse().expect("the header's name is valid");
        response.headers_mut().insert(name, HeaderValue::from_str(value.as_str()).expect("the header's value is valid"));
    }
    response
}
