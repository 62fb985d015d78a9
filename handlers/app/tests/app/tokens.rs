//! Access tokens: only what the issuer signed for us, now, is accepted.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    harness::{AUDIENCE, Harness},
    issuer::{Issuer, merge},
};

async fn status(harness: &Harness, token: &str) -> u16 {
    harness.call("GET", "/runs", Some(token), None).await.status.as_u16()
}

fn claims(harness: &Harness, more: &Value) -> Value {
    let now = harness.now();
    let mut claims =
        json!({ "iss": harness.issuer.url, "aud": AUDIENCE, "exp": now + 3600, "nbf": now, "oid": "oid-1", "roles": ["Operator"] });
    merge(&mut claims, more);
    claims
}

fn header(more: &Value) -> Value {
    let mut header = json!({ "alg": "RS256", "typ": "JWT", "kid": "key-0" });
    merge(&mut header, more);
    header
}

#[tokio::test]
async fn a_good_token_is_accepted_and_times_have_a_minute_of_leeway() {
    let harness = Harness::start().await;
    let now = harness.now();
    for more in
        [json!({}), json!({ "exp": now - 59 }), json!({ "nbf": now + 60 }), json!({ "nbf": null }), json!({ "aud": ["other", AUDIENCE] })]
    {
        let token = Issuer::sign(0, &header(&json!({})), &claims(&harness, &more));
        assert_eq!(status(&harness, &token).await, 200, "{more}");
    }
}

#[tokio::test]
async fn every_flaw_of_a_token_is_refused() {
    let harness = Harness::start().await;
    let now = harness.now();
    let flawed_claims = [
        json!({ "exp": now - 60 }),
        json!({ "exp": null }),
        json!({ "exp": "soon" }),
        json!({ "nbf": now + 61 }),
        json!({ "iss": "https://login.example/other" }),
        json!({ "iss": null }),
        json!({ "aud": "api://other" }),
        json!({ "aud": null }),
        json!({ "oid": null }),
    ];
    for more in flawed_claims {
        let token = Issuer::sign(0, &header(&json!({})), &claims(&harness, &more));
        assert_eq!(status(&harness, &token).await, 401, "{more}");
    }
    for more in [
        json!({ "kid": null }),
        json!({ "kid": "nobody's" }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS512" }),
    ] {
        let token = Issuer::sign(0, &header(&more), &claims(&harness, &json!({})));
        assert_eq!(status(&harness, &token).await, 401, "{more}");
    }
    let good = Issuer::sign(0, &header(&json!({})), &claims(&harness, &json!({})));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other_key = Issuer::sign(1, &header(&json!({})), &claims(&harness, &json!({})));
    for token in [signed, &format!("{signed}."), &format!("{signed}.{}", &signature[..40]), &other_key, "x", "", "a.b.c"] {
        assert_eq!(status(&harness, token).await, 401);
    }
    assert_eq!(status(&harness, &good).await, 200);
}

#[tokio::test]
async fn a_key_that_is_new_at_the_issuer_is_found_and_unknown_ids_do_not_flood_it() {
    let harness = Harness::start().await;
    let old = Issuer::sign(0, &header(&json!({})), &claims(&harness, &json!({})));
    assert_eq!(status(&harness, &old).await, 200);
    assert_eq!(harness.issuer.requests(), 1);
    for n in 0..20 {
        let token = Issuer::sign(0, &header(&json!({ "kid": format!("made-up-{n}") })), &claims(&harness, &json!({})));
        assert_eq!(status(&harness, &token).await, 401);
    }
    assert_eq!(harness.issuer.requests(), 1, "unknown key ids right after a request must wait");
    assert_eq!(status(&harness, &old).await, 200);
}

#[tokio::test]
async fn a_rotated_key_is_found_after_the_least_interval() {
    let harness = Harness::start().await;
    let old = Issuer::sign(0, &header(&json!({})), &claims(&harness, &json!({})));
    assert_eq!(status(&harness, &old).await, 200);
    harness.issuer.rotate();
    harness.clock.advance(TimeDelta::seconds(31));
    let new = Issuer::sign(1, &header(&json!({ "kid": "key-1" })), &claims(&harness, &json!({})));
    assert_eq!(status(&harness, &new).await, 200);
    assert_eq!(harness.issuer.requests(), 2);
}

#[tokio::test]
async fn an_expired_session_ends_although_its_key_is_cached() {
    let harness = Harness::start().await;
    let token = harness.token("Operator");
    assert_eq!(status(&harness, &token).await, 200);
    harness.clock.advance(TimeDelta::seconds(3660));
    assert_eq!(status(&harness, &token).await, 401);
}

#[tokio::test]
async fn a_partner_is_named_by_its_claim_or_by_the_settings() {
    let harness = Harness::start().await;
    let now = harness.now();
    for (claims, expected) in [
        (json!({ "roles": ["Partner"], "extension_partner": "skyline" }), 200),
        (json!({ "roles": ["Partner"], "azp": "app-7" }), 200),
        (json!({ "roles": ["Partner"], "appid": "app-7" }), 200),
        (json!({ "roles": ["Partner"], "azp": "app-8" }), 403),
        (json!({ "roles": ["Partner"], "extension_partner": "" }), 403),
        (json!({ "roles": ["Stranger"] }), 403),
        (json!({}), 403),
    ] {
        let token = harness.issuer.token(now, &claims);
        assert_eq!(status(&harness, &token).await, expected, "{claims}");
    }
}

#[tokio::test]
async fn a_refusal_tells_how_to_authenticate_and_nothing_else() {
    let harness = Harness::start().await;
    let none = harness.call("GET", "/runs", None, None).await;
    assert_eq!((none.status.as_u16(), &none.headers["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    assert_eq!(none.headers["content-type"], "application/problem+json");
    let token = Issuer::sign(0, &header(&json!({})), &claims(&harness, &json!({ "exp": 1 })));
    let expired = harness.call("GET", "/runs", Some(&token), None).await;
    assert_eq!(expired.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    assert!(!expired.text.contains("expired"), "{}", expired.text);
}
