//! A plan made ready to run: expressions parsed and type-checked, reference tables indexed, output types known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use sluice_contract::{CONTRACT_FILE, Draft, Format, Gaps, MaskMethod, Metric, Mistake, Mistakes, Parameters, Plan, Sources, Task};

use crate::aggregate::Aggregation;
use crate::findings::Findings;
use crate::report::quality_key;
use crate::rules::Rule;
use crate::scope::{Scope, UNKNOWN};
use crate::sql::{Compiler, mistake_at, mistake_in, unknown_column};
use crate::stages;
use crate::tasks::Stage;
use crate::typed::builder::arrow_type;
use crate::typed::column::Column;
use crate::{Code, KeyKind, KeyRule, ReferenceTables};

/// Name of the lineage column with the run's id.
pub const RUN_COLUMN: &str = "_sluice_run";
/// Name of the lineage column with the row's number in its file.
pub const ROW_COLUMN: &str = "_sluice_row";

/// Secrets by name. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Secrets(pub BTreeMap<String, Vec<u8>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A plan made ready to run. Cheap to share between threads.
pub struct Compiled {
    plan: Plan,
    pub(crate) columns: Arc<Vec<Column>>,
    /// The contract's columns.
    pub(crate) parsed_schema: SchemaRef,
    pub(crate) stages: Vec<Stage>,
    pub(crate) rules: Vec<Rule>,
    /// The columns as they are written, without lineage.
    pub(crate) stored_schema: SchemaRef,
    pub(crate) keys: Vec<KeyRule>,
    pub(crate) aggregation: Option<Aggregation>,
    output_schema: SchemaRef,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("pipeline", &self.plan.pipeline.name).finish_non_exhaustive()
    }
}

impl Compiled {
    /// Compiles a plan with the values and tables of one run.
    ///
    /// # Errors
    /// Every mistake found, each with code, path, line and column in the pipeline file.
    #[expect(clippy::needless_pass_by_value, reason = "values and secrets are those of one run")]
    pub fn new(plan: Plan, parameters: Parameters, tables: ReferenceTables, secrets: Secrets) -> Result<Arc<Self>, Mistakes> {
        Self::build(plan, &Gaps::default(), &[], &parameters, &tables, &secrets).map(Arc::new).map_err(Mistakes)
    }

    /// Compiles what could be read of texts. What only follows from a mistake in them is no further mistake.
    ///
    /// # Errors
    /// The draft's mistakes and every one found on top, each once, with its place in `sources`: those of the pipeline in file order, then
    /// those of the contract.
    #[expect(clippy::needless_pass_by_value, reason = "values and secrets are those of one run")]
    pub fn of_draft(
        draft: Draft,
        sources: &Sources<'_>,
        parameters: Parameters,
        tables: ReferenceTables,
        secrets: Secrets,
    ) -> Result<Arc<Self>, Mistakes> {
        let Draft { plan, gaps, mut mistakes } = draft;
        let built = plan.map(|plan| Self::build(plan, &gaps, &mistakes, &parameters, &tables, &secrets));
        match built {
            Some(Ok(compiled)) if mistakes.is_empty() => return Ok(Arc::new(compiled)),
            Some(Ok(_)) | None => {}
            Some(Err(found)) => mistakes.extend(sources.place(Mistakes(found)).0),
        }
        mistakes.sort_by_key(|m| (m.file == sources.contract_file, m.line, m.column));
        Err(Mistakes(mistakes))
    }

