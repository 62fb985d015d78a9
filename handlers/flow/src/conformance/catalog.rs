//! Checks of a catalog.

use serde_json::{Value, json};

use crate::{Catalog, Committed, Document, ETag, Kind, Query, Write};

/// Runs all checks of a catalog. Documents are made in partitions that start with `unique`, which no earlier call on the same store may
/// have used.
pub async fn catalog(catalog: &dyn Catalog, unique: &str) {
    let partition = |name: &str| format!("{unique}:{name}");
    create_only(catalog, &partition("create")).await;
    versions(catalog, &partition("versions")).await;
    batches(catalog, &partition("batches")).await;
    bodies(catalog, &partition("bodies")).await;
    filters(catalog, &partition("filters")).await;
    order(catalog, unique).await;
    races(catalog, &partition("races")).await;
}

fn create(id: &str, kind: &'static str, body: Value) -> Write {
    Write::Create { id: id.to_owned(), kind, body }
}

fn put(id: &str, kind: &'static str, body: Value) -> Write {
    Write::Put { id: id.to_owned(), kind, body }
}

fn replace(id: &str, kind: &'static str, body: Value, etag: &ETag) -> Write {
    Write::Replace { id: id.to_owned(), kind, body, etag: etag.clone() }
}

fn delete(id: &str, etag: &ETag) -> Write {
    Write::Delete { id: id.to_owned(), etag: etag.clone() }
}

async fn commit(catalog: &dyn Catalog, partition: &str, writes: Vec<Write>) -> Committed {
    catalog.commit(partition, writes).await.expect("commit")
}

async fn done(catalog: &dyn Catalog, partition: &str, writes: Vec<Write>) {
    assert_eq!(commit(catalog, partition, writes).await, Committed::Done);
}

async fn get(catalog: &dyn Catalog, partition: &str, id: &str) -> Document {
    catalog.get(partition, id).await.expect("get").expect("the document is there")
}

async fn absent(catalog: &dyn Catalog, partition: &str, id: &str) {
    assert_eq!(catalog.get(partition, id).await.expect("get of a missing document is no error"), None, "{id}");
}

async fn create_only(catalog: &dyn Catalog, partition: &str) {
    absent(catalog, partition, "a").await;
    done(catalog, partition, vec![create("a", "run", json!({"n": 1}))]).await;
    assert_eq!(commit(catalog, partition, vec![create("a", "run", json!({"n": 2}))]).await, Committed::Conflict { index: 0 });
    let document = get(catalog, partition, "a").await;
    assert_eq!((document.partition.as_str(), document.id.as_str(), document.kind.as_str()), (partition, "a", "run"));
    assert_eq!(document.body["n"], 1, "the second creation must change nothing");
    // An id is unique in its partition only.
    done(catalog, &format!("{partition}:other"), vec![create("a", "run", json!({"n": 3}))]).await;
    assert_eq!(get(catalog, partition, "a").await.body["n"], 1);
}

async fn versions(catalog: &dyn Catalog, partition: &str) {
    let none = ETag("\"00000000-0000-0000-0000-000000000000\"".to_owned());
    assert_eq!(
        commit(catalog, partition, vec![replace("a", "run", json!({}), &none)]).await,
        Committed::Conflict { index: 0 },
        "replace of nothing"
    );
    assert_eq!(commit(catalog, partition, vec![delete("a", &none)]).await, Committed::Conflict { index: 0 }, "delete of nothing");
    done(catalog, partition, vec![create("a", "run", json!({"n": 1, "gone": true}))]).await;
    let first = get(catalog, partition, "a").await.etag;
    done(catalog, partition, vec![replace("a", "run", json!({"n": 2}), &first)]).await;
    let second = get(catalog, partition, "a").await;
    assert_ne!(first, second.etag, "another content is another version");
    assert_eq!((&second.body["n"], second.body.get("gone")), (&json!(2), None), "a replacement replaces all of it");
    assert_eq!(commit(catalog, partition, vec![replace("a", "run", json!({"n": 3}), &first)]).await, Committed::Conflict { index: 0 });
    assert_eq!(commit(catalog, partition, vec![delete("a", &first)]).await, Committed::Conflict { index: 0 });
    assert_eq!(get(catalog, partition, "a").await, second, "a conflict must change nothing");
    done(catalog, partition, vec![put("a", "run", json!({"n": 4}))]).await;
    let third = get(catalog, partition, "a").await;
    assert!(third.body["n"] == 4 && third.etag != second.etag);
    done(catalog, partition, vec![delete("a", &third.etag)]).await;
    absent(catalog, partition, "a").await;
    done(catalog, partition, vec![put("a", "run", json!({"n": 5}))]).await;
    assert_ne!(get(catalog, partition, "a").await.etag, third.etag, "a version never returns");
}

