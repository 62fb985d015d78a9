//! A token issuer on loopback, with a key made for the test, that can misbehave in every way a test needs.

use std::sync::{
    Arc, LazyLock, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Making a key takes a while: two serve all tests of a process.
static KEYS: LazyLock<[KeyPair; 2]> = LazyLock::new(|| [(); 2].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap()));

#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    state: Arc<IssuerState>,
}

struct IssuerState {
    /// Ids under which the keys are published; an unpublished key has none.
    published: Mutex<Vec<(String, usize)>>,
    requests: AtomicUsize,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(IssuerState { published: Mutex::new(vec![("key-0".into(), 0)]), requests: AtomicUsize::new(0) });
        let issuer = Self { url, state };
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(|State(i): State<Issuer>| async move { Json(json!({ "issuer": i.url, "jwks_uri": format!("{}/keys", i.url) })) }),
            )
            .route("/keys", get(|State(i): State<Issuer>| async move { i.keys() }))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    fn keys(&self) -> Json<Value> {
        self.state.requests.fetch_add(1, Ordering::SeqCst);
        let keys: Vec<Value> = self.state.published.lock().unwrap().iter().map(|(id, key)| jwk(id, &KEYS[*key])).collect();
        Json(json!({ "keys": keys }))
    }

    /// How often the keys were asked for.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Publishes the second key, too.
    pub(crate) fn rotate(&self) {
        self.state.published.lock().unwrap().push(("key-1".into(), 1));
    }

    /// A token signed with one of the keys.
    pub(crate) fn sign(key: usize, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; KEYS[key].public_modulus_len()];
        KEYS[key].sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A good token with these claims on top of the usual ones.
    pub(crate) fn token(&self, now: i64, claims: &Value) -> String {
        let mut all = json!({ "iss": self.url, "aud": super::harness::AUDIENCE, "exp": now + 3600, "nbf": now, "iat": now, "oid": "oid-1", "name": "Ann" });
        merge(&mut all, claims);
        Self::sign(0, &json!({ "alg": "RS256", "typ": "JWT", "kid": "key-0" }), &all)
    }
}

/// Lays `more` over `object`; a null takes away.
pub(crate) fn merge(object: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
}

fn jwk(id: &str, key: &KeyPair) -> Value {
    let public = key.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (n, e) =
        (public.modulus().big_endian_without_leading_zero().to_vec(), public.exponent().big_endian_without_leading_zero().to_vec());
    json!({ "kty": "RSA", "use": "sig", "kid": id, "n": number(&n), "e": number(&e) })
}
