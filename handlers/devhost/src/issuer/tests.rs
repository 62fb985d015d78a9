use std::os::unix::fs::PermissionsExt;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tokio::net::TcpListener;

use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn principal(kind: PrincipalKind, client_id: &str, role: &str) -> Principal {
    Principal {
        kind,
        client_id: client_id.into(),
        client_secret: if kind == PrincipalKind::Service { "s3cret".into() } else { String::new() },
        name: format!("<{client_id}>"),
        oid: format!("oid-{client_id}"),
        roles: vec![role.into()],
        claims: serde_json::Map::from_iter([("partner".to_owned(), "skyline".into())]),
    }
}

struct Served {
    dir: tempfile::TempDir,
    url: String,
    client: reqwest::Client,
}

async fn serve() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let people = vec![principal(PrincipalKind::Service, "loader", "Partner"), principal(PrincipalKind::Person, "ann", "Reviewer")];
    let issuer = Issuer::open(dir.path(), url.clone(), "api://x".into(), "tenant".into(), Duration::from_mins(1), people).unwrap();
    tokio::spawn(async move { axum::serve(listener, issuer.router()).await });
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Served { dir, url, client }
}

impl Served {
    async fn claims(&self, token: &str, audience: &str) -> Value {
        let discovery: Value =
            self.client.get(format!("{}/.well-known/openid-configuration", self.url)).send().await.unwrap().json().await.unwrap();
        let keys: Value = self.client.get(discovery["jwks_uri"].as_str().unwrap()).send().await.unwrap().json().await.unwrap();
        let jwk: Jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
        assert_eq!(jsonwebtoken::decode_header(token).unwrap().kid, jwk.common.key_id);
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[&self.url]);
        jsonwebtoken::decode(token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap().claims
    }

    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let response = self.client.post(format!("{}{TOKEN}", self.url)).form(form).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn a_service_gets_a_token_for_its_secret() {
    let served = serve().await;
    let (status, body) = served.token(&[("grant_type", "client_credentials"), ("client_id", "loader"), ("client_secret", "s3cret")]).await;
    assert_eq!(status, 200, "{body}");
    let claims = served.claims(body["access_token"].as_str().unwrap(), "api://x").await;
    for (name, value) in [
        ("oid", "oid-loader"),
        ("sub", "oid-loader"),
        ("tid", "tenant"),
        ("azp", "loader"),
        ("ver", "2.0"),
        ("idtyp", "app"),
        ("partner", "skyline"),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["roles"], json!(["Partner"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);

    let (status, body) = served.token(&[("grant_type", "client_credentials"), ("client_id", "loader"), ("client_secret", "wrong")]).await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
    let (status, _) = served.token(&[("grant_type", "client_credentials"), ("client_id", "ann"), ("client_secret", "")]).await;
    assert_eq!(status, 401, "a person has no secret");
    let basic = served.client.post(format!("{}{TOKEN}", served.url)).basic_auth("loader", Some("s3cret"));
    assert_eq!(basic.form(&[("grant_type", "client_credentials")]).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_person_signs_in_with_a_code_that_works_once() {
    let served = serve().await;
    let redirect_uri = "http://localhost:5173/callback";
    let request = [
        ("client_id", "web"),
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("response_mode", "fragment"),
        ("scope", "openid offline_access api://x/Review"),
        ("state", "a&b"),
        ("nonce", "n1"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    let page = served.client.get(format!("{}{AUTHORIZE}", served.url)).query(&request).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("value=1>&lt;ann&gt;</button>") && !page.contains("loader"), "{page}");
    let mut form = request.to_vec();
    form.push(("person", "1"));
    let answer = served.client.post(format!("{}{AUTHORIZE}", served.url)).form(&form).send().await.unwrap();
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let answer: std::collections::HashMap<_, _> =
        url::form_urlencoded::parse(location.fragment().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(answer["state"], "a&b");

    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &answer["code"]),
        ("client_id", "web"),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let (status, body) = served.token(&redeem).await;
    assert_eq!(status, 200, "{body}");
    let access = served.claims(body["access_token"].as_str().unwrap(), "api://x").await;
    assert_eq!((&access["roles"], &access["scp"], &access["azp"]), (&json!(["Reviewer"]), &json!("Review"), &json!("web")));
    let identity = served.claims(body["id_token"].as_str().unwrap(), "web").await;
    assert_eq!((&identity["nonce"], &identity["preferred_username"]), (&json!("n1"), &json!("ann")));
    assert_eq!(served.token(&redeem).await.1["error"], "invalid_grant", "the code is used");

    let refresh = [("grant_type", "refresh_token"), ("refresh_token", body["refresh_token"].as_str().unwrap()), ("client_id", "web")];
    assert_eq!(served.token(&refresh).await.0, 200);
    assert_eq!(served.token(&refresh).await.0, 400, "the refresh token is used");
}

#[tokio::test]
async fn a_wrong_verifier_or_a_foreign_address_gets_nothing() {
    let served = serve().await;
    let grant = |redirect_uri: &str| {
        vec![
            ("client_id".to_owned(), "web".to_owned()),
            ("redirect_uri".to_owned(), redirect_uri.to_owned()),
            ("response_type".to_owned(), "code".to_owned()),
            ("code_challenge".to_owned(), tokens::challenge(VERIFIER)),
            ("code_challenge_method".to_owned(), "S256".to_owned()),
            ("person".to_owned(), "1".to_owned()),
        ]
    };
    let foreign = served.client.post(format!("{}{AUTHORIZE}", served.url)).form(&grant("https://evil.example/")).send().await.unwrap();
    assert_eq!(foreign.status(), 400);
    let answer = served.client.post(format!("{}{AUTHORIZE}", served.url)).form(&grant("http://127.0.0.1:1/")).send().await.unwrap();
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let (status, body) = served
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("client_id", "web"),
            ("redirect_uri", "http://127.0.0.1:1/"),
            ("code_verifier", "guess"),
        ])
        .await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn the_key_is_kept_and_is_the_owners_alone() {
    let served = serve().await;
    let path = served.dir.path().join("issuer-key.pem");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = SigningKey::open(&path).unwrap();
    let second = SigningKey::open(&path).unwrap();
    assert_eq!(first.public(), second.public());
    std::fs::write(&path, "nonsense").unwrap();
    assert!(matches!(SigningKey::open(&path), Err(StartError::IssuerKey { .. })));
}
