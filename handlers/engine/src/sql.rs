//! SQL expressions over the columns of a row: parsed and type-checked when a plan is compiled, evaluated over batches.
//!
//! Names of columns are taken as written (`DepDelay` is not `depdelay`), numbers with a point are exact decimals, and integer arithmetic
//! that overflows is an error of its row, never a wrapped value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue, SchemaError};
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::BinaryExpr;
use datafusion::prelude::SessionConfig;
use sluice_contract::{Expression, Mistake, ParameterType, ParameterValue, Parameters, Plan};

use crate::Code;
use crate::findings::Findings;
use crate::scope::{Scope, UNKNOWN};
use crate::typed::instant;

/// How mistakes name the pipeline file, which a plan does not know; the caller may put its own name there.
pub(crate) const PIPELINE_FILE: &str = "pipeline";

/// What expressions are compiled with.
pub(crate) struct Compiler {
    state: SessionState,
    parameters: Vec<(String, ScalarValue)>,
}

/// An expression ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    expression: Arc<dyn PhysicalExpr>,
    /// The type of its values, one that can be stored.
    pub(crate) data_type: DataType,
}

/// Values of an expression over a batch, and the rows that have none.
pub(crate) struct Evaluated {
    pub(crate) values: ArrayRef,
    /// Row of the batch and why, in order.
    pub(crate) failed: Vec<(usize, String)>,
}

/// A session of its own (sessions share their tables when they are cloned), with the functions this build has.
pub(crate) fn session(runtime: Arc<RuntimeEnv>) -> SessionState {
    let mut options = ConfigOptions::default();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.target_partitions = 1;
    // The caller's memory limit may be small; what merging needs must fit into it.
    options.execution.sort_spill_reservation_bytes = 1 << 20;
    let config = SessionConfig::from(options).with_information_schema(false);
    SessionStateBuilder::new().with_default_features().with_config(config).with_runtime_env(runtime).build()
}

/// A mistake at the place of an expression.
pub(crate) fn mistake_at(expression: &Expression, code: Code, message: impl Into<String>) -> Mistake {
    Mistake {
        code: code.to_string(),
        file: PIPELINE_FILE.to_owned(),
        path: expression.path.clone(),
        line: expression.line,
        column: expression.column,
        message: message.into(),
    }
}

/// A mistake at a path of the pipeline file, of which only the path is known.
pub(crate) fn mistake_in(path: impl Into<String>, code: Code, message: impl Into<String>) -> Mistake {
    let (code, file) = (code.to_string(), PIPELINE_FILE.to_owned());
    Mistake { code, file, path: path.into(), line: 0, column: 0, message: message.into() }
}

impl Compiler {
    /// Checks the parameters and makes a session with the functions this build has.
    pub(crate) fn new(plan: &Plan, parameters: &Parameters, findings: &mut Findings<'_>) -> Self {
        let state = session(Arc::new(RuntimeEnv::default()));
        let mut values = Vec::new();
        for (name, spec) in &plan.pipeline.parameters {
            let value = parameters.get(name).unwrap_or(&spec.default);
            match scalar(spec.kind, value) {
                Some(value) => values.push((name.clone(), value)),
                None => findings.note(mistake_in(
                    format!("parameters.{name}"),
                    Code::BadParameter,
                    format!("the value {value:?} is no {:?}; set another", spec.kind),
                )),
            }
        }
        for name in parameters.keys().filter(|name| !plan.pipeline.parameters.contains_key(*name)) {
            let path = format!("parameters.{name}");
            // One whose declaration is mistaken is not among those declared.
            if !findings.is_told(&path) {
                findings.note(mistake_in(path, Code::BadParameter, format!("the parameter {name} is not declared in the pipeline")));
            }
        }
        Self { state, parameters: values }
    }

    /// Parameters with their values.
    pub(crate) fn parameters(&self) -> &[(String, ScalarValue)] {
        &self.parameters
    }