    /// The compiled plan, which is of no use if anything was `told` or unknown: its parts may be missing.
    fn build(
        plan: Plan,
        gaps: &Gaps,
        told: &[Mistake],
        parameters: &Parameters,
        tables: &ReferenceTables,
        secrets: &Secrets,
    ) -> Result<Self, Vec<Mistake>> {
        let mut findings = Findings::new(told, gaps);
        if !findings.is_told("intake") {
            check_format(&plan, &mut findings);
        }
        let compiler = Compiler::new(&plan, parameters, &mut findings);
        let columns = Column::all(&plan.contract).unwrap_or_else(|faults| {
            for (column, message) in faults.into_iter().filter(|(column, _)| !gaps.types.contains(column)) {
                findings.note(contract_mistake(&plan, &column, &message));
            }
            Vec::new()
        });
        let mut parsed = Scope::new(gaps.columns);
        for column in &plan.contract.columns {
            parsed.set(&column.name, if gaps.types.contains(&column.name) { UNKNOWN } else { arrow_type(column.data_type) });
        }
        let parsed_schema = Arc::clone(&parsed.schema);
        let (stages, scope) = stages::build(&plan, &compiler, parsed, tables, secrets, &mut findings);
        let rules = rules(&plan, &compiler, &scope, &mut findings);
        let keys = key_rules(&plan, &scope, &mut findings);
        let stored_schema = stored(&scope.schema);
        let (aggregation, published) = match Aggregation::compile(&plan, &compiler, &scope, &mut findings) {
            Some((aggregation, result)) => (aggregation, result),
            None => (None, scope),
        };
        let with_row = aggregation.is_none();
        let output = Scope { schema: with_lineage(&stored(&published.schema), with_row), ..published };
        for (i, column) in plan.pipeline.publish.partition_by.iter().enumerate() {
            if output.lacks(column) {
                let message = unknown_column(column, &output.names());
                findings.note(mistake_in(format!("publish.partitionBy[{i}]"), Code::UnknownColumn, message));
            }
        }
        let mut found = findings.into_found();
        let row_wise = plan.pipeline.tasks.iter().filter(|task| !task.is_run_wide()).count();
        let is_whole = stages.len() == row_wise && rules.len() == plan.pipeline.rules.len() && aggregation.is_some() == aggregates(&plan);
        if found.is_empty() && told.is_empty() && !is_whole {
            // A part that is missing without a mistake would be a fault of this program: no row may go past it.
            found.push(mistake_in("tasks", Code::ExpressionType, "a part of the pipeline could not be compiled; report this"));
        }
        if !found.is_empty() {
            return Err(found);
        }
        let (columns, output_schema) = (Arc::new(columns), output.schema);
        Ok(Self { plan, columns, parsed_schema, stages, rules, stored_schema, keys, aggregation, output_schema })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The columns of published rows: what the tasks leave, then `_sluice_run` (text) and `_sluice_row` (int64).
    /// With an aggregate task: its columns, then `_sluice_run`. Times of day are published as text (Delta tables have no such type).
    pub fn output_schema(&self) -> SchemaRef {
        Arc::clone(&self.output_schema)
    }

    /// The columns of accepted rows as a chunk writes them: those after the row-wise tasks, and lineage.
    pub fn accepted_schema(&self) -> SchemaRef {
        with_lineage(&self.stored_schema, true)
    }

    /// Keys that are compared over the whole run.
    pub fn keys(&self) -> &[KeyRule] {
        &self.keys
    }

    /// Whether the run ends in an aggregate task, so that accepted rows go through [`crate::aggregate()`] before publishing.
    pub fn aggregates(&self) -> bool {
        self.aggregation.is_some()
    }

    /// Partition columns of the files of accepted rows: none if they are aggregated first.
    pub(crate) fn partition_by(&self) -> &[String] {
        if self.aggregates() { &[] } else { &self.plan.pipeline.publish.partition_by }
    }

    /// Names of the secrets a plan needs, sorted.
    pub fn required_secrets(plan: &Plan) -> Vec<String> {
        let mut names: Vec<_> = plan
            .pipeline
            .tasks
            .iter()
            .filter_map(|task| match task {
                Task::Mask(mask) => match &mask.with {
                    MaskMethod::HmacSha256 { key } => Some(key.clone()),
                    MaskMethod::Redact | MaskMethod::Truncate { .. } => None,
                },
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Names of the reference tables a plan needs, sorted.
    pub fn required_tables(plan: &Plan) -> Vec<String> {
        let mut names: Vec<_> = plan
            .pipeline
            .tasks
            .iter()
            .filter_map(|task| match task {
                // In a draft, the name may be missing.
                Task::Lookup(lookup) => Some(lookup.table.clone()).filter(|name| !name.is_empty()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn aggregates(plan: &Plan) -> bool {
    plan.pipeline.tasks.iter().any(|task| matches!(task, Task::Aggregate { .. }))
}

/// Compiles the rules over the columns after the row-wise tasks.
fn rules(plan: &Plan, compiler: &Compiler, scope: &Scope, findings: &mut Findings<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for declared in &plan.pipeline.rules {
        let when = compiler.condition(&declared.when, scope, findings);
        match Rule::new(declared, when, &scope.schema, compiler.parameters()) {
            Ok(rule) => rules.extend(rule),
            Err(name) if scope.is_open || findings.is_told(&format!("parameters.{name}")) => {}
            Err(name) => {
                let message = format!("{{{name}}} is neither a column here nor a parameter");
                let path = declared.when.path.strip_suffix("when").map_or_else(String::new, |rule| format!("{rule}because"));
                findings.note(Mistake { path, ..mistake_at(&declared.when, Code::BadBecause, message) });
            }
        }
    }
    rules
}

/// Columns as they are written to Parquet.
pub(crate) fn stored(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        ArrowType::Time64(TimeUnit::Microsecond) => Field::new(field.name(), ArrowType::Utf8, true),
        data_type => Field::new(field.name(), data_type.clone(), true),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn with_lineage(schema: &Schema, with_row: bool) -> SchemaRef {
    let mut fields: Vec<_> = schema.fields().iter().map(|f| f.as_ref().clone()).collect();
    fields.push(Field::new(RUN_COLUMN, ArrowType::Utf8, false));
    if with_row {
        fields.push(Field::new(ROW_COLUMN, ArrowType::Int64, false));
    }
    Arc::new(Schema::new(fields))
}

fn contract_mistake(plan: &Plan, column: &str, message: &str) -> Mistake {
    let place = plan.contract.columns.iter().position(|c| c.name == column);
    let path = place.map_or_else(|| "schema[0].quality".to_owned(), |place| format!("schema[0].properties[{place}]"));
    Mistake { file: CONTRACT_FILE.to_owned(), ..mistake_in(path, Code::BadCheck, format!("{column}: {message}")) }
}

/// Settings of the file format that the splitter cannot work with.
fn check_format(plan: &Plan, findings: &mut Findings<'_>) {
    let Format::Csv(csv) = &plan.pipeline.intake.format else { return };
    let mut bad =
        |setting: &str, message: &str| findings.note(mistake_in(format!("intake.format.csv.{setting}"), Code::BadFormat, message));
    let ends_line = |text: &str| text.contains(['\n', '\r']);
    if csv.delimiter.is_empty() || csv.delimiter.len() > 16 || ends_line(&csv.delimiter) {
        bad("delimiter", "must be 1 to 16 bytes without line ends");
    }
    if csv.quote.is_some_and(|q| !q.is_ascii() || q == '\n' || q == '\r') {
        bad("quote", "must be one ASCII character");
    }
    if csv.quote.is_some_and(|q| csv.delimiter.contains(q)) {
        bad("quote", "must not be in the delimiter");
    }
    if csv.escape == sluice_contract::Escape::Backslash && csv.quote == Some('\\') {
        bad("quote", "must not be the escape");
    }
    if let Some(comment) = &csv.comment {
        if comment.is_empty() || comment.len() > 16 || ends_line(comment) {
            bad("comment", "must be 1 to 16 bytes without line ends");
        } else if comment.contains(csv.delimiter.as_str()) || csv.quote.is_some_and(|q| comment.contains(q)) {
            bad("comment", "must have neither delimiter nor quote in it");
        }
    }
    if csv.thousands == Some(csv.decimal) {
        bad("thousands", "must not be the decimal separator");
    }
}

fn key_rules(plan: &Plan, scope: &Scope, findings: &mut Findings<'_>) -> Vec<KeyRule> {
    let mut keys = Vec::new();
    let primary: Vec<String> = plan.contract.primary_key().into_iter().map(str::to_owned).collect();
    let is_primary = |column: &str| primary.len() == 1 && primary[0] == column;
    if !primary.is_empty() {
        keys.push(KeyRule { name: "primaryKey".to_owned(), kind: KeyKind::PrimaryKey, columns: primary.clone() });
    }
    for column in plan.contract.columns.iter().filter(|c| c.unique && !is_primary(&c.name)) {
        keys.push(KeyRule { name: format!("unique:{}", column.name), kind: KeyKind::Unique, columns: vec![column.name.clone()] });
    }
    for quality in &plan.contract.quality {
        let Metric::DuplicateValues { columns } = &quality.metric else { continue };
        if let Some(unknown) = columns.iter().find(|name| plan.contract.columns.iter().all(|c| c.name != **name)) {
            // Columns that cannot be read are missing here; and a wrong name was told by the contract itself.
            if !findings.gaps.columns && !findings.is_told("schema[0].quality") {
                let message = format!("the quality rule {} counts duplicates in a column that is not there", quality.name);
                findings.note(contract_mistake(plan, unknown, &message));
            }
            continue;
        }
        keys.push(KeyRule { name: quality_key(&quality.name), kind: KeyKind::Count, columns: columns.clone() });
    }
    for (i, task) in plan.pipeline.tasks.iter().enumerate() {
        let Task::Deduplicate { by } = task else { continue };
        for name in by.iter().filter(|name| scope.lacks(name)) {
            let message = unknown_column(name, &scope.names());
            findings.note(mistake_in(format!("tasks[{i}].deduplicate.by"), Code::UnknownColumn, message));
        }
        if by.is_empty() {
            findings.note(mistake_in(format!("tasks[{i}].deduplicate.by"), Code::UnknownColumn, "names no column"));
        }
        keys.push(KeyRule { name: format!("deduplicate:{i}"), kind: KeyKind::Deduplicate, columns: by.clone() });
    }
    keys
}
