use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

struct Served {
    url: String,
    server: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn urls() -> Urls {
    Urls {
        http: "http://127.0.0.1:1".into(),
        cosmos: "http://127.0.0.1:2".into(),
        issuer: "http://127.0.0.1:3".into(),
        blob: Some("http://127.0.0.1:4/account".into()),
        site: None,
    }
}

fn rules() -> Value {
    json!({
        "globalHeaders": { "Content-Security-Policy": "connect-src 'self' {api} {issuer} {blob}", "X-Content-Type-Options": "nosniff" },
        "routes": [{ "route": "/assets/*", "headers": { "Cache-Control": "public, max-age=31536000, immutable" } }],
        "navigationFallback": { "rewrite": "/index.html", "exclude": ["/assets/*", "*.{png,ico}"] },
        "mimeTypes": { ".md": "text/markdown" },
    })
}

fn folder(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("dist/assets")).unwrap();
    for (name, content) in [
        ("secret", "no"),
        ("dist/index.html", "<h1>app"),
        ("dist/assets/app.js", "js"),
        ("dist/readme.md", "#"),
        ("dist/staticwebapp.config.json", rules),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

async fn serve_site() -> Served {
    let folder = folder(&rules().to_string());
    let config =
        SiteConfig { folder: folder.path().join("dist"), port: 0, config: json!({ "api": "{http_url}/api", "issuer": "{issuer_url}" }) };
    let site = Site::open(&config, &urls()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, site.router()).await.unwrap() });
    Served { url, server, _folder: folder }
}

async fn get(served: &Served, path: &str) -> (u16, HeaderMap, String) {
    let response = reqwest::get(format!("{}{path}", served.url)).await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

#[tokio::test]
async fn files_are_served_with_the_headers_of_the_rules() {
    let served = serve_site().await;
    let (status, headers, text) = get(&served, "/").await;
    assert_eq!((status, text.as_str(), &headers["content-type"]), (200, "<h1>app", &HeaderValue::from_static("text/html; charset=utf-8")));
    assert_eq!(headers["content-security-policy"], "connect-src 'self' http://127.0.0.1:1 http://127.0.0.1:3 http://127.0.0.1:4");
    assert_eq!(
        (&headers["x-content-type-options"], &headers["cache-control"]),
        (&"nosniff".parse().unwrap(), &"no-cache".parse().unwrap())
    );
    let (_, headers, _) = get(&served, "/assets/app.js").await;
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(get(&served, "/readme.md").await.1["content-type"], "text/markdown");
    let (_, headers, text) = get(&served, "/config.json").await;
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({ "api": "http://127.0.0.1:1/api", "issuer": "http://127.0.0.1:3" }));
}

#[tokio::test]
async fn a_path_of_the_app_is_its_page_and_a_missing_file_is_missing() {
    let served = serve_site().await;
    for path in ["/runs/s-1", "/reviews?mine=true", "/a.b"] {
        let (status, _, text) = get(&served, path).await;
        assert_eq!((status, text.as_str()), (200, "<h1>app"), "{path}");
    }
    for path in ["/assets/gone.js", "/favicon.ico"] {
        let (status, headers, _) = get(&served, path).await;
        assert_eq!(status, 404, "{path}");
        assert!(headers.contains_key("content-security-policy"), "a page of errors is guarded, too");
    }
    let posted = reqwest::Client::new().post(&served.url).send().await.unwrap();
    assert_eq!(posted.status().as_u16(), 405);
    let head = reqwest::Client::new().head(&served.url).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
}

#[tokio::test]
async fn nothing_outside_of_the_folder_is_served() {
    let served = serve_site().await;
    for path in ["/..%2fsecret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "/%2fetc/passwd", "/staticwebapp.config.json"] {
        let (_, _, text) = get(&served, path).await;
        assert!(text == "<h1>app" || text.starts_with("There is no"), "{path}: {text}");
    }
}

#[test]
fn rules_that_cannot_be_read_are_told_at_the_start() {
    for wrong in ["{", r#"{"globalHeaders":{"a b":"c"}}"#, r#"{"globalHeaders":{"A":"x\ny"}}"#] {
        let folder = folder(wrong);
        let config = SiteConfig { folder: folder.path().join("dist"), port: 0, config: json!({}) };
        let error = Site::open(&config, &urls()).unwrap_err();
        assert!(error.to_string().contains("staticwebapp.config.json"), "{error}");
    }
}
