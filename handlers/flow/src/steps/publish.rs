//! The accepted rows of a run become part of its table: one commit, once, and only if the accounts balance.

use std::{fs::File, io::Write as _, path::PathBuf, sync::Arc};

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use sluice_engine::{AcceptedFile, Compiled, EngineError, Pieces, Stream};
use tokio::io::AsyncReadExt as _;

use crate::{
    BlobPath, Committed, Context, Error, Message, Outputs, Result, Step, Write,
    audit::{self, Actor, Change},
    catalog::body,
    delta,
    publication::{self, AcceptedBlob, Aggregate, Proven},
    revision::{self, RevisedFile},
    run::{Run, State},
    writer::{self, BlobWriter, Output},
};

/// Memory of an aggregate before it spills, in bytes.
const AGGREGATE_BYTES: usize = 256 << 20;
/// Document that says what was known of the table before the first try.
const BASE_DOCUMENT: &str = "publish";

/// Document `publish` of a run, kind `publish`. Never changed.
#[derive(Debug, Serialize, Deserialize)]
struct Base {
    table: String,
    /// Newest version of the table before the first try: an earlier commit of the run can only be after it.
    since: Option<u64>,
}

/// Publishes a run.
///
/// # Errors
/// [`crate::Kind::Bug`] if the accounts do not balance: nothing is published then, and somebody must look. Those of [`delta::publish`].
pub async fn run(context: &Context, message: Message) -> Result<Outputs> {
    let run = audit::load(context, &message.run).await?.run;
    let archive = || Outputs::one(Message::new(&message.run, Step::Archive));
    match run.state {
        State::Publishing => {}
        State::Archiving => return Ok(archive()),
        _ => return Ok(Outputs::none()),
    }
    let compiled = context.plans.of_run(context, &run).await?;
    let proven = publication::prove(context, &run, &compiled).await?;
    let table = compiled.plan().pipeline.publish.table.clone();
    let files = if compiled.aggregates() { aggregate(context, &run, &compiled, &proven).await? } else { proven.files };
    let rows: u64 = files.iter().map(|f| f.facts.rows).sum();
    let summary = publication::summary(&proven.counts, files.len());
    let version = if rows == 0 { None } else { Some(commit(context, &run, &compiled, &table, files).await?) };
    audit::update(context, &message.run, |run| {
        if run.state != State::Publishing {
            return Ok(None);
        }
        run.state = State::Archiving;
        run.table_version = version;
        run.dead_letter = None;
        let detail = json!({ "table": table, "version": version, "counts": run.counts, "published": summary });
        Ok(Some(Change { actor: Actor::step("publish"), action: "run.published", detail, writes: Vec::new() }))
    })
    .await?;
    Ok(archive())
}

async fn commit(context: &Context, run: &Run, compiled: &Compiled, table: &str, files: Vec<AcceptedBlob>) -> Result<u64> {
    let since = since(context, run, table).await?;
    let files = publication::data_files(table, files);
    let mut info = Map::new();
    info.insert("runId".into(), json!(run.run_id));
    info.insert("submission".into(), json!(run.submission));
    info.insert("partner".into(), json!(run.partner));
    if let Some(pinned) = &run.pinned {
        info.insert("pipeline".into(), json!(pinned.pipeline));
        info.insert("pipelineVersion".into(), json!(pinned.pipeline_version));
    }
    let publication = delta::Publication {
        run: &run.run_id,
        table,
        schema: &compiled.output_schema(),
        partition_by: &compiled.plan().pipeline.publish.partition_by,
        files: &files,
        info,
    };
    delta::publish(context, &publication, since).await
}

/// What was known of the table before the first try for this run; noted before anything is committed.
async fn since(context: &Context, run: &Run, table: &str) -> Result<Option<u64>> {
    let partition = run.run_id.partition();
    for _ in 0..2 {
        if let Some(document) = context.catalog.get(&partition, BASE_DOCUMENT).await? {
            return Ok(document.parse::<Base>()?.since);
        }
        let since = delta::latest(context, table).await?;
        let base = Base { table: table.to_owned(), since };
        let write = Write::Create { id: BASE_DOCUMENT.to_owned(), kind: "publish", body: body(&base)? };
        if context.catalog.commit(&partition, vec![write]).await? == Committed::Done {
            return Ok(since);
        }
    }
    Err(Error::transient("D0203", format!("what was known of table {table} for run {} cannot be read back", run.run_id)))
}

/// Groups the staged files into the files that are published. Done once: a repeated attempt takes what the first one wrote.
async fn aggregate(context: &Context, run: &Run, compiled: &Arc<Compiled>, proven: &Proven) -> Result<Vec<AcceptedBlob>> {
    let made = match publication::load_aggregate(context, run).await? {
        Some(made) => made,
        None => make_aggregate(context, run, compiled, proven).await?,
    };
    Ok(made.files.into_iter().map(|file| AcceptedBlob { blob: file.output.blob, facts: file.facts }).collect())
}