    /// Parses an expression and puts parameters in place. `None` if it is mistaken, or names something whose type is not known.
    fn resolve(&self, expression: &Expression, scope: &Scope, aggregates: bool, findings: &mut Findings<'_>) -> Option<(Expr, DFSchema)> {
        if findings.is_unreadable(expression) {
            return None;
        }
        let mut known = scope.clone();
        let (logical, columns) = loop {
            match self.logical(expression, &known.schema) {
                Ok(found) => break found,
                Err(Fault::Column(name)) => {
                    if scope.lacks(&name) {
                        findings.note(mistake_at(expression, Code::UnknownColumn, unknown_column(&name, &scope.names())));
                    }
                    // Another one may be unknown too, so this one is taken as there; one with the name of a table in front cannot be.
                    if name.contains('.') || known.place(&name).is_some() {
                        return None;
                    }
                    known.set(&name, UNKNOWN);
                }
                Err(Fault::Other(code, message)) => {
                    if !follows(code, &message, expression, &known) {
                        findings.note(mistake_at(expression, code, message));
                    }
                    return None;
                }
            }
        };
        let filled = self.fill(logical, aggregates, expression, findings)?;
        let is_unknown = filled.column_refs().iter().any(|column| known.type_of(column.name()).is_none());
        (!is_unknown).then_some((filled, columns))
    }

    /// The expression as it is written, its columns found.
    fn logical(&self, expression: &Expression, schema: &SchemaRef) -> Result<(Expr, DFSchema), Fault> {
        let columns = DFSchema::try_from(Arc::clone(schema)).map_err(|e| Fault::Other(Code::ExpressionType, e.strip_backtrace()))?;
        let dialect = self.state.config_options().sql_parser.dialect;
        let parsed = self.state.sql_to_expr_with_alias(&expression.sql, &dialect);
        let parsed = parsed.map_err(|e| Fault::Other(Code::ExpressionSyntax, format!("is no SQL expression: {}", root_message(&e))))?;
        let logical = self.state.create_logical_expr_from_sql_expr(parsed, &columns).map_err(|e| Fault::of(&e))?;
        Ok((logical, columns))
    }

    /// Checks an expression of an aggregate task as far as it can be checked alone; whether that was possible and gave no mistake.
    pub(crate) fn check_aggregate(&self, expression: &Expression, scope: &Scope, findings: &mut Findings<'_>) -> bool {
        self.resolve(expression, scope, true, findings).is_some()
    }

    /// Compiles an expression over the columns of `scope`. `None` if it is mistaken, or names something whose type is not known.
    pub(crate) fn compile(&self, expression: &Expression, scope: &Scope, findings: &mut Findings<'_>) -> Option<Compiled> {
        let (logical, columns) = self.resolve(expression, scope, false, findings)?;
        let compiled = self.typed(logical, &columns, &scope.schema);
        compiled.map_err(|(code, message)| findings.note(mistake_at(expression, code, message))).ok()
    }

    fn typed(&self, logical: Expr, columns: &DFSchema, schema: &SchemaRef) -> Result<Compiled, (Code, String)> {
        let wrong = |message: String| (Code::ExpressionType, message);
        let physical = self.physical(logical, columns).map_err(|e| wrong(root_message(&e)))?;
        let physical = physical
            .transform_up(|node| {
                Ok(match node.downcast_ref::<BinaryExpr>() {
                    Some(binary) => {
                        let checked = BinaryExpr::new(Arc::clone(binary.left()), *binary.op(), Arc::clone(binary.right()));
                        Transformed::yes(Arc::new(checked.with_fail_on_overflow(true)) as Arc<dyn PhysicalExpr>)
                    }
                    None => Transformed::no(node),
                })
            })
            .map_err(|e| wrong(root_message(&e)))?
            .data;
        let found = physical.data_type(schema).map_err(|e| wrong(root_message(&e)))?;
        let unstorable = || (Code::UnpublishableType, format!("has the type {found}, which cannot be stored; cast it to another"));
        let data_type = storable(&found).ok_or_else(unstorable)?;
        let compiled = Compiled { expression: physical, data_type };
        // Evaluating nothing finds mistakes that only show at run time, such as a constant that cannot be cast.
        compiled.whole(&RecordBatch::new_empty(Arc::clone(schema))).map_err(wrong)?;
        Ok(compiled)
    }

