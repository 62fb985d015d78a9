//! Every operation of the API stands in the access table and refuses whoever lacks a role.

use serde_json::Value;
use sluice_app::{
    api,
    auth::{
        Role,
        access::{Audit, RULES},
    },
};

use super::harness::Harness;

/// Method and path of all operations, from the description.
pub(crate) fn operations() -> Vec<(String, String)> {
    let description: Value = serde_json::from_str(&api::description()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let operations =
        paths.iter().flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone())));
    operations.filter(|(method, _)| ["GET", "PUT", "POST", "DELETE", "PATCH"].contains(&method.as_str())).collect()
}

/// A path with something in the place of its parameters.
pub(crate) fn filled(path: &str) -> String {
    let run = "s-0123456789abcdef012345678-1";
    let filled = path.replace("{run}", run).replace("{case}", &format!("{run}.0")).replace("{row}", "7").replace("{id}", run);
    filled.replace("{version}", "1").replace("{name}", "flights").replace("{pipeline}", "flights")
}

#[test]
fn description_and_access_table_name_the_same_operations() {
    let mut described = operations();
    let mut ruled: Vec<(String, String)> = RULES.iter().map(|rule| (rule.method.to_string(), rule.path.to_owned())).collect();
    described.sort();
    ruled.sort();
    assert_eq!(described, ruled);
}

#[tokio::test]
async fn every_operation_refuses_without_a_token_and_with_every_wrong_role() {
    let harness = Harness::start().await;
    for rule in RULES.iter().filter(|rule| !rule.roles.is_empty()) {
        let (method, path) = (rule.method.as_str(), filled(rule.path));
        let answer = harness.call(method, &path, None, None).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        assert!(answer.headers.contains_key("www-authenticate"), "{method} {path}");
        for role in Role::ALL {
            let answer = harness.call(method, &path, Some(&harness.token(role.name())), None).await;
            if rule.roles.contains(&role) {
                assert!(![401, 403, 405].contains(&answer.status.as_u16()), "{method} {path} as {}: {}", role.name(), answer.text);
            } else {
                assert_eq!(answer.status, 403, "{method} {path} as {}", role.name());
                assert_eq!(answer.json()["code"], "H0403");
            }
        }
    }
}

#[test]
fn whatever_changes_something_says_how_it_is_audited() {
    // These store nothing, although what they try comes in a body.
    let trials = ["/submissions/dry-run", "/pipelines/dry-run", "/pipelines/compare", "/reviews/{case}/try"];
    for rule in RULES {
        let reads = rule.method == "GET" || trials.contains(&rule.path);
        assert_eq!(rule.audit == Audit::Read, reads, "{} {}", rule.method, rule.path);
    }
}

#[tokio::test]
async fn what_is_not_an_operation_is_refused_as_a_problem() {
    let harness = Harness::start().await;
    let token = harness.token("Operator");
    let wrong_method = harness.call("DELETE", "/runs/s-0123456789abcdef012345678-1", Some(&token), None).await;
    assert_eq!((wrong_method.status.as_u16(), &wrong_method.headers["allow"]), (405, &"GET".parse().unwrap()));
    // What no pipeline can be named may be no id of a document, either.
    for path in ["/pipelines/a%2Fb", "/pipelines/%23", "/parameters/%3F", "/pipelines/%5C/draft", "/pipelines/a%2Fb/versions/1"] {
        let answer = harness.call("GET", path, Some(&token), None).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    let nowhere = harness.call("GET", "/nothing", Some(&token), None).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.json()["code"].as_str()), (404, Some("H0404")));
    for answer in [wrong_method, nowhere] {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
