//! What tests put into the catalog and the lake before they call the handler.

use serde_json::{Value, json};
use sluice_flow::{
    BlobPath, ETag, RunId, SubmissionId, Write,
    audit::{self, Actor},
    catalog::body,
    review::{CaseStatus, ReviewCase},
    run::{AuditHead, Declared, Run, Source, State},
};

use super::harness::Harness;

/// A pipeline of `skyline` that takes `people/*.csv`.
pub(crate) const PIPELINE: &str = r#"apiVersion: sluice/v1
kind: Pipeline
name: people
contract: people.odcs.yaml
intake:
  partner: skyline
  path: "people/*.csv"
  format: { csv: { delimiter: "," } }
parameters:
  oldest: { type: integer, default: 100 }
rules:
  - { name: too-old, when: "age > $oldest", outcome: review, because: "older than {oldest}" }
  - { name: unborn, when: "age < 0", outcome: reject }
publish: { table: people }
"#;

/// Its contract.
pub(crate) const CONTRACT: &str = "apiVersion: v3.1.0
kind: DataContract
id: urn:datacontract:skyline:people
version: 1.0.0
status: active
schema:
  - name: people
    properties:
      - name: id
        logicalType: integer
        required: true
      - name: name
        logicalType: string
      - name: age
        logicalType: integer
";

/// A Blob Storage event for a landing blob, in the envelope of function Admit.
pub(crate) fn blob_created(container: &str, path: &str, etag: &str, size: usize) -> Value {
    let data = json!({
        "api": "PutBlob", "eTag": etag, "contentType": "text/csv", "contentLength": size, "blobType": "BlockBlob",
        "url": format!("http://127.0.0.1:10000/devstoreaccount1/{container}/{path}"), "sequencer": "1",
    });
    let event = json!({
        "topic": "/subscriptions/x", "subject": format!("/blobServices/default/containers/{container}/blobs/{path}"),
        "eventType": "Microsoft.Storage.BlobCreated", "eventTime": "2026-01-01T00:00:00Z", "id": "e-1", "data": data,
        "dataVersion": "", "metadataVersion": "1",
    });
    json!({ "Data": { "event": event }, "Metadata": {} })
}

/// Creates a run of this partner in this state.
pub(crate) async fn run(harness: &Harness, partner: &str, name: &str, state: State) -> RunId {
    let source = Source {
        blob: BlobPath::new(format!("landing-{partner}"), name),
        etag: ETag("\"1\"".into()),
        size: 9,
        declared: Declared::default(),
    };
    let submission = SubmissionId::of(&source.blob, &source.etag);
    let run = Run {
        run_id: submission.run(1),
        submission: submission.clone(),
        attempt: 1,
        partner: partner.to_owned(),
        pipeline: None,
        path: name.to_owned(),
        fixes: None,
        pinned: None,
        source,
        state,
        created_at: harness.context.now(),
        updated_at: harness.context.now(),
        segments: 1,
        segment_bytes: 1 << 20,
        piece_bytes: 1 << 20,
        splitting: None,
        content: None,
        chunks: 0,
        header: None,
        generation: 0,
        counts: None,
        open_cases: u32::from(state == State::Reviewing),
        cases: u32::from(state == State::Reviewing),
        review_closed: false,
        table_version: None,
        failure: None,
        receipt: false,
        dead_letter: None,
        audit: AuditHead { seq: 0, hash: String::new() },
    };
    let id = run.run_id.clone();
    assert!(audit::create(&harness.context, run, Actor::step("admit"), "run.admitted", json!({})).await.unwrap());
    id
}

/// Adds an open review case to a run.
pub(crate) async fn case(harness: &Harness, run: &RunId, partner: &str) -> ReviewCase {
    let case = ReviewCase {
        case_id: format!("{run}.0"),
        run: run.clone(),
        number: 0,
        partner: partner.to_owned(),
        pipeline: "people".into(),
        cause: "too-old".into(),
        column: None,
        title: "older than 100".into(),
        rows: 1,
        digest: "d".into(),
        status: CaseStatus::Open,
        approvers: 1,
        claimed_by: None,
        due_at: harness.context.now(),
        created_at: harness.context.now(),
        decisions: Vec::new(),
        correctable: Vec::new(),
        comments: Vec::new(),
    };
    let write = Write::Create { id: ReviewCase::document_id(0), kind: "case", body: body(&case).unwrap() };
    harness.context.catalog.commit(&run.partition(), vec![write]).await.unwrap();
    case
}
