//! The run-wide aggregate task over accepted rows.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::context::SessionContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::DataFrame;
use futures::StreamExt as _;
use futures::executor::block_on;
use sluice_contract::{Plan, Task};

use crate::compile::stored;
use crate::findings::Findings;
use crate::scope::{Scope, UNKNOWN};
use crate::sql::{Compiler, mistake_at, mistake_in, root_message, session, storable, store, unknown_column};
use crate::write::accepted::AcceptedWriter;
use crate::{AcceptedFile, Code, Compiled, EngineError, Pieces, Refusal};

/// The name of the accepted rows in the statement.
const TABLE: &str = "rows";

/// An aggregate task, ready to run.
pub(crate) struct Aggregation {
    sql: String,
    parameters: Vec<(String, ScalarValue)>,
    input: SchemaRef,
    /// The columns of the result, in types that can be stored.
    pub(crate) schema: SchemaRef,
}

impl fmt::Debug for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregation").field("sql", &self.sql).finish_non_exhaustive()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Aggregation {
    /// Compiles the aggregate task of a plan, if it has one that could be read: the task, if nothing in it is mistaken or unknown, and the
    /// columns after it.
    pub(crate) fn compile(plan: &Plan, compiler: &Compiler, input: &Scope, findings: &mut Findings<'_>) -> Option<(Option<Self>, Scope)> {
        let (i, by, take) = plan.pipeline.tasks.iter().enumerate().find_map(|(i, task)| match task {
            Task::Aggregate { by, take } => Some((i, by, take)),
            _ => None,
        })?;
        let path = format!("tasks[{i}].aggregate");
        let before = findings.count();
        let mut result = Scope::new(false);
        let mut is_known = true;
        for name in by {
            if input.lacks(name) {
                findings.note(mistake_in(format!("{path}.by"), Code::UnknownColumn, unknown_column(name, &input.names())));
            }
            is_known &= input.type_of(name).is_some();
            result.set(name, UNKNOWN);
        }
        for derived in take {
            if result.place(&derived.name).is_some() || derived.name.starts_with("_sluice_") {
                let message = format!("there is a column {} already; choose another name", derived.name);
                findings.note(mistake_at(&derived.expression, Code::ColumnExists, message));
            }
            is_known &= compiler.check_aggregate(&derived.expression, input, findings);
            result.set(&derived.name, UNKNOWN);
        }
        if !is_known || findings.count() > before {
            return Some((None, result));
        }
        let groups: Vec<_> = by.iter().map(|n| quoted(n)).collect();
        let statement = |takes: &[&sluice_contract::Derive]| {
            let columns = takes.iter().map(|d| format!("({}) AS {}", d.expression.sql, quoted(&d.name)));
            let selected: Vec<_> = groups.iter().cloned().chain(columns).collect();
            let order: Vec<_> = groups.iter().map(|g| format!("{g} NULLS FIRST")).collect();
            let tail =
                if groups.is_empty() { String::new() } else { format!(" GROUP BY {} ORDER BY {}", groups.join(", "), order.join(", ")) };
            format!("SELECT {} FROM {TABLE}{tail}", selected.join(", "))
        };
        let mut this = Self {
            sql: String::new(),
            parameters: compiler.parameters().to_vec(),
            input: stored(&input.schema),
            schema: Arc::new(Schema::empty()),
        };
        for derived in take {
            this.sql = statement(&[derived]);
            match this.plan_schema() {
                Ok(schema) => {
                    let found = schema.field(schema.fields().len() - 1).data_type().clone();
                    if storable(&found).is_none() {
                        let message = format!("has the type {found}, which cannot be stored; cast it to another");
                        findings.note(mistake_at(&derived.expression, Code::UnpublishableType, message));
                    }
                }
                Err(e) => findings.note(mistake_at(&derived.expression, Code::ExpressionType, root_message(&e))),
            }
        }
        this.sql = statement(&take.iter().collect::<Vec<_>>());
        match this.plan_schema() {
            Ok(schema) => {
                let fields = schema.fields().iter().map(|f| Some(Field::new(f.name(), storable(f.data_type())?, true)));
                this.schema = Arc::new(Schema::new(fields.collect::<Option<Vec<_>>>().unwrap_or_default()));
                result.schema = Arc::clone(&this.schema);
            }
            Err(e) if findings.count() == before => findings.note(mistake_in(path, Code::ExpressionType, root_message(&e))),
            Err(_) => {}
        }
        Some(((findings.count() == before).then_some(this), result))
    }

    fn plan_schema(&self) -> Result<Schema, DataFusionError> {
        let context = SessionContext::new_with_state(session(Arc::new(RuntimeEnv::default())));
        let frame = self.frame(&context, Source::new(Arc::clone(&self.input), std::iter::empty()))?;
        Ok(frame.schema().as_arrow().clone())
    }

    fn frame(&self, context: &SessionContext, source: Source) -> Result<DataFrame, DataFusionError> {
        let table = StreamingTable::try_new(Arc::clone(&self.input), vec![Arc::new(source)])?;
        context.register_table(TABLE, Arc::new(table))?;
        let frame = block_on(context.sql(&self.sql))?;
        if self.parameters.is_empty() { Ok(frame) } else { frame.with_param_values(self.parameters.clone()) }
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, DataFusionError>> + Send>;

/// The accepted rows, read once.
struct Source {
    schema: SchemaRef,
    batches: Mutex<Option<Batches>>,
}

impl Source {
    fn new(schema: SchemaRef, batches: impl Iterator<Item = Result<RecordBatch, DataFusionError>> + Send + 'static) -> Self {
        Self { schema, batches: Mutex::new(Some(Box::new(batches))) }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

impl PartitionStream for Source {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = self.batches.lock().unwrap_or_else(PoisonError::into_inner).take();
        let batches =
            batches.unwrap_or_else(|| Box::new(std::iter::once(Err(DataFusionError::Internal("the rows are read twice".to_owned())))));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}

/// Groups all accepted rows of a run; the result is sorted by the group columns (nulls first) and written as Parquet, partitioned as the
/// pipeline says.
///
/// `input` gives batches read back from the accepted files. Groups that do not fit into `memory_bytes` are spilled to `spill`, an empty
/// folder of the caller; spilling needs the caller's thread to be in the context of a Tokio runtime (`spawn_blocking` is), which nothing
/// else here does. The files are handed to `sink` in pieces as they grow, so that memory depends neither on the rows nor on the groups.
///
/// # Errors
/// [`EngineError::Refused`] where an aggregate overflows, [`EngineError::Bug`] for a plan without an aggregate task or batches that are not
/// those of its accepted rows; those of `sink`.
pub fn aggregate(
    compiled: &Arc<Compiled>,
    run: &str,
    input: impl Iterator<Item = Result<RecordBatch, EngineError>> + Send + 'static,
    memory_bytes: usize,
    spill: &Path,
    mut sink: impl FnMut(Pieces) -> Result<(), EngineError>,
) -> Result<Vec<AcceptedFile>, EngineError> {
    let aggregation = compiled.aggregation.as_ref().ok_or_else(|| EngineError::Bug("the plan has no aggregate task".to_owned()))?;
    let wanted = Arc::clone(&aggregation.input);
    let batches = input.map(move |batch| {
        let batch = batch.map_err(|e| DataFusionError::External(Box::new(e)))?;
        let columns = wanted.fields().iter().map(|field| {
            let column = batch.column_by_name(field.name()).cloned();
            let column = column.ok_or_else(|| DataFusionError::Internal(format!("the accepted rows lack {}", field.name())))?;
            store(column, field.data_type()).map_err(DataFusionError::Internal)
        });
        let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
        crate::tasks::new_batch(&wanted, columns, batch.num_rows()).map_err(|e| DataFusionError::External(Box::new(e)))
    });
    let fail = |e: DataFusionError| match e.find_root() {
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => {
            EngineError::Refused(Refusal::new(Code::AggregateFailed, format!("the aggregate task has no value: {}", root_message(&e))))
        }
        DataFusionError::ResourcesExhausted(_) => {
            EngineError::Bug(format!("the aggregate task needs more than {memory_bytes} bytes of memory, or disk: {}", root_message(&e)))
        }
        _ => EngineError::bug("aggregate", &e),
    };
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Directories(vec![spill.to_path_buf()]));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(memory_bytes)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(fail)?;
    let context = SessionContext::new_with_state(session(runtime));
    let frame = aggregation.frame(&context, Source::new(Arc::clone(&aggregation.input), batches)).map_err(fail)?;
    let schema = compiled.output_schema();
    let mut writer = AcceptedWriter::new(Arc::clone(&schema), &compiled.plan().pipeline.publish.partition_by)?;
    block_on(async {
        let mut results = frame.execute_stream().await.map_err(fail)?;
        while let Some(batch) = results.next().await {
            let batch = batch.map_err(fail)?;
            let mut columns = Vec::with_capacity(schema.fields().len());
            for (array, field) in batch.columns().iter().zip(aggregation.schema.fields()) {
                let stored = store(Arc::clone(array), field.data_type());
                let stored =
                    stored.map_err(|e| EngineError::Refused(Refusal::new(Code::AggregateFailed, format!("{}: {e}", field.name()))))?;
                columns.push(crate::outcome::stored_array(&stored));
            }
            columns.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(run, batch.num_rows()))));
            writer.write(&crate::tasks::new_batch(&schema, columns, batch.num_rows())?)?;
            sink(writer.drain())?;
        }
        Ok::<_, EngineError>(())
    })?;
    let (pieces, files) = writer.finish()?;
    sink(pieces)?;
    Ok(files)
}
