//! A plan made ready to run: expressions parsed and type-checked, reference tables indexed, output types known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use sluice_contract::{Format, MaskMethod, Metric, Mistake, Mistakes, Parameters, Plan, Task};

use crate::aggregate::Aggregation;
use crate::report::quality_key;
use crate::rules::Rule;
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
        let mut mistakes = Vec::new();
        check_format(&plan, &mut mistakes);
        let compiler = Compiler::new(&plan, &parameters, &mut mistakes);
        let columns = Column::all(&plan.contract).unwrap_or_else(|faults| {
            mistakes.extend(faults.into_iter().map(|(column, message)| contract_mistake(&column, message)));
            Vec::new()
        });
        let fields = plan.contract.columns.iter().map(|c| Field::new(&c.name, arrow_type(c.data_type), true));
        let parsed_schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let built = stages::build(&plan, &compiler, &parsed_schema, &tables, &secrets, &mut mistakes);
        // Types after a mistaken task are not known: what follows from them would be noise.
        let Some((stages, final_schema)) = built else { return Err(Mistakes(mistakes)) };
        let mut rules = Vec::new();
        for (i, declared) in plan.pipeline.rules.iter().enumerate() {
            match compiler.condition(&declared.when, &final_schema) {
                Err(mistake) => mistakes.push(mistake),
                Ok(when) => match Rule::new(declared, when, &final_schema, compiler.parameters()) {
                    Ok(rule) => rules.push(rule),
                    Err(e) => {
                        mistakes.push(Mistake { path: format!("rules[{i}].because"), ..mistake_at(&declared.when, Code::BadBecause, e) });
                    }
                },
            }
        }
        let keys = key_rules(&plan, &final_schema, &mut mistakes);
        let stored_schema = stored(&final_schema);
        let aggregation = Aggregation::compile(&plan, &compiler, &stored_schema, &mut mistakes);
        let output_schema = match &aggregation {
            Some(aggregation) => with_lineage(&stored(&aggregation.schema), false),
            None => with_lineage(&stored_schema, true),
        };
        for (i, column) in plan.pipeline.publish.partition_by.iter().enumerate() {
            if output_schema.index_of(column).is_err() {
                let names: Vec<_> = output_schema.fields().iter().map(|f| f.name().as_str()).collect();
                mistakes.push(mistake_in(format!("publish.partitionBy[{i}]"), Code::UnknownColumn, unknown_column(column, &names)));
            }
        }
        if !mistakes.is_empty() {
            return Err(Mistakes(mistakes));
        }
        let columns = Arc::new(columns);
        Ok(Arc::new(Self { plan, columns, parsed_schema, stages, rules, stored_schema, keys, aggregation, output_schema }))
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
                Task::Lookup(lookup) => Some(lookup.table.clone()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Columns as they are written to Parquet.
fn stored(schema: &Schema) -> SchemaRef {
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

fn contract_mistake(column: &str, message: String) -> Mistake {
    Mistake { file: "contract".to_owned(), ..mistake_in(format!("schema[0].properties.{column}"), Code::BadCheck, message) }
}

/// Settings of the file format that the splitter cannot work with.
fn check_format(plan: &Plan, mistakes: &mut Vec<Mistake>) {
    let Format::Csv(csv) = &plan.pipeline.intake.format else { return };
    let mut bad =
        |setting: &str, message: &str| mistakes.push(mistake_in(format!("intake.format.csv.{setting}"), Code::BadFormat, message));
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

fn key_rules(plan: &Plan, final_schema: &SchemaRef, mistakes: &mut Vec<Mistake>) -> Vec<KeyRule> {
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
            mistakes.push(contract_mistake(
                unknown,
                format!("the quality rule {} counts duplicates in a column that is not there", quality.name),
            ));
            continue;
        }
        keys.push(KeyRule { name: quality_key(&quality.name), kind: KeyKind::Count, columns: columns.clone() });
    }
    for (i, task) in plan.pipeline.tasks.iter().enumerate() {
        let Task::Deduplicate { by } = task else { continue };
        let names: Vec<_> = final_schema.fields().iter().map(|f| f.name().as_str()).collect();
        for name in by.iter().filter(|n| !names.contains(&n.as_str())) {
            mistakes.push(mistake_in(format!("tasks[{i}].deduplicate.by"), Code::UnknownColumn, unknown_column(name, &names)));
        }
        if by.is_empty() {
            mistakes.push(mistake_in(format!("tasks[{i}].deduplicate.by"), Code::UnknownColumn, "names no column"));
        }
        keys.push(KeyRule { name: format!("deduplicate:{i}"), kind: KeyKind::Deduplicate, columns: by.clone() });
    }
    keys
}
