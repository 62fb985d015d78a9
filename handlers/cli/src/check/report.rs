//! The result of a check, for programs (report.json) and for people (the summary).

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use sluice_engine::{CauseKind, Code, Problem, Refusal, Tally, Verdict};

use crate::text::{Align, Table, bytes, count, duration, percent, plural, shorten, tame};

/// Everything a check found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The file as named on the command line.
    pub(crate) file: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Pipeline name.
    pub(crate) pipeline: String,
    /// Where the rows went and why.
    pub(crate) tally: Tally,
    /// Columns of the file that the contract does not name, as far as a header was seen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ignored_columns: Vec<String>,
    /// The contract's quality rules.
    pub(crate) quality: Vec<Verdict>,
    /// Why a run of this file would be refused; empty if it would not.
    pub(crate) refusals: Vec<Refusal>,
    /// Seconds that the check took.
    pub(crate) seconds: f64,
}

impl Report {
    /// Whether a run of this file would be taken.
    pub(crate) fn is_taken(&self) -> bool {
        self.refusals.is_empty()
    }

    /// Whether any row was rejected or held.
    pub(crate) fn has_bad_rows(&self) -> bool {
        self.tally.totals.rejected + self.tally.totals.held > 0
    }

    /// The summary, with at most `problems` lines of problems.
    pub(crate) fn summary(&self, problems: usize) -> String {
        let mut out = String::new();
        self.write_summary(&mut out, problems);
        out
    }

    fn write_summary(&self, out: &mut String, problems: usize) {
        let totals = &self.tally.totals;
        let elapsed = Duration::from_secs_f64(self.seconds);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}: {}, {} in {} ({}/s, {} rows/s)\n",
            tame(&self.file),
            bytes(self.size),
            plural(totals.rows, "row"),
            duration(elapsed),
            bytes((self.size as f64 / self.seconds.max(1e-6)) as u64),
            count((totals.rows as f64 / self.seconds.max(1e-6)) as u64),
        );
        let mut table = Table::new(&[("outcome", Align::Left), ("rows", Align::Right), ("share", Align::Right)]);
        for (outcome, rows) in [
            ("accepted", totals.accepted),
            ("rejected", totals.rejected),
            ("filtered", totals.filtered),
            ("duplicate", totals.duplicate),
            ("held for review", totals.held),
        ] {
            table.row([outcome.to_owned(), count(rows), percent(rows, totals.rows)]);
        }
        let _ = writeln!(out, "{table}");
        self.write_problems(out, problems);
        self.write_held(out);
        self.write_notes(out);
        self.write_verdict(out);
    }

    fn write_problems(&self, out: &mut String, most: usize) {
        let mut all: Vec<_> = self.tally.problems.iter().collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then(a.code.cmp(&b.code)).then(a.column.cmp(&b.column)));
        let mut table = Table::new(&[
            ("problem", Align::Left),
            ("column or rule", Align::Left),
            ("count", Align::Right),
            ("first places", Align::Left),
        ]);
        for problem in all.iter().take(most) {
            let subject = problem.rule.as_ref().or(problem.column.as_ref()).map(|s| shorten(s, 40)).unwrap_or_default();
            table.row([problem.code.as_str().to_owned(), subject, count(problem.count), places(&problem.samples)]);
        }
        if !table.is_empty() {
            let _ = writeln!(out, "{table}");
            for problem in all.iter().take(most) {
                if let Some(first) = problem.samples.first() {
                    let _ = writeln!(out, "  line {}: {} {}", first.line, problem.code, explain(first));
                }
            }
            if all.len() > most {
                let _ = writeln!(out, "  and {} more (--limit-problems, --report)", plural((all.len() - most) as u64, "kind"));
            }
            let _ = writeln!(out);
        }
    }

    fn write_held(&self, out: &mut String) {
        let mut table = Table::new(&[("held by", Align::Left), ("rows", Align::Right)]);
        for held in &self.tally.held {
            let kind = match held.cause.kind {
                CauseKind::Rule => "rule",
                CauseKind::Problem => "problem",
            };
            let column = held.cause.column.as_ref().map(|c| format!(" ({c})")).unwrap_or_default();
            table.row([format!("{kind} {}{column}", held.cause.name), count(held.count)]);
        }
        if !table.is_empty() {
            let _ = writeln!(out, "{table}");
        }
    }

    fn write_notes(&self, out: &mut String) {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
        for (rule, rows) in &self.tally.warnings {
            table.row([format!("warning of rule {rule}"), count(*rows)]);
        }
        for (repair, times) in self.tally.repairs.iter().filter(|(_, times)| **times > 0) {
            let what = match repair.as_str() {
                "skippedRows" => "passed over: rows that match skipRows".to_owned(),
                "repeatedHeaders" => "passed over: headers that come again".to_owned(),
                other => format!("repaired: {other}"),
            };
            table.row([what, count(*times)]);
        }
        if !table.is_empty() {
            let _ = writeln!(out, "{table}");
        }
        if !self.ignored_columns.is_empty() {
            let names: Vec<String> = self.ignored_columns.iter().take(20).map(|name| tame(name)).collect();
            let more = if self.ignored_columns.len() > names.len() { ", ..." } else { "" };
            let _ = writeln!(out, "columns that the contract does not name, passed over: {}{more}\n", names.join(", "));
        }
        for verdict in &self.quality {
            let state = match (verdict.holds, verdict.warn_only) {
                (true, _) => "holds",
                (false, true) => "does not hold (noted only)",
                (false, false) => "does not hold",
            };
            let _ = writeln!(out, "quality {}: {state}: {}", tame(&verdict.quality), tame(&verdict.message));
        }
        if !self.quality.is_empty() {
            let _ = writeln!(out);
        }
    }

    fn write_verdict(&self, out: &mut String) {
        if self.is_taken() {
            let held = self.tally.totals.held;
            let wait = if held > 0 { format!(" once people have decided on {}", plural(held, "held row")) } else { String::new() };
            let _ = writeln!(out, "A run of this file would be published{wait}.");
        } else {
            let _ = writeln!(out, "A run of this file would be refused:");
            for refusal in &self.refusals {
                let _ = writeln!(out, "  {}{}", tame(&refusal.to_string()), place(refusal));
            }
        }
    }
}

/// ` (line 3, byte 120)`, as far as it is known.
pub(crate) fn place(refusal: &Refusal) -> String {
    match (refusal.line, refusal.offset) {
        (Some(line), Some(offset)) => format!(" (line {line}, byte {offset})"),
        (Some(line), None) => format!(" (line {line})"),
        (None, Some(offset)) => format!(" (byte {offset})"),
        (None, None) => String::new(),
    }
}

fn places(samples: &[Problem]) -> String {
    let mut lines: Vec<String> = samples.iter().map(|p| p.line.to_string()).collect();
    lines.dedup();
    if lines.is_empty() { String::new() } else { format!("line {}", lines.join(", ")) }
}

fn explain(problem: &Problem) -> String {
    let column = match (&problem.column, problem.code) {
        (Some(column), code) if !matches!(code, Code::RuleReject | Code::RuleReview) => format!("{}: ", tame(column)),
        _ => String::new(),
    };
    format!("{column}{}", shorten(&problem.message, 200))
}