async fn batches(catalog: &dyn Catalog, partition: &str) {
    done(catalog, partition, vec![create("run", "run", json!({"state": "one"})), create("doomed", "case", json!({}))]).await;
    let run = get(catalog, partition, "run").await;
    let doomed = get(catalog, partition, "doomed").await;
    // Conflicts at each place: nothing of the batch may stay.
    let stale = ETag("\"00000000-0000-0000-0000-00000000abcd\"".to_owned());
    let failing = [
        (1, vec![create("new", "audit", json!({})), create("run", "run", json!({})), create("new2", "audit", json!({}))]),
        (2, vec![replace("run", "run", json!({"state": "two"}), &run.etag), put("new", "audit", json!({})), delete("doomed", &stale)]),
        (
            3,
            vec![
                delete("doomed", &doomed.etag),
                create("new", "audit", json!({})),
                put("new2", "audit", json!({})),
                replace("run", "run", json!({"state": "two"}), &stale),
            ],
        ),
    ];
    for (index, writes) in failing {
        assert_eq!(commit(catalog, partition, writes).await, Committed::Conflict { index });
        assert_eq!(get(catalog, partition, "run").await, run, "a failed batch must change nothing");
        assert_eq!(get(catalog, partition, "doomed").await, doomed, "a failed batch must remove nothing");
        absent(catalog, partition, "new").await;
        absent(catalog, partition, "new2").await;
    }
    done(
        catalog,
        partition,
        vec![
            replace("run", "run", json!({"state": "two"}), &run.etag),
            create("new", "audit", json!({"seq": 1})),
            put("new2", "case", json!({})),
            delete("doomed", &doomed.etag),
        ],
    )
    .await;
    assert_eq!(get(catalog, partition, "run").await.body["state"], "two");
    assert_eq!(get(catalog, partition, "new").await.body["seq"], 1);
    assert_eq!(get(catalog, partition, "new2").await.kind, "case");
    absent(catalog, partition, "doomed").await;
    let hundred = (0..100).map(|n| create(&format!("many:{n:03}"), "many", json!({"n": n}))).collect();
    done(catalog, partition, hundred).await;
    let hundred = (0..100).rev().map(|n| create(&format!("many:{:03}", n + 99), "many", json!({"n": n}))).collect();
    assert_eq!(commit(catalog, partition, hundred).await, Committed::Conflict { index: 99 }, "the index of the one write that cannot be");
    absent(catalog, partition, "many:198").await;
}

async fn bodies(catalog: &dyn Catalog, partition: &str) {
    let body = json!({
        "text": "quote \" backslash \\ tab \t newline \n nul-free ümlaut 日本 🦀",
        "empty": "", "null": null, "true": true, "list": [1, "two", [3.5], {}], "deep": {"b": {"a": []}},
        "zero": 0, "negative": -1, "float": 0.1, "large": 9_007_199_254_740_991u64,
    });
    done(catalog, partition, vec![create("fan:move:0:0:000001", "body", body.clone())]).await;
    let found = get(catalog, partition, "fan:move:0:0:000001").await.body;
    for (field, value) in body.as_object().expect("an object") {
        assert_eq!(found.get(field), Some(value), "{field}");
    }
    for wrong in [json!({"id": "a"}), json!({"pk": "a"}), json!({"kind": "a"}), json!({"_etag": "a"}), json!(["no object"])] {
        let error = catalog.commit(partition, vec![put("wrong", "body", wrong)]).await.expect_err("these fields are the store's");
        assert_eq!((error.code(), error.kind()), ("K0400", Kind::Bug));
    }
    absent(catalog, partition, "wrong").await;
    let large = "x".repeat(900_000);
    done(catalog, partition, vec![create("large", "body", json!({"large": large}))]).await;
    assert_eq!(get(catalog, partition, "large").await.body["large"], large);
}

