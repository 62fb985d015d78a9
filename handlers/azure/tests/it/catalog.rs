use serde_json::json;
use sluice_azure::provision;
use sluice_flow::{Catalog, Committed, Kind, Query, Write, conformance};

use crate::support::{ACCOUNT, Azurite, Cosmos, backends, settings};

async fn filled() -> (Azurite, Cosmos) {
    let (azurite, cosmos) = (Azurite::start(), Cosmos::start().await);
    provision(&settings(&azurite.endpoint, &cosmos.endpoint)).await.unwrap();
    (azurite, cosmos)
}

async fn fill(catalog: &dyn Catalog) {
    for n in 0..30 {
        let body = json!({"at": format!("2026-01-01T00:00:{n:02}.000Z")});
        let write = Write::Create { id: "run".to_owned(), kind: "run", body };
        assert_eq!(catalog.commit(&format!("run:{n}"), vec![write]).await.unwrap(), Committed::Done);
    }
}

#[tokio::test]
async fn the_catalog_conforms() {
    let (_azurite, cosmos) = filled().await;
    let catalog = backends(None, Some(&cosmos)).catalog;
    conformance::catalog(catalog.as_ref(), "one").await;
    conformance::catalog(catalog.as_ref(), "two").await;
}

#[tokio::test]
async fn a_cursor_goes_on_in_another_process() {
    let (_azurite, cosmos) = filled().await;
    fill(backends(None, Some(&cosmos)).catalog.as_ref()).await;
    // The container has four physical partitions, the ids are equal, and each page comes from a client that knows only the cursor.
    let mut query = Query { kind: "run", order: Some(("at", true)), limit: 10, ..Query::default() };
    let mut pages = Vec::new();
    loop {
        let page = backends(None, Some(&cosmos)).catalog.query(&query).await.unwrap();
        pages.push(page.documents.iter().map(|d| d.partition.clone()).collect::<Vec<_>>());
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    let expected: Vec<_> = (0..30).rev().map(|n| format!("run:{n}")).collect();
    assert_eq!(pages.concat(), expected);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10], "full pages, and none that is empty at the end");
}

#[tokio::test]
async fn a_cursor_of_another_query_is_refused() {
    let (_azurite, cosmos) = filled().await;
    let catalog = backends(None, Some(&cosmos)).catalog;
    fill(catalog.as_ref()).await;
    let query = Query { kind: "run", order: Some(("at", true)), limit: 10, ..Query::default() };
    let cursor = catalog.query(&query).await.unwrap().next;
    assert!(cursor.is_some());
    for other in [
        Query { order: Some(("at", false)), after: cursor.clone(), ..query.clone() },
        Query { equals: vec![("at", json!("2026"))], after: cursor.clone(), ..query.clone() },
        Query { after: cursor.map(|c| format!("{}AAAA", &c[..c.len() / 2])), ..query.clone() },
        Query { after: Some("nonsense".to_owned()), ..query },
    ] {
        let error = catalog.query(&other).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Refused, "K0401"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_batch_is_a_bug() {
    let catalog = backends(None, None).catalog;
    let write = |id: &str| Write::Put { id: id.to_owned(), kind: "run", body: json!({}) };
    for writes in [vec![], (0..101).map(|n| write(&format!("{n}"))).collect(), vec![write("a/b")]] {
        assert_eq!(catalog.commit("p", writes).await.unwrap_err().code(), "K0400");
    }
    assert_eq!(catalog.get("p", "a#b").await.unwrap_err().code(), "K0400");
}

#[tokio::test]
async fn a_missing_container_alerts_and_an_absent_service_may_heal() {
    let cosmos = Cosmos::start().await;
    let catalog = backends(None, Some(&cosmos)).catalog;
    let error = catalog.get("p", "a").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Bug, "K0404"), "{error}");
    // The same client works as soon as the container is there.
    let azurite = Azurite::start();
    provision(&settings(&azurite.endpoint, &cosmos.endpoint)).await.unwrap();
    assert_eq!(catalog.get("p", "a").await.unwrap(), None);

    let error = backends(None, None).catalog.get("p", "a").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Transient, "K0503"), "{error}");
    assert!(!error.chain().contains(ACCOUNT), "{error}");
}
