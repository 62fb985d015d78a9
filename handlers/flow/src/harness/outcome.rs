//! What is left in the end, and whether it is right.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde_json::Value;

use super::World;
use crate::{
    BlobPath, audit, layout,
    ledger::{ChunkLedger, Proof},
    revision,
    run::{Run, State},
    writer,
};

/// Everything durable but versions and times of change: what must be the same whatever happened on the way.
#[derive(Clone, PartialEq)]
pub struct Outcome {
    blobs: BTreeMap<BlobPath, (Bytes, BTreeMap<String, String>)>,
    documents: BTreeMap<(String, String), (String, Value)>,
}

impl Outcome {
    /// Of a world.
    pub fn of(world: &World) -> Self {
        let blobs = world.lake.contents().into_iter().map(|(path, blob)| (path, (blob.body, blob.metadata)));
        let documents = world.catalog.contents().into_iter().map(|(place, document)| (place, (document.kind, document.body)));
        Self { blobs: blobs.collect(), documents: documents.collect() }
    }

    /// Where this one is not like `expected`, in words; empty if it is.
    pub fn differences(&self, expected: &Self) -> Vec<String> {
        let mut found = Vec::new();
        compare("blob", &self.blobs, &expected.blobs, &mut found);
        compare("document", &self.documents, &expected.documents, &mut found);
        found
    }
}

fn compare<K: Ord + fmt::Debug, V: PartialEq>(
    what: &str,
    found: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
    differences: &mut Vec<String>,
) {
    for (place, value) in expected {
        match found.get(place) {
            None => differences.push(format!("{what} {place:?} is missing")),
            Some(other) if other != value => differences.push(format!("{what} {place:?} is different")),
            Some(_) => {}
        }
    }
    differences.extend(found.keys().filter(|place| !expected.contains_key(place)).map(|place| format!("{what} {place:?} should not be")));
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome").field("blobs", &self.blobs.keys()).field("documents", &self.documents.keys()).finish()
    }
}

impl World {
    /// Checks what must hold for every run in the end. Panics with the first thing that does not.
    pub async fn check(&self) {
        for run in self.runs() {
            let id = &run.run_id;
            assert!(run.state.is_terminal() || run.state == State::Reviewing, "run {id} is left {}", run.state.name());
            assert_eq!(run.dead_letter, None, "run {id} has a dead letter");
            let events = audit::events(&self.context, id).await.expect("the audit log can be read");
            audit::verify(id, &run.audit, &events).unwrap_or_else(|e| panic!("the audit log of run {id} is broken: {e}"));
            if let Some(counts) = run.counts {
                assert!(counts.balanced(), "the counts of run {id} do not balance: {counts:?}");
                self.check_ledger(&run).await;
                let revision =
                    revision::load(&self.context, &run).await.expect("the account of the decisions can be read").unwrap_or_default();
                assert!(revision.returned.is_subset(&revision.rejected), "run {id} sends rows back that it does not reject");
                assert_eq!(
                    counts.returned,
                    if counts.held > 0 { 0 } else { revision.returned.len() },
                    "rows of run {id} that are sent back"
                );
            }
            if let Some(content) = &run.content {
                let raw = self.lake.blob(&run.raw()).unwrap_or_else(|| panic!("run {id} is sealed and has no raw copy"));
                assert_eq!(blake3::hash(&raw.body).to_hex().as_str(), content.blake3, "the raw copy of run {id}");
            }
        }
    }

    /// Proves again, from the stored ledger, that every row is in exactly one set.
    async fn check_ledger(&self, run: &Run) {
        let generations = layout::effective_chunks(&self.context, run).await.expect("the chunks are known");
        let mut proof = Proof::default();
        for (chunk, generation) in (0u32..).zip(&generations) {
            let planned = layout::chunk(&self.context, &run.run_id, chunk).await.expect("the chunk is planned");
            let ledger: ChunkLedger =
                writer::read_json(&self.context, &layout::ledger(run, *generation, chunk)).await.expect("the chunk has a ledger");
            proof.add(planned.first_row, &ledger.report).unwrap_or_else(|e| panic!("{}", e.chain()));
            for output in &ledger.outputs {
                let blob = self.lake.blob(&output.blob).unwrap_or_else(|| panic!("{} is missing", output.blob));
                assert_eq!((blob.body.len() as u64, blob.metadata.get("sha256")), (output.bytes, Some(&output.sha256)), "{}", output.blob);
            }
        }
        let totals = proof.finish(run.chunks).unwrap_or_else(|e| panic!("{}", e.chain()));
        assert_eq!(Some(totals.rows), run.counts.map(|c| c.rows), "rows of run {}", run.run_id);
    }
}
