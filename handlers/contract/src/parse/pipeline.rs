//! The pipeline document.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::format::{Compression, CsvFormat, Format};
use crate::pipeline::{Archive, Intake, Limits, Pipeline, Publish, Review, Tier};
use crate::plan::Unknown;
use crate::reader::{Cursor, shorten};

use super::columns::Columns;
use super::parameter::Declared;
use super::{duration, intake, rule, task};

const DOCUMENT: &[&str] = &[
    "apiVersion",
    "kind",
    "name",
    "description",
    "contract",
    "intake",
    "parameters",
    "tasks",
    "rules",
    "limits",
    "review",
    "publish",
    "archive",
];

/// Longest name of a pipeline, table or reference table.
const MAX_NAME: usize = 64;
/// Largest `rowBytes`: a row is held in memory whole.
const MAX_ROW_BYTES: u64 = 256 << 20;
/// Largest `expansion`.
const MAX_EXPANSION: u32 = 100_000;
/// Longest `dueWithin`, in seconds.
const MAX_DUE: u64 = 3660 * duration::DAY;
/// Longest `retain`, in days: a hundred years.
const MAX_RETAIN: u64 = 36_600;

/// A document as far as it could be read.
pub(crate) struct Read {
    /// Defaults stand for parts with mistakes.
    pub(crate) pipeline: Pipeline,
    /// No default stands for anything.
    pub(crate) is_whole: bool,
    /// What is unknown after tasks that could not be read, by their places in the list.
    pub(crate) unread_tasks: BTreeMap<usize, Unknown>,
}

impl Read {
    /// The pipeline, if all of it could be read.
    pub(crate) fn whole(self) -> Option<Pipeline> {
        self.is_whole.then_some(self.pipeline)
    }
}

/// Reads the document; `columns` are those of the contract. `None` if it is no mapping at all.
pub(crate) fn read(root: &Cursor<'_>, columns: Columns) -> Option<Read> {
    let fields = root.fields(DOCUMENT)?;
    if let Some(value) = fields.need("apiVersion") {
        value.choice(&[("sluice/v1", ())]);
    }
    if let Some(value) = fields.need("kind") {
        value.choice(&[("Pipeline", ())]);
    }
    if let Some(value) = fields.get("description") {
        value.text();
    }
    let name = fields.need("name").and_then(|v| pipeline_name(&v));
    let contract = fields.need("contract").and_then(|v| contract_file(&v));
    let intake = fields.need("intake").and_then(|v| intake::read(&v));
    let parameters = Declared::read(fields.get("parameters"));
    let tasks = task::read_all(fields.get("tasks").as_ref(), columns, &parameters);
    let rules = rule::read_all(fields.get("rules").as_ref(), &tasks.row_wise, &parameters);
    let limits = fields.get("limits").map_or(Some(Limits::default()), |v| limits(&v));
    let review = fields.get("review").map_or(Some(Review::default()), |v| review(&v));
    let publish = fields.need("publish").and_then(|v| publish(&v, &tasks.published));
    let archive = fields.get("archive").map_or(Some(Archive::default()), |v| archive(&v));
    let parameters = parameters.finish();
    let is_whole = name.is_some()
        && contract.is_some()
        && intake.is_some()
        && limits.is_some()
        && review.is_some()
        && publish.is_some()
        && archive.is_some();
    let pipeline = Pipeline {
        name: name.unwrap_or_default(),
        contract: contract.unwrap_or_default(),
        intake: intake.unwrap_or_else(no_intake),
        parameters,
        tasks: tasks.tasks,
        rules,
        limits: limits.unwrap_or_default(),
        review: review.unwrap_or_default(),
        publish: publish.unwrap_or_else(|| Publish { table: String::new(), partition_by: Vec::new() }),
        archive: archive.unwrap_or_default(),
    };
    Some(Read { pipeline, is_whole, unread_tasks: tasks.unread })
}

/// Stands for an intake with mistakes.
fn no_intake() -> Intake {
    let format = Format::Csv(CsvFormat::default());
    Intake { partner: String::new(), path: String::new(), format, compression: Compression::Auto }
}

fn pipeline_name(value: &Cursor<'_>) -> Option<String> {
    let name = value.name()?;
    if intake::is_slug(name) && name.len() <= MAX_NAME {
        return Some(name.to_owned());
    }
    let message = format!(
        "`{}` cannot be the name of a pipeline: expected up to {MAX_NAME} lower case letters, digits and single hyphens",
        shorten(name)
    );
    value.mistake(Code::PipelineName, message);
    None
}

