//! A static web app, served as Azure Static Web Apps does: files of a folder, with the headers and the fallback of its
//! `staticwebapp.config.json`.

mod rules;

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::config::{SiteConfig, Urls};
use crate::error::StartError;
use crate::percent;
use rules::Rules;

/// The configuration, which Azure does not serve either.
const RULES_FILE: &str = "staticwebapp.config.json";
/// What the web app asks for to learn where it is.
const CONFIG_PATH: &str = "/config.json";
const INDEX: &str = "index.html";

/// The site.
#[derive(Debug)]
pub(crate) struct Site {
    folder: PathBuf,
    rules: Rules,
    config: String,
}

impl Site {
    /// Reads the rules. Files are read anew for every request, so that a new build is served at once.
    pub(crate) fn open(site: &SiteConfig, urls: &Urls) -> Result<Arc<Self>, StartError> {
        let folder = std::path::absolute(&site.folder).map_err(StartError::state(&site.folder))?;
        let path = folder.join(RULES_FILE);
        let rules = match std::fs::read(&path) {
            Ok(text) => Rules::read(&text, urls).map_err(|reason| StartError::Site { path, reason })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Rules::default(),
            Err(error) => return Err(StartError::state(path)(error)),
        };
        Ok(Arc::new(Self { folder, rules, config: urls.fill(&site.config.to_string()) }))
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(serve).with_state(self)
    }

    /// The file of a path, or what the rules give in its place.
    async fn find(&self, path: &str) -> Option<(PathBuf, Vec<u8>)> {
        if let Some(found) = self.read(path).await {
            return Some(found);
        }
        self.read(self.rules.fallback(path)?).await
    }

    async fn read(&self, path: &str) -> Option<(PathBuf, Vec<u8>)> {
        let relative = path.trim_start_matches('/');
        let is_inside = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || relative.contains(['\\', '\0']) || relative == RULES_FILE {
            return None;
        }
        let mut file = self.folder.join(relative);
        if tokio::fs::metadata(&file).await.ok()?.is_dir() {
            file.push(INDEX);
        }
        let content = tokio::fs::read(&file).await.ok()?;
        Some((file, content))
    }
}

async fn serve(State(site): State<Arc<Site>>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let path = percent::decode(request.uri().path());
    let mut response = if path == CONFIG_PATH {
        answer(site.config.clone().into_bytes(), HeaderValue::from_static("application/json"))
    } else {
        match site.find(&path).await {
            Some((file, content)) => answer(content, site.rules.mime_type(&file)),
            None => (StatusCode::NOT_FOUND, "There is no such page.\n").into_response(),
        }
    };
    site.rules.decorate(&path, response.headers_mut());
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

fn answer(content: Vec<u8>, mime_type: HeaderValue) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, mime_type);
    // The next build has other files under the same names; a rule may say otherwise.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    (headers, content).into_response()
}

#[cfg(test)]
mod tests;
