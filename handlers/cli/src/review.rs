//! `sluice review`: held rows and the decisions of people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};
use sluice_engine::HeldRow;

use crate::api::connection::Connection;
use crate::api::views::Actor;
use crate::api::{Client, view};
use crate::text::{Align, Table, count, plural, shorten, tame};
use crate::{Fault, Result, terminal};

/// Lists review cases, shows their rows, decides them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice review list
  sluice review rows <case>
  sluice review decide <case> --approve --comment 'checked with the airline'
  sluice review decide <case> --approve --reject-rows 17,42 --comment 'two are test rows'
  sluice review decide <case> --approve --return-rows 17 --comment 'the amount is in cents'    (back to the partner)
  sluice review decide <case> --decision decision.json    (rows with corrections)

A decision is bound to the rows as they were seen: if they have changed, it is refused. A decision file is
{\"verdict\": {\"verdict\": \"approve\"}, \"rows\": {\"17\": {\"verdict\": \"correct\", \"values\": {\"air_time\": \"61\"}}}}.")]
pub(crate) struct ReviewArguments {
    #[command(subcommand)]
    command: ReviewCommand,
    /// Prints JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What to do with cases.
#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// Lists cases
    List {
        /// open, confirming, decided or void [default: open and confirming]
        #[arg(long)]
        status: Option<String>,
        /// Of this run
        #[arg(long)]
        run: Option<String>,
        /// Of this partner
        #[arg(long)]
        partner: Option<String>,
        /// Of this pipeline
        #[arg(long)]
        pipeline: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Shows a case
    Show {
        /// Case id
        case: String,
    },
    /// Shows the rows of a case: as they came, what would be published, why they are held
    Rows {
        /// Case id
        case: String,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Marks a case as yours
    Claim {
        /// Case id
        case: String,
    },
    /// Takes the mark away
    Release {
        /// Case id
        case: String,
    },
    /// Decides a case
    Decide(DecideArguments),
}

/// A decision.
#[derive(Debug, Args)]
struct DecideArguments {
    /// Case id
    case: String,
    /// Publish the rows as proposed
    #[arg(long, conflicts_with_all = ["reject", "send_back", "decision"], required_unless_present_any = ["reject", "send_back", "decision"])]
    approve: bool,
    /// Reject the rows
    #[arg(long, conflicts_with_all = ["send_back", "decision"])]
    reject: bool,
    /// Send the rows back to the partner: rejected, with the comment beside each
    #[arg(long = "return", conflicts_with = "decision")]
    send_back: bool,
    /// Publish these rows all the same (row numbers as `review rows` shows them)
    #[arg(long, value_delimiter = ',', value_name = "ROWS")]
    approve_rows: Vec<u64>,
    /// Reject these rows all the same
    #[arg(long, value_delimiter = ',', value_name = "ROWS")]
    reject_rows: Vec<u64>,
    /// Send these rows back all the same
    #[arg(long, value_delimiter = ',', value_name = "ROWS")]
    return_rows: Vec<u64>,
    /// A file with verdicts and corrections
    #[arg(long, value_name = "JSON")]
    decision: Option<PathBuf>,
    /// Why, for the audit log, and for the partner where rows are rejected or sent back
    #[arg(long, default_value = "")]
    comment: String,
    /// The digest that was seen [default: that of the case as it is now]
    #[arg(long)]
    digest: Option<String>,
}

/// A case, as far as it is shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
pub(crate) struct Case {
    pub(crate) case_id: String,
    pub(crate) partner: String,
    pub(crate) pipeline: String,
    pub(crate) cause: String,
    pub(crate) column: Option<String>,
    pub(crate) title: String,
    pub(crate) rows: u64,
    pub(crate) digest: String,
    pub(crate) status: String,
    pub(crate) approvers: u8,
    pub(crate) claimed_by: Option<Actor>,
    pub(crate) due_at: String,
}

/// A verdict for all rows that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verdict {
    /// Publish.
    Approve,
    /// Reject.
    Reject,
    /// Send back to the partner.
    Return,
}

impl Verdict {
    fn body(self) -> Value {
        match self {
            Self::Approve => json!({ "verdict": "approve" }),
            Self::Reject => json!({ "verdict": "reject" }),
            Self::Return => json!({ "verdict": "return" }),
        }
    }
}

impl DecideArguments {
    /// For the rows that are not named.
    fn verdict(&self) -> Verdict {
        match (self.reject, self.send_back) {
            (true, _) => Verdict::Reject,
            (_, true) => Verdict::Return,
            _ => Verdict::Approve,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(arguments: ReviewArguments) -> Result<()> {
    let client = arguments.connection.client("rita")?;
    let json = arguments.json;
    match arguments.command {
        ReviewCommand::List { status, run, partner, pipeline, limit } => {
            let filters = [("status", status), ("run", run), ("partner", partner), ("pipeline", pipeline)];
            let query: Vec<(&str, &str)> = filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
            let items = client.list(&["reviews"], &query, limit).await?;
            list(&items, json)
        }
        ReviewCommand::Show { case } => show(&client.get(&["reviews", &case], &[]).await?, json),
        ReviewCommand::Rows { case, limit } => rows(&client, &case, limit, json).await,
        ReviewCommand::Claim { case } => show(&client.post(&["reviews", &case, "claim"], &json!({})).await?, json),
        ReviewCommand::Release { case } => show(&client.post(&["reviews", &case, "release"], &json!({})).await?, json),
        ReviewCommand::Decide(decision) => show(&decide_as_asked(&client, decision).await?, json),
    }
}

fn list(items: &[Value], json: bool) -> Result<()> {
    if json {
        return terminal::json(&items);
    }
    let mut table = Table::new(&[
        ("case", Align::Left),
        ("partner", Align::Left),
        ("cause", Align::Left),
        ("rows", Align::Right),
        ("status", Align::Left),
        ("due", Align::Left),
        ("title", Align::Left),
    ]);
    for item in items {
        let case: Case = view(item)?;
        table.row([case.case_id, case.partner, case.cause, count(case.rows), case.status, case.due_at, shorten(&case.title, 60)]);
    }
    if table.is_empty() {
        terminal::note("no case waits");
        return Ok(());
    }
    terminal::print(&table.to_string())
}

fn show(value: &Value, json: bool) -> Result<()> {
    if json {
        return terminal::json(value);
    }
    let case: Case = view(value)?;
    let column = case.column.map(|c| format!(" ({})", tame(&c))).unwrap_or_default();
    let claimed = case.claimed_by.map(|a| format!(", claimed by {}", tame(&a.name))).unwrap_or_default();
    terminal::line(format!(
        "{}  {}{claimed}\n  {}\n  held by {}{column}: {} of {}, {} to decide, due {}\n  digest {}",
        case.case_id,
        case.status,
        tame(&case.title),
        tame(&case.cause),
        plural(case.rows, "row"),
        tame(&case.pipeline),
        plural(case.approvers.into(), "person").replace("persons", "people"),
        case.due_at,
        case.digest
    ))
}

async fn rows(client: &Client, case: &str, limit: usize, json: bool) -> Result<()> {
    let items = client.list(&["reviews", case, "rows"], &[], limit).await?;
    if json {
        return terminal::json(&items);
    }
    for item in &items {
        let row: HeldRow = view(item)?;
        terminal::line(format!("row {} (line {})", row.row, row.line))?;
        for problem in &row.problems {
            let subject = problem.rule.as_ref().or(problem.column.as_ref()).map(|s| format!(" {}", tame(s))).unwrap_or_default();
            terminal::line(format!("  {}{subject}: {}", problem.code, tame(&problem.message)))?;
        }
        terminal::line(format!("  came as   {}", shorten(row.raw.trim_end(), 300)))?;
        let proposed: Vec<String> = row.proposed.iter().map(|(name, value)| format!("{name}={value}")).collect();
        terminal::line(format!("  proposed  {}", shorten(&proposed.join(" "), 600)))?;
    }
    Ok(())
}

async fn decide_as_asked(client: &Client, asked: DecideArguments) -> Result<Value> {
    let mut body = match &asked.decision {
        Some(path) => {
            let text = std::fs::read(path).map_err(|error| Fault::usage(format!("cannot read {}: {error}", path.display())))?;
            serde_json::from_slice::<Value>(&text).map_err(|error| Fault::usage(format!("{} is no JSON: {error}", path.display())))?
        }
        None => json!({ "verdict": asked.verdict().body() }),
    };
    let Some(fields) = body.as_object_mut() else { return Err(Fault::usage("a decision file holds one JSON object")) };
    let rows = fields.entry("rows").or_insert_with(|| json!({}));
    let named = [(&asked.approve_rows, Verdict::Approve), (&asked.reject_rows, Verdict::Reject), (&asked.return_rows, Verdict::Return)];
    for (numbers, verdict) in named {
        for number in numbers {
            rows[number.to_string()] = verdict.body();
        }
    }
    if !asked.comment.is_empty() {
        fields.insert("comment".to_owned(), asked.comment.into());
    }
    if let Some(digest) = asked.digest {
        fields.insert("digest".to_owned(), digest.into());
    } else if !fields.contains_key("digest") {
        let case: Case = view(&client.get(&["reviews", &asked.case], &[]).await?)?;
        fields.insert("digest".to_owned(), case.digest.into());
    }
    client.post(&["reviews", &asked.case, "decide"], &body).await
}

/// Decides a case as it was seen.
pub(crate) async fn decide(client: &Client, case: &Case, verdict: Verdict, rows: BTreeMap<u64, Verdict>, comment: &str) -> Result<Value> {
    let rows: serde_json::Map<String, Value> = rows.into_iter().map(|(row, verdict)| (row.to_string(), verdict.body())).collect();
    let body = json!({ "verdict": verdict.body(), "rows": rows, "comment": comment, "digest": case.digest });
    client.post(&["reviews", &case.case_id, "decide"], &body).await
}
