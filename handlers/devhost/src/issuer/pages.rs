//! The page that asks people who they are.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use url::Url;

use super::grants::Grant;
use super::{AUTHORIZE, Issuer};

/// An authorization request (RFC 6749, 4.1.1, with PKCE and the parameters of OIDC).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Authorization {
    client_id: String,
    redirect_uri: String,
    response_type: String,
    response_mode: String,
    scope: String,
    state: String,
    nonce: String,
    prompt: String,
    code_challenge: String,
    code_challenge_method: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Logout {
    post_logout_redirect_uri: Option<String>,
}

pub(super) async fn ask(State(issuer): State<Arc<Issuer>>, Query(asked): Query<Authorization>) -> Response {
    match asked.check() {
        Err(Wrong::Page(message)) => (StatusCode::BAD_REQUEST, Html(page("Sign-in is not possible", &paragraph(&message)))).into_response(),
        Err(Wrong::Redirect(error, description)) => asked.redirect(&[("error", error), ("error_description", &description)]),
        Ok(()) if asked.prompt == "none" => {
            asked.redirect(&[("error", "login_required"), ("error_description", "devhost keeps no sessions")])
        }
        Ok(()) => Html(page("Who are you?", &issuer.people(&asked))).into_response(),
    }
}

/// The form of the page: the request again, and the person who was clicked on.
pub(super) async fn choose(State(issuer): State<Arc<Issuer>>, form: String) -> Response {
    let (asked, person) = Authorization::with_person(&form);
    let Some(person) = person.filter(|person| asked.check().is_ok() && issuer.persons().any(|(index, _)| index == *person)) else {
        return (StatusCode::BAD_REQUEST, Html(page("Sign-in is not possible", &paragraph("Go back to the app and try again."))))
            .into_response();
    };
    let code = issuer.grants.code(Grant {
        person,
        client_id: asked.client_id.clone(),
        redirect_uri: asked.redirect_uri.clone(),
        code_challenge: asked.code_challenge.clone(),
        nonce: Some(asked.nonce.clone()).filter(|nonce| !nonce.is_empty()),
        scope: asked.scope.clone(),
    });
    asked.redirect(&[("code", &code)])
}

pub(super) async fn logout(Query(logout): Query<Logout>) -> Response {
    match logout.post_logout_redirect_uri.filter(|uri| is_loopback(uri)) {
        Some(uri) => Redirect::to(&uri).into_response(),
        None => Html(page("Signed out", &paragraph("You can close this page."))).into_response(),
    }
}

enum Wrong {
    /// The app's address cannot be trusted: say it here.
    Page(String),
    /// OAuth error and description, for the app.
    Redirect(&'static str, String),
}

impl Authorization {
    fn with_person(form: &str) -> (Self, Option<usize>) {
        let mut asked = Self::default();
        let mut person = None;
        for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
            let field = match &*name {
                "person" => {
                    person = value.parse().ok();
                    continue;
                }
                "client_id" => &mut asked.client_id,
                "redirect_uri" => &mut asked.redirect_uri,
                "response_type" => &mut asked.response_type,
                "response_mode" => &mut asked.response_mode,
                "scope" => &mut asked.scope,
                "state" => &mut asked.state,
                "nonce" => &mut asked.nonce,
                "code_challenge" => &mut asked.code_challenge,
                "code_challenge_method" => &mut asked.code_challenge_method,
                _ => continue,
            };
            *field = value.into_owned();
        }
        (asked, person)
    }

    fn check(&self) -> Result<(), Wrong> {
        if !is_loopback(&self.redirect_uri) {
            let message =
                format!("redirect_uri must be an address of this machine (http://localhost...), found \"{}\".", self.redirect_uri);
            return Err(Wrong::Page(message));
        }
        let wrong = |error, description: &str| Err(Wrong::Redirect(error, description.to_owned()));
        if self.response_type != "code" {
            return wrong("unsupported_response_type", "expected response_type=code");
        }
        if self.code_challenge.is_empty() || self.code_challenge_method != "S256" {
            return wrong("invalid_request", "expected PKCE: code_challenge with code_challenge_method=S256");
        }
        if !matches!(self.response_mode.as_str(), "" | "query" | "fragment") {
            return wrong("invalid_request", "expected response_mode query or fragment");
        }
        Ok(())
    }

    fn redirect(&self, answer: &[(&str, &str)]) -> Response {
        let Ok(mut url) = Url::parse(&self.redirect_uri) else { return StatusCode::BAD_REQUEST.into_response() };
        let state = (!self.state.is_empty()).then_some(("state", self.state.as_str()));
        let pairs = answer.iter().copied().chain(state);
        if self.response_mode == "fragment" {
            let fragment = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            url.set_fragment(Some(&fragment));
        } else {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Redirect::to(url.as_str()).into_response()
    }
}

impl Issuer {
    fn people(&self, asked: &Authorization) -> String {
        let hidden: String = [
            ("client_id", &asked.client_id),
            ("redirect_uri", &asked.redirect_uri),
            ("response_type", &asked.response_type),
            ("response_mode", &asked.response_mode),
            ("scope", &asked.scope),
            ("state", &asked.state),
            ("nonce", &asked.nonce),
            ("code_challenge", &asked.code_challenge),
            ("code_challenge_method", &asked.code_challenge_method),
        ]
        .iter()
        .fold(String::new(), |mut html, (name, value)| {
            // Writing to a String cannot fail.
            let _ = write!(html, "<input type=hidden name={name} value=\"{}\">", escaped(value));
            html
        });
        let buttons = self.persons().fold(String::new(), |mut html, (index, person)| {
            let _ = write!(
                html,
                "<li><button name=person value={index}>{}</button> <small>{}</small></li>",
                escaped(&person.name),
                escaped(&person.roles.join(", "))
            );
            html
        });
        if buttons.is_empty() {
            return paragraph("devhost was started without any person who could sign in.");
        }
        format!("<form method=post action=\"{AUTHORIZE}\">{hidden}<ul>{buttons}</ul></form>")
    }
}

fn is_loopback(uri: &str) -> bool {
    Url::parse(uri)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")))
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", escaped(text))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>devhost: {title}</title>\
         <style>body{{font:1rem system-ui;max-width:32rem;margin:3rem auto}}li{{list-style:none;margin:.5rem 0}}button{{font:inherit;padding:.5rem 1rem}}</style>\
         <h1>{title}</h1>{body}<p><small>Local sign-in of devhost: no password, no Azure.</small></p></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