async fn make_aggregate(context: &Context, run: &Run, compiled: &Arc<Compiled>, proven: &Proven) -> Result<Aggregate> {
    if proven.files.is_empty() {
        return Ok(Aggregate { files: Vec::new() });
    }
    let folder =
        tempfile::tempdir().map_err(|e| Error::transient("D0204", "no temporary folder can be made for an aggregate").because(e))?;
    // Files come one at a time from the lake and are decoded where they are grouped: two of them are in memory at most.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes>>(1);
    let (spill, results) = (folder.path().join("spill"), Results::new(folder.path().join("results")));
    for made in [&spill, &results.folder] {
        std::fs::create_dir(made).map_err(|e| Error::transient("D0204", "no temporary folder can be made for an aggregate").because(e))?;
    }
    let (work, id, sink) = (compiled.clone(), run.run_id.to_string(), results.clone());
    let grouping = tokio::task::spawn_blocking(move || {
        let failure = Arc::new(std::sync::Mutex::new(None));
        let batches = Batches { receiver, failure: failure.clone(), current: None };
        let grouped = sluice_engine::aggregate(&work, &id, batches, AGGREGATE_BYTES, &spill, |pieces| sink.take(pieces));
        let failed = failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match failed {
            Some(error) => Err(error),
            None => grouped.map_err(Error::from),
        }
    });
    for file in &proven.files {
        let bytes = context.lake.read(&file.blob, 0..u64::MAX, None).await;
        // The other end is gone only if the grouping failed: its error is told below.
        if sender.send(bytes).await.is_err() {
            break;
        }
    }
    drop(sender);
    let accounts = grouping.await.map_err(|e| Error::bug("D0205", "grouping rows ended in a panic").because(e))??;
    let mut files = Vec::new();
    for facts in accounts {
        let output = results.store(context, run, revision::aggregated(run, compiled.plan(), &facts), &facts).await?;
        files.push(RevisedFile { output, facts });
    }
    let made = Aggregate { files };
    writer::write_json(context, publication::aggregate(run), &made).await?;
    Ok(made)
}

/// The files of an aggregate in a temporary folder: there may be more of them than there is memory for.
#[derive(Clone)]
struct Results {
    folder: PathBuf,
}

impl Results {
    fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A partition may have any characters in it.
    fn file(&self, partition: &str, part: u32) -> PathBuf {
        self.folder.join(format!("{}-{part}", blake3::hash(partition.as_bytes())))
    }

    fn take(&self, pieces: Pieces) -> std::result::Result<(), EngineError> {
        for (stream, bytes) in pieces {
            let Stream::Accepted { partition, part } = stream else { continue };
            let file = File::options().create(true).append(true).open(self.file(&partition, part));
            let written = file.and_then(|mut file| file.write_all(&bytes));
            written.map_err(|e| EngineError::Bug(format!("an aggregate cannot be written to the temporary folder: {e}")))?;
        }
        Ok(())
    }

    async fn store(&self, context: &Context, run: &Run, path: BlobPath, facts: &AcceptedFile) -> Result<Output> {
        let unreadable = |e: std::io::Error| Error::transient("D0204", "an aggregate cannot be read from the temporary folder").because(e);
        let mut file = tokio::fs::File::open(self.file(&facts.partition, facts.part)).await.map_err(unreadable)?;
        let mut writer = BlobWriter::new(path, run.piece_bytes);
        let mut piece = vec![0; 1 << 20];
        loop {
            match file.read(&mut piece).await.map_err(unreadable)? {
                0 => return writer.finish(context).await,
                read => writer.write(context, &piece[..read]).await?,
            }
        }
    }
}

/// Batches of files that come through a channel. A failure of the lake ends them, and is told once the engine has returned.
struct Batches {
    receiver: tokio::sync::mpsc::Receiver<Result<Bytes>>,
    failure: Arc<std::sync::Mutex<Option<Error>>>,
    current: Option<parquet::arrow::arrow_reader::ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = std::result::Result<arrow::array::RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        let unreadable = |e: &dyn std::fmt::Display| Some(Err(EngineError::Bug(format!("a staged file cannot be read: {e}"))));
        loop {
            match self.current.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => return Some(Ok(batch)),
                Some(Err(error)) => return unreadable(&error),
                None => {}
            }
            match self.receiver.blocking_recv()? {
                Ok(bytes) => match ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(ParquetRecordBatchReaderBuilder::build) {
                    Ok(reader) => self.current = Some(reader),
                    Err(error) => return unreadable(&error),
                },
                Err(error) => {
                    *self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
                    return Some(Err(EngineError::Bug("a staged file did not come".to_owned())));
                }
            }
        }
    }
}
