//! `staticwebapp.config.json`, as far as it says how files are served: `globalHeaders`, `routes[].headers`, `navigationFallback`, `mimeTypes`.
//! <https://learn.microsoft.com/azure/static-web-apps/configuration>

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::config::Urls;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    global_headers: BTreeMap<String, Option<String>>,
    routes: Vec<Route>,
    navigation_fallback: Option<Fallback>,
    mime_types: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Route {
    route: String,
    #[serde(default)]
    headers: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Deserialize)]
struct Fallback {
    rewrite: String,
    #[serde(default)]
    exclude: Vec<String>,
}

/// A header to set, or to take away.
type Header = (HeaderName, Option<HeaderValue>);

/// The rules, checked.
#[derive(Debug, Default)]
pub(super) struct Rules {
    global: Vec<Header>,
    routes: Vec<(String, Vec<Header>)>,
    fallback: Option<Fallback>,
    mime_types: BTreeMap<String, HeaderValue>,
}

impl Rules {
    /// Reads the rules. In the values of headers `{api}`, `{issuer}` and `{blob}` stand for the origins of this machine.
    pub(super) fn read(text: &[u8], urls: &Urls) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let headers = |map: &BTreeMap<String, Option<String>>| {
            map.iter().map(|(name, value)| header(name, value.as_deref(), urls)).collect::<Result<Vec<_>, _>>()
        };
        let mime = |(extension, mime): (&String, &String)| {
            let value = HeaderValue::try_from(mime).map_err(|_| format!("mimeTypes.{extension}: {mime:?} cannot be a header"))?;
            Ok((extension.trim_start_matches('.').to_ascii_lowercase(), value))
        };
        Ok(Self {
            global: headers(&document.global_headers)?,
            routes: document
                .routes
                .iter()
                .map(|route| Ok((route.route.clone(), headers(&route.headers)?)))
                .collect::<Result<_, String>>()?,
            mime_types: document.mime_types.iter().map(mime).collect::<Result<_, String>>()?,
            fallback: document.navigation_fallback,
        })
    }

    /// What is served where a path names no file.
    pub(super) fn fallback(&self, path: &str) -> Option<&str> {
        let fallback = self.fallback.as_ref()?;
        let is_excluded = fallback.exclude.iter().any(|pattern| matches(pattern, path));
        (!is_excluded).then_some(fallback.rewrite.as_str())
    }

    /// Sets the headers: those of all pages, then those of the first route that takes the path.
    pub(super) fn decorate(&self, path: &str, headers: &mut HeaderMap) {
        let of_route = self.routes.iter().find(|(route, _)| matches(route, path)).map(|(_, headers)| headers.as_slice());
        for (name, value) in self.global.iter().chain(of_route.unwrap_or_default()) {
            match value {
                Some(value) => headers.insert(name.clone(), value.clone()),
                None => headers.remove(name),
            };
        }
    }

    /// The content type of a file.
    pub(super) fn mime_type(&self, file: &Path) -> HeaderValue {
        let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if let Some(own) = self.mime_types.get(&extension) {
            return own.clone();
        }
        HeaderValue::from_static(match extension.as_str() {
            "html" => "text/html; charset=utf-8",
            "js" | "mjs" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" | "map" => "application/json",
            "webmanifest" => "application/manifest+json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "ico" => "image/x-icon",
            "jpg" | "jpeg" => "image/jpeg",
            "webp" => "image/webp",
            "woff2" => "font/woff2",
            "wasm" => "application/wasm",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        })
    }
}

/// An empty value takes a header away.
fn header(name: &str, value: Option<&str>, urls: &Urls) -> Result<Header, String> {
    let known = HeaderName::try_from(name).map_err(|_| format!("{name:?} cannot be the name of a header"))?;
    let value = value.filter(|value| !value.is_empty()).map(|value| {
        let blob = urls.blob.as_deref().map(origin).unwrap_or_default();
        let filled = value.replace("{api}", &urls.http).replace("{issuer}", &urls.issuer).replace("{blob}", blob);
        HeaderValue::try_from(filled).map_err(|_| format!("{name}: {value:?} cannot be the value of a header"))
    });
    Ok((known, value.transpose()?))
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let path = url.find("://").and_then(|scheme| url[scheme + 3..].find('/').map(|at| scheme + 3 + at));
    path.map_or(url, |at| &url[..at])
}

/// Whether a path is that of a rule: the same, or with a `*` at its end, which can be followed by file extensions (`*.png`, `*.{png,jpg}`).
fn matches(pattern: &str, path: &str) -> bool {
    let Some((prefix, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(below) = path.strip_prefix(prefix) else { return false };
    if rest.is_empty() {
        return true;
    }
    let Some(extensions) = rest.strip_prefix('.') else { return false };
    let extensions = extensions.strip_prefix('{').and_then(|list| list.strip_suffix('}')).unwrap_or(extensions);
    let Some((_, found)) = below.rsplit_once('.') else { return false };
    extensions.split(',').any(|extension| extension.trim() == found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_static_web_apps() {
        for (pattern, path, expected) in [
            ("/about", "/about", true),
            ("/about", "/about/us", false),
            ("/assets/*", "/assets/js/a.js", true),
            ("/assets/*", "/asset", false),
            ("*", "/whatever", true),
            ("/images/*.{png,jpg}", "/images/a/b.jpg", true),
            ("/images/*.{png,jpg}", "/images/a.gif", false),
            ("*.css", "/deep/a.css", true),
            ("*.css", "/deep/css", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(origin("http://127.0.0.1:9/account"), "http://127.0.0.1:9");
        assert_eq!(origin("http://127.0.0.1:9"), "http://127.0.0.1:9");
    }
}