    /// Plans an expression. Some functions (`coalesce`, `nvl`) exist only until they are simplified to others, which needs their
    /// arguments in the types they are called with.
    fn physical(&self, logical: Expr, columns: &DFSchema) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        let context =
            SimplifyContext::builder().with_schema(Arc::new(columns.clone())).with_config_options(Arc::clone(self.state.config_options()));
        let context = context.build();
        let coerced = ExprSimplifier::new(context.clone()).coerce(logical, columns)?;
        let simple = coerced.transform_up(|node| match node {
            Expr::ScalarFunction(call) => Ok(match call.func.simplify(call.args, &context)? {
                ExprSimplifyResult::Simplified(simple) => Transformed::yes(simple),
                ExprSimplifyResult::Original(args) => Transformed::no(Expr::ScalarFunction(ScalarFunction { func: call.func, args })),
            }),
            other => Ok(Transformed::no(other)),
        })?;
        self.state.create_physical_expr(simple.data, columns)
    }

    /// Compiles a condition. `None` as with [`Compiler::compile`].
    pub(crate) fn condition(&self, expression: &Expression, scope: &Scope, findings: &mut Findings<'_>) -> Option<Compiled> {
        let compiled = self.compile(expression, scope, findings)?;
        if compiled.data_type == DataType::Boolean {
            return Some(compiled);
        }
        let message = format!("is a condition and must be true or false, but its type is {}", compiled.data_type);
        findings.note(mistake_at(expression, Code::NotACondition, message));
        None
    }

    /// Puts parameter values in place, and refuses what does not depend on its row alone. `None` if there is anything to refuse, or a
    /// parameter without a value.
    fn fill(&self, logical: Expr, aggregates: bool, expression: &Expression, findings: &mut Findings<'_>) -> Option<Expr> {
        let mut refused = Vec::new();
        let mut is_whole = true;
        let filled = logical.transform_up(|node| {
            Ok(match node {
                Expr::Placeholder(placeholder) => {
                    let name = placeholder.id.trim_start_matches('$');
                    if let Some((_, value)) = self.parameters.iter().find(|(n, _)| n == name) {
                        Transformed::yes(Expr::Literal(value.clone(), None))
                    } else {
                        is_whole = false;
                        if !findings.is_parameter_told(name, expression) {
                            refused.push((Code::UnknownParameter, format!("${name} is not a parameter of this pipeline")));
                        }
                        Transformed::no(Expr::Placeholder(placeholder))
                    }
                }
                other => Transformed::no(other),
            })
        });
        let mut refuse = |message: String| refused.push((Code::NotRepeatable, message));
        let seen = filled.and_then(|filled| {
            filled.data.apply(|node| {
                match node {
                    Expr::ScalarFunction(call) if call.func.signature().volatility != Volatility::Immutable => {
                        refuse(format!("{}() gives another value each time; the same row must always give the same", call.func.name()));
                    }
                    Expr::AggregateFunction(_) if aggregates => {}
                    Expr::AggregateFunction(_) | Expr::WindowFunction(_) => {
                        refuse("looks at other rows; only an aggregate task can do so".to_owned());
                    }
                    Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                        refuse("has a subquery; use a lookup task".to_owned());
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
            Ok(filled.data)
        });
        is_whole &= refused.is_empty();
        match seen {
            Ok(filled) => {
                for (code, message) in refused {
                    findings.note(mistake_at(expression, code, message));
                }
                is_whole.then_some(filled)
            }
            Err(error) => {
                findings.note(mistake_at(expression, Code::ExpressionType, root_message(&error)));
                None
            }
        }
    }
}

/// Why an expression could not be resolved.
enum Fault {
    /// There is no column of this name.
    Column(String),
    Other(Code, String),
}

impl Fault {
    fn of(error: &DataFusionError) -> Self {
        if let DataFusionError::SchemaError(schema_error, _) = error.find_root()
            && let SchemaError::FieldNotFound { field, .. } = schema_error.as_ref()
        {
            return Self::Column(field.flat_name());
        }
        Self::Other(Code::ExpressionType, root_message(error))
    }
}

/// Whether a mistake of types may only follow from a column whose type is not known.
fn follows(code: Code, message: &str, expression: &Expression, scope: &Scope) -> bool {
    // That there is no such function is a mistake whatever its arguments are.
    let is_about_types = code == Code::ExpressionType && !message.starts_with("Invalid function");
    is_about_types && scope.names().into_iter().any(|name| scope.type_of(name).is_none() && expression.sql.contains(name))
}

/// `there is no column x here; did you mean y?`
pub(crate) fn unknown_column(name: &str, names: &[&str]) -> String {
    let near = names.iter().find(|n| n.eq_ignore_ascii_case(name));
    match near {
        Some(near) => format!("there is no column {name} here; did you mean {near}?"),
        None => format!("there is no column {name} here; there are {}", names.join(", ")),
    }
}

impl Compiled {
    /// Evaluates over a batch. Rows for which that fails are found by halving, so that one bad row costs no other.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Evaluated {
        match self.whole(batch) {
            Ok(values) => Evaluated { values, failed: Vec::new() },
            Err(message) if batch.num_rows() == 1 => Evaluated { values: new_null_array(&self.data_type, 1), failed: vec![(0, message)] },
            Err(_) => {
                let half = batch.num_rows() / 2;
                let mut left = self.evaluate(&batch.slice(0, half));
                let right = self.evaluate(&batch.slice(half, batch.num_rows() - half));
                left.failed.extend(right.failed.into_iter().map(|(row, message)| (row + half, message)));
                let values = concat(&[left.values.as_ref(), right.values.as_ref()]);
                let values = values.unwrap_or_else(|_| new_null_array(&self.data_type, batch.num_rows()));
                Evaluated { values, failed: left.failed }
            }
        }
    }

    fn whole(&self, batch: &RecordBatch) -> Result<ArrayRef, String> {
        let values = self.expression.evaluate(batch).and_then(|v| v.into_array(batch.num_rows())).map_err(|e| root_message(&e))?;
        store(values, &self.data_type)
    }
}

/// Changes an array to the type it is stored as; refuses values that would not stay the same.
pub(crate) fn store(values: ArrayRef, data_type: &DataType) -> Result<ArrayRef, String> {
    if values.data_type() == data_type {
        return Ok(values);
    }
    let stored = cast(&values, data_type).map_err(|e| e.to_string())?;
    if stored.null_count() > values.logical_null_count() {
        return Err(format!("a value does not fit the type {data_type}"));
    }
    Ok(stored)
}

/// The type that values are stored as: text without views, signed integers, microseconds. `None` if there is none.
pub(crate) fn storable(found: &DataType) -> Option<DataType> {
    Some(match found {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Date32
        | DataType::Time64(TimeUnit::Microsecond)
        | DataType::Timestamp(TimeUnit::Microsecond, None) => found.clone(),
        DataType::Decimal128(precision, scale) if *scale >= 0 && *scale as u8 <= *precision => found.clone(),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) if *scale >= 0 => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Dictionary(_, value) => return storable(value),
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => return None,
    })
}