async fn all(catalog: &dyn Catalog, query: &Query) -> Vec<Document> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = catalog.query(&query).await.expect("query");
        assert!(page.documents.len() <= query.limit, "a page of at most {}, found {}", query.limit, page.documents.len());
        found.extend(page.documents);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

fn ids(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|d| d.id.as_str()).collect()
}

async fn filters(catalog: &dyn Catalog, partition: &str) {
    let documents = [
        ("case:0", "case", json!({"status": "open", "due": "2026-01-03", "n": 1, "flag": true})),
        ("case:1", "case", json!({"status": "decided", "due": "2026-01-01", "n": 2, "flag": false})),
        ("case:2", "case", json!({"status": "open", "due": "2026-01-02", "n": 1, "flag": false, "extra": null})),
        ("case:3", "case", json!({"status": "void", "n": 1})),
        ("chunk:0", "chunk", json!({"status": "open", "due": "2026-01-01", "n": 1})),
        ("chunk_0", "chunk", json!({"status": "open"})),
        ("chunk%0", "chunk", json!({"status": "open"})),
    ];
    done(catalog, partition, documents.into_iter().map(|(id, kind, body)| create(id, kind, body)).collect()).await;
    done(catalog, &format!("{partition}:other"), vec![create("case:9", "case", json!({"status": "open", "due": "2026-01-01"}))]).await;
    let base = Query { kind: "case", partition: Some(partition.to_owned()), limit: 100, ..Query::default() };
    let check = |query: Query, expected: &'static [&'static str]| async move {
        assert_eq!(ids(&all(catalog, &query).await), expected, "{query:?}");
    };
    check(base.clone(), &["case:0", "case:1", "case:2", "case:3"]).await;
    check(Query { kind: "nothing", ..base.clone() }, &[]).await;
    check(Query { partition: Some(format!("{partition}:none")), ..base.clone() }, &[]).await;
    check(Query { equals: vec![("status", json!("open"))], ..base.clone() }, &["case:0", "case:2"]).await;
    check(Query { equals: vec![("status", json!("open")), ("n", json!(1)), ("flag", json!(true))], ..base.clone() }, &["case:0"]).await;
    check(Query { equals: vec![("n", json!(2))], ..base.clone() }, &["case:1"]).await;
    check(Query { equals: vec![("n", json!("2"))], ..base.clone() }, &[]).await;
    check(Query { any_of: Some(("status", vec![json!("decided"), json!("void")])), ..base.clone() }, &["case:1", "case:3"]).await;
    check(Query { any_of: Some(("status", vec![])), ..base.clone() }, &[]).await;
    check(Query { less_than: vec![("due", "2026-01-03".to_owned())], ..base.clone() }, &["case:1", "case:2"]).await;
    let both = Query { less_than: vec![("due", "2026-01-03".to_owned())], any_of: Some(("status", vec![json!("open")])), ..base.clone() };
    check(both, &["case:2"]).await;
    check(Query { at_least: Some(("due", "2026-01-02".to_owned())), ..base.clone() }, &["case:0", "case:2"]).await;
    let between =
        Query { at_least: Some(("due", "2026-01-02".to_owned())), less_than: vec![("due", "2026-01-03".to_owned())], ..base.clone() };
    check(between, &["case:2"]).await;
    let twice = vec![("due", "2026-01-03".to_owned()), ("status", "e".to_owned())];
    check(Query { less_than: twice, ..base.clone() }, &["case:1"]).await;
    let contains = |fields: &'static [&'static str], text: &str| Query { contains: Some((fields, text.to_owned())), ..base.clone() };
    check(contains(&["status"], "PE"), &["case:0", "case:2"]).await;
    check(contains(&["due", "status"], "01-01"), &["case:1"]).await;
    check(contains(&["status", "n", "missing"], "i"), &["case:1", "case:3"]).await;
    check(contains(&["status"], "o%n"), &[]).await;
    check(Query { equals: vec![("flag", json!(false))], ..contains(&["due", "status"], "Open") }, &["case:2"]).await;
    let ordered = Query { order: Some(("due", true)), partition: None, ..contains(&["status", "due"], "open") };
    let ordered = Query { equals: vec![("n", json!(1)), ("flag", json!(false))], ..ordered };
    assert!(ids(&all(catalog, &ordered).await).contains(&"case:2"));
    let present = |field, present| Query { present: Some((field, present)), ..base.clone() };
    check(present("due", true), &["case:0", "case:1", "case:2"]).await;
    check(present("due", false), &["case:3"]).await;
    check(present("extra", true), &["case:2"]).await;
    let hostile = Query { equals: vec![("status", json!("open' OR 1=1 --"))], ..base.clone() };
    check(hostile, &[]).await;
    let prefixed = |prefix: &str| Query { kind: "chunk", id_prefix: Some(prefix.to_owned()), ..base.clone() };
    check(prefixed("chunk"), &["chunk%0", "chunk:0", "chunk_0"]).await;
    check(prefixed("chunk:"), &["chunk:0"]).await;
    check(prefixed("chunk_"), &["chunk_0"]).await;
    check(prefixed("chunk%"), &["chunk%0"]).await;
    check(prefixed("Chunk"), &[]).await;
    let found = all(catalog, &base).await;
    assert_eq!(found[0], get(catalog, partition, "case:0").await, "a query gives the same document as a get");
}