/// A table's name is a folder in the lake: lower case letters, digits and underscores.
pub(crate) fn table_name(value: &Cursor<'_>) -> Option<String> {
    let name = value.name()?;
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts_well && name.len() <= MAX_NAME && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Some(name.to_owned());
    }
    let message = format!(
        "`{}` cannot be the name of a table: expected a lower case letter, then up to 63 lower case letters, digits and _",
        shorten(name)
    );
    value.mistake(Code::PipelineName, message);
    None
}

fn contract_file(value: &Cursor<'_>) -> Option<String> {
    let name = value.name()?;
    if name.starts_with('.') || name.chars().any(|c| c.is_control() || "/\\:".contains(c)) {
        let message = format!("expected the name of a file beside the pipeline, such as `flights.odcs.yaml`, found `{}`", shorten(name));
        value.mistake(Code::ContractFile, message);
        return None;
    }
    Some(name.to_owned())
}

fn limits(value: &Cursor<'_>) -> Option<Limits> {
    let fields = value.fields(&["rejectedPercent", "rowBytes", "expansion"])?;
    let defaults = Limits::default();
    let rejected_percent = fields.get("rejectedPercent").map(|value| percent(&value));
    let row_bytes = fields.get("rowBytes").map_or(Some(defaults.row_bytes), |v| v.integer(1..=MAX_ROW_BYTES));
    let expansion = fields.get("expansion").map_or(Some(defaults.expansion), |v| v.integer(1..=MAX_EXPANSION));
    let rejected_percent = match rejected_percent {
        Some(percent) => Some(percent?),
        None => None,
    };
    Some(Limits { rejected_percent, row_bytes: row_bytes?, expansion: expansion? })
}

fn percent(value: &Cursor<'_>) -> Option<f64> {
    let percent = value.number()?;
    if !(0.0..=100.0).contains(&percent) {
        value.mistake(Code::PipelineRange, format!("expected 0 to 100 percent, found {percent}"));
        return None;
    }
    Some(percent)
}

fn review(value: &Cursor<'_>) -> Option<Review> {
    let fields = value.fields(&["approvers", "dueWithin"])?;
    let defaults = Review::default();
    let approvers = fields.get("approvers").map_or(Some(defaults.approvers), |v| v.integer(1..=2));
    let due = fields.get("dueWithin").map_or(Some(defaults.due_within_seconds), |v| {
        let seconds = read_duration(&v)?;
        if !(60..=MAX_DUE).contains(&seconds) {
            v.mistake(Code::Duration, "expected one minute (PT1M) to ten years");
            return None;
        }
        Some(seconds)
    });
    Some(Review { approvers: approvers?, due_within_seconds: due? })
}

fn read_duration(value: &Cursor<'_>) -> Option<u64> {
    let text = value.text()?;
    let seconds = duration::seconds(text);
    if seconds.is_none() {
        let message = format!("expected an ISO 8601 duration of whole numbers such as P2D, PT4H or P7Y, found `{}`", shorten(text));
        value.mistake(Code::Duration, message);
    }
    seconds
}

fn publish(value: &Cursor<'_>, columns: &Columns) -> Option<Publish> {
    let fields = value.fields(&["table", "partitionBy"])?;
    let table = fields.need("table").and_then(|v| table_name(&v));
    let partition_by = match fields.get("partitionBy") {
        Some(value) if value.is_null() || (value.is_list() && value.items().is_empty()) => Vec::new(),
        Some(value) => {
            let names = task::column_list(&value, columns)?;
            if columns.count().is_some_and(|count| count > 0 && names.len() >= count) {
                value.mistake(Code::PartitionAll, "a table cannot be partitioned by all of its columns; leave at least one out");
            }
            names
        }
        None => Vec::new(),
    };
    Some(Publish { table: table?, partition_by })
}

fn archive(value: &Cursor<'_>) -> Option<Archive> {
    let fields = value.fields(&["tier", "retain", "removeLanding"])?;
    let defaults = Archive::default();
    let tiers = [("hot", Tier::Hot), ("cool", Tier::Cool), ("cold", Tier::Cold), ("archive", Tier::Archive)];
    let tier = fields.get("tier").map_or(Some(defaults.tier), |v| v.choice(&tiers));
    let retain_days = match fields.get("retain") {
        Some(value) => {
            let seconds = read_duration(&value)?;
            let days = seconds / duration::DAY;
            if !seconds.is_multiple_of(duration::DAY) || !(1..=MAX_RETAIN).contains(&days) {
                value.mistake(Code::Duration, "expected whole days, from one day to a hundred years");
                return None;
            }
            Some(days as u32)
        }
        None => None,
    };
    let remove_landing = fields.get("removeLanding").map_or(Some(defaults.remove_landing), |v| v.boolean());
    Some(Archive { tier: tier?, retain_days, remove_landing: remove_landing? })
}