/// A parameter's value as a literal; `None` if it is not of its declared type.
fn scalar(kind: ParameterType, value: &ParameterValue) -> Option<ScalarValue> {
    Some(match (kind, value) {
        (ParameterType::Boolean, ParameterValue::Boolean(value)) => ScalarValue::Boolean(Some(*value)),
        (ParameterType::Integer, ParameterValue::Integer(value)) => ScalarValue::Int64(Some(*value)),
        (ParameterType::Number, ParameterValue::Integer(value)) => ScalarValue::Float64(Some(*value as f64)),
        (ParameterType::Number, ParameterValue::Number(value)) => ScalarValue::Float64(Some(*value)),
        (ParameterType::String, ParameterValue::Text(value)) => ScalarValue::Utf8(Some(value.clone())),
        (ParameterType::Date, ParameterValue::Text(value)) => ScalarValue::Date32(Some(instant::date(value.as_bytes())?)),
        _ => return None,
    })
}

/// The innermost message, without the names of the libraries that wrap it.
pub(crate) fn root_message(error: &DataFusionError) -> String {
    let root = error.find_root();
    let text = match root {
        DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
            arrow::error::ArrowError::DivideByZero => "division by zero".to_owned(),
            other => other.to_string(),
        },
        DataFusionError::SQL(parser, _) => parser.to_string(),
        other => other.strip_backtrace(),
    };
    let mut text = text.as_str();
    for prefix in [
        "Error during planning: ",
        "Execution error: ",
        "Arrow error: ",
        "Arithmetic overflow: ",
        "Cast error: ",
        "Compute error: ",
        "sql parser error: ",
    ] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    text.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}