async fn order(catalog: &dyn Catalog, unique: &str) {
    // Two documents at each time, over three partitions, written in no order.
    let kind = "ordered";
    let document = |n: u64| {
        let body = json!({"unique": unique, "at": format!("2026-01-01T00:00:{:02}Z", n / 2), "n": n});
        (format!("{unique}:order:{}", n % 3), create(&format!("item:{n:04}"), kind, body))
    };
    for n in (0..30).map(|n| n * 7 % 30) {
        let (partition, write) = document(n);
        done(catalog, &partition, vec![write]).await;
    }
    let numbers = |found: &[Document]| -> Vec<u64> { found.iter().map(|d| d.body["n"].as_u64().expect("a number")).collect() };
    for limit in [1, 4, 7, 30, 1000] {
        for descending in [false, true] {
            let query = Query { kind, equals: vec![("unique", json!(unique))], order: Some(("at", descending)), limit, ..Query::default() };
            let found = all(catalog, &query).await;
            let times: Vec<&str> = found.iter().map(|d| d.body["at"].as_str().expect("text")).collect();
            let in_order = if descending { times.is_sorted_by(|a, b| a >= b) } else { times.is_sorted() };
            assert!(in_order, "in order of time, descending {descending}, pages of {limit}: {times:?}");
            let mut all = numbers(&found);
            all.sort_unstable();
            assert!(all.iter().copied().eq(0..30), "each document once in pages of {limit}: {all:?}");
        }
        let query = Query { kind, partition: Some(format!("{unique}:order:1")), limit, ..Query::default() };
        let found = numbers(&all(catalog, &query).await);
        assert!(found.iter().copied().eq((0..10).map(|n| n * 3 + 1)), "in order of ids without another order, pages of {limit}: {found:?}");
    }
    let query = Query { kind, partition: Some(format!("{unique}:order:0")), order: Some(("at", true)), limit: 3, ..Query::default() };
    assert_eq!(numbers(&catalog.query(&query).await.expect("query").documents), [27, 24, 21], "order within a partition");
}

async fn races(catalog: &dyn Catalog, partition: &str) {
    let attempts =
        (0..8).map(|n| async move { commit(catalog, partition, vec![create("one", "run", json!({"n": n}))]).await == Committed::Done });
    let won = futures::future::join_all(attempts).await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1, "of many creations at once one wins");
    let etag = get(catalog, partition, "one").await.etag;
    let attempts = (0..8).map(|n| {
        let write = replace("one", "run", json!({"n": n}), &etag);
        async move { commit(catalog, partition, vec![write]).await == Committed::Done }
    });
    let won = futures::future::join_all(attempts).await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1, "of many replacements of one version one wins");
}
