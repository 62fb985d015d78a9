//! One invocation: request, response, outputs, log.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::broker::Broker;
use crate::envelope::{HttpResult, Routed, interpret, route};
use crate::functions::{App, Function};
use crate::invocations::{InvocationLog, Outcome};
use crate::worker::{Endpoint, Worker};

/// The version that this imitation follows; a handler sees it in `X-Azure-Functions-HostVersion`.
pub(crate) const HOST_VERSION: &str = "4.1036.0";

/// Header that carries the invocation's id.
pub(crate) const INVOCATION_ID: &str = "X-Azure-Functions-InvocationId";

/// Largest response that is read, in bytes: what the host allows a request to be.
const RESPONSE_LIMIT: usize = 104_857_600;

/// How long a broken connection waits for news of the handler's death. A handler that lives on has closed the
/// connection itself; its invocation then fails this much later.
const DEATH_IS_NOTICED: Duration = Duration::from_millis(250);

/// Runs functions in the handler.
#[derive(Debug)]
pub(crate) struct Invoker {
    pub(crate) app: Arc<App>,
    pub(crate) worker: Arc<Worker>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) log: Arc<InvocationLog>,
    pub(crate) client: reqwest::Client,
}

/// A response of the handler, read to its end.
struct Answer {
    status: u16,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl Invoker {
    /// Runs a function on an envelope; the error is what the invocation log says too.
    pub(crate) async fn invoke(
        &self,
        function: &Function,
        trigger: &'static str,
        delivery_count: Option<u32>,
        envelope: &Value,
    ) -> Result<Option<HttpResult>, String> {
        let id = self.log.start(&function.name, trigger, delivery_count);
        let mut running = Running { log: &self.log, id: Some(id.clone()) };
        let mut logs = Vec::new();
        let result = self.run(function, &id, envelope, &mut logs).await;
        running.id = None;
        let http_status = result.as_ref().ok().and_then(Option::as_ref).map(|http| http.status);
        self.log.finish(&id, Outcome { error: result.as_ref().err().cloned(), http_status, logs });
        result
    }

    async fn run(&self, function: &Function, id: &str, envelope: &Value, logs: &mut Vec<String>) -> Result<Option<HttpResult>, String> {
        let answer = match self.app.host.function_timeout {
            None => self.post(function, id, envelope).await?,
            Some(limit) => {
                let Ok(answer) = tokio::time::timeout(limit, self.post(function, id, envelope)).await else {
                    self.worker.kill_for_timeout();
                    return Err(timed_out(limit));
                };
                answer?
            }
        };
        let mut returned = interpret(answer.status, answer.content_type.as_deref(), &answer.body)?;
        *logs = std::mem::take(&mut returned.logs);
        let Routed { messages, http, ignored } = route(function, returned)?;
        for name in ignored {
            logs.push(format!("devhost: output \"{name}\" is named by no binding of {} and was dropped", function.name));
        }
        for (queue, bodies) in messages {
            self.broker.send(&queue, bodies).await.map_err(|error| format!("output to queue {queue}: {error}"))?;
        }
        Ok(http)
    }

    async fn post(&self, function: &Function, id: &str, envelope: &Value) -> Result<Answer, String> {
        let body = serde_json::to_vec(envelope).map_err(|error| format!("cannot write the request as JSON: {error}"))?;
        let body = bytes::Bytes::from(body);
        let mut endpoint = self.worker.ready().await.map_err(|error| error.to_string())?;
        let mut response = loop {
            let request = self
                .client
                .post(format!("http://127.0.0.1:{}/{}", endpoint.port, function.name))
                .header(INVOCATION_ID, id)
                .header("X-Azure-Functions-HostVersion", HOST_VERSION)
                .header("User-Agent", format!("Azure-Functions-Host/{HOST_VERSION}"))
                .header("Content-Type", "application/json; charset=utf-8")
                .body(body.clone());
            match request.send().await {
                Ok(response) => break response,
                Err(error) if error.is_connect() => endpoint = self.restarted(endpoint).await?,
                Err(error) => return Err(self.lost(endpoint, &error).await),
            }
        };
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => return Err(self.lost(endpoint, &error).await),
            };
            if body.len() + chunk.len() > RESPONSE_LIMIT {
                return Err(format!("the response is over {RESPONSE_LIMIT} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, content_type, body })
    }

    /// Nothing listened: the handler never saw the request, so it may be sent again once the handler is back.
    pub(crate) async fn restarted(&self, dead: Endpoint) -> Result<Endpoint, String> {
        self.worker.ready_after(dead).await.map_err(|error| error.to_string())
    }
}

impl Invoker {
    /// What is said of an invocation whose connection broke. If the handler died, its supervisor hears of it a moment
    /// later; until then the message must not come back, or it would be delivered to the dead over and over.
    async fn lost(&self, endpoint: Endpoint, error: &reqwest::Error) -> String {
        let _ = tokio::time::timeout(DEATH_IS_NOTICED, self.worker.left(endpoint)).await;
        lost(error)
    }
}

pub(crate) fn timed_out(limit: Duration) -> String {
    format!("ran longer than functionTimeout ({limit:?}); the host killed the handler, and with it every other invocation")
}

pub(crate) fn lost(error: &reqwest::Error) -> String {
    let mut text = String::from("the handler ended the connection before it had answered (crashed or killed?)");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Sees to it that an invocation whose caller went away does not stay "running" for ever.
pub(crate) struct Running<'a> {
    pub(crate) log: &'a InvocationLog,
    pub(crate) id: Option<String>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.log.finish(&id, Outcome { error: Some("the caller went away, or devhost was stopped".into()), ..Outcome::default() });
        }
    }
}
