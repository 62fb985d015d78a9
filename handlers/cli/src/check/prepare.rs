//! A pipeline file with everything that it names, compiled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::rand;
use sluice_contract::{Draft, Mistake, Mistakes, ParameterSpec, ParameterType, ParameterValue, Parameters, Pipeline, Plan, Sources, Task};
use sluice_engine::{Code, Compiled, ReferenceTables, Secrets};

use super::report::place;
use crate::fault::FileContext as _;
use crate::{Fault, Result, terminal};

/// What the command line says beside the pipeline file.
#[derive(Debug, Default, Clone)]
pub(crate) struct Given {
    /// Reference table name to CSV file.
    pub(crate) tables: Vec<(String, String)>,
    /// Parameter name to value as text.
    pub(crate) parameters: Vec<(String, String)>,
    /// Secret name to value.
    pub(crate) secrets: Vec<(String, Option<String>)>,
}

/// The texts of a pipeline and its contract.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(crate) pipeline_file: String,
    pub(crate) pipeline: String,
    pub(crate) contract_file: String,
    pub(crate) contract: String,
}

impl Texts {
    /// Reads a pipeline file and the contract that it names.
    pub(crate) fn read(pipeline: &Path) -> Result<Self> {
        let text = read_text(pipeline)?;
        let pipeline_file = pipeline.display().to_string();
        let name = match Draft::contract_file(&pipeline_file, &text) {
            Ok(name) => name,
            // Beside the mistakes of a text that is no YAML, those of its contract can be told.
            Err(mistakes) => contract_name(&text).ok_or_else(|| unnamed(&pipeline_file, &mistakes))?,
        };
        let contract = beside(pipeline, &name);
        let contract_text = read_text(&contract).map_err(|fault| match Pipeline::parse(&pipeline_file, &text) {
            Ok(_) => fault,
            Err(mistakes) => Fault::usage(format!("{}\n{}", fault.message, mistaken(&mistakes).message)),
        })?;
        Ok(Self { pipeline_file, pipeline: text, contract_file: contract.display().to_string(), contract: contract_text })
    }

    /// The checked plan.
    pub(crate) fn plan(&self) -> Result<Plan, Mistakes> {
        Plan::parse(&self.sources())
    }

    /// Its texts with their names.
    pub(crate) fn sources(&self) -> Sources<'_> {
        Sources {
            pipeline_file: &self.pipeline_file,
            pipeline: &self.pipeline,
            contract_file: &self.contract_file,
            contract: &self.contract,
        }
    }
}

/// A pipeline that names no contract is often another file.
fn unnamed(file: &str, mistakes: &Mistakes) -> Fault {
    let Fault { message, .. } = mistaken(mistakes);
    Fault::usage(format!("{file} names no contract: expected a line `contract: <file>.odcs.yaml`; is it a pipeline file?\n{message}"))
}

/// The value of the top-level key `contract` in a text that cannot be read as YAML.
fn contract_name(pipeline: &str) -> Option<String> {
    let value = pipeline.lines().find_map(|line| line.strip_prefix("contract:"))?.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let name = match quote {
        Some(quote) => value[1..].split(quote).next()?,
        None => value.split(" #").next()?.trim_end(),
    };
    (!name.is_empty()).then(|| name.to_owned())
}

fn beside(file: &Path, name: impl AsRef<Path>) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(name)
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).file("read", path)
}

/// Says every mistake of a plan at once.
pub(crate) fn mistaken(mistakes: &Mistakes) -> Fault {
    let n = mistakes.0.len();
    Fault::usage(format!("{} to correct:\n{mistakes}", if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") }))
}

/// Compiles the pipeline at `path` with the values and tables given. Mistakes of the files and of the command line are told together.
pub(crate) fn compile(path: &Path, given: &Given, adapt: impl FnOnce(&mut Plan)) -> Result<Arc<Compiled>> {
    let texts = Texts::read(path)?;
    let sources = texts.sources();
    let mut draft = Draft::read(&sources);
    let Some(plan) = &mut draft.plan else { return Err(mistaken(&Mistakes(draft.mistakes))) };
    adapt(plan);
    let mut faults = Vec::new();
    let parameters = parameters(&plan.pipeline.parameters, &given.parameters, &mut faults);
    let secrets = secrets(plan, &given.secrets, &mut faults)?;
    let (tables, unread) = tables(path, plan, &given.tables, &mut faults);
    // Told at the lookup, the engine knows that the table is not its author's mistake.
    draft.mistakes.extend(sources.place(Mistakes(unread)).0);
    match Compiled::of_draft(draft, &sources, parameters, tables, secrets) {
        Ok(compiled) if faults.is_empty() => Ok(compiled),
        Ok(_) => Err(Fault::usage(faults.join("\n"))),
        Err(mistakes) => {
            faults.push(mistaken(&mistakes).message);
            Err(Fault::usage(faults.join("\n")))
        }
    }
}

/// A value for each declared parameter. What is wrong with one that is given goes to `faults`, and its default stands in.
fn parameters(declared: &BTreeMap<String, ParameterSpec>, given: &[(String, String)], faults: &mut Vec<String>) -> Parameters {
    let mut values: Parameters = declared.iter().map(|(name, spec)| (name.clone(), spec.default.clone())).collect();
    for (name, text) in given {
        match declared.get(name).map(|spec| value(name, spec.kind, text)) {
            Some(Ok(value)) => drop(values.insert(name.clone(), value)),
            Some(Err(fault)) => faults.push(fault.message),
            None => {
                let known: Vec<&str> = declared.keys().map(String::as_str).collect();
                faults.push(format!("--set {name}: the pipeline declares no such parameter; it has: {}", list(&known)));
            }
        }
    }
    values
}

/// Reads a parameter's value as its declaration says.
pub(crate) fn value(name: &str, kind: ParameterType, text: &str) -> Result<ParameterValue> {
    let wrong = |expected: &str| Fault::usage(format!("parameter {name}: expected {expected}, found `{text}`"));
    Ok(match kind {
        ParameterType::Integer => ParameterValue::Integer(text.parse().map_err(|_| wrong("a whole number"))?),
        ParameterType::Number => {
            ParameterValue::Number(text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| wrong("a number"))?)
        }
        ParameterType::Boolean => ParameterValue::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
        ParameterType::String => ParameterValue::Text(text.to_owned()),
        ParameterType::Date => {
            chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong("a date such as 2013-01-31"))?;
            ParameterValue::Text(text.to_owned())
        }
    })
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The reference tables that can be read, and a mistake at each lookup whose table cannot be.
fn tables(pipeline: &Path, plan: &Plan, given: &[(String, String)], faults: &mut Vec<String>) -> (ReferenceTables, Vec<Mistake>) {
    let needed = Compiled::required_tables(plan);
    for (name, _) in given.iter().filter(|(name, _)| !needed.contains(name)) {
        let known: Vec<&str> = needed.iter().map(String::as_str).collect();
        faults.push(format!("--table {name}: the pipeline looks nothing up there; it uses: {}", list(&known)));
    }
    let mut tables = ReferenceTables::default();
    let mut mistakes = Vec::new();
    for name in needed {
        let file = match given.iter().find(|(n, _)| *n == name) {
            Some((_, file)) => PathBuf::from(file),
            None => beside(pipeline, Path::new("reference").join(format!("{name}.csv"))),
        };
        let read = match std::fs::read(&file) {
            Ok(bytes) => ReferenceTables::read_csv(&name, &bytes)
                .map_err(|refusal| (refusal.code, format!("{}: {}{}", file.display(), refusal.message, place(&refusal)))),
            Err(error) => {
                let message =
                    format!("reference table {name}: cannot read {}: {error}; say where it is with --table {name}=FILE", file.display());
                Err((Code::UnknownTable, message))
            }
        };
        match read {
            Ok(table) => drop(tables.0.insert(name, table)),
            Err((code, message)) => mistakes.extend(at_lookups(plan, &name, code, &message)),
        }
    }
    (tables, mistakes)
}

/// A mistake at every lookup in a table.
fn at_lookups(plan: &Plan, table: &str, code: Code, message: &str) -> Vec<Mistake> {
    let looks_up = |task: &Task| matches!(task, Task::Lookup(lookup) if lookup.table == table);
    let places = plan.pipeline.tasks.iter().enumerate().filter(|(_, task)| looks_up(task));
    let mistake = |(i, _)| Mistake {
        code: code.to_string(),
        file: String::new(),
        path: format!("tasks[{i}].lookup.table"),
        line: 0,
        column: 0,
        message: message.to_owned(),
    };
    places.map(mistake).collect()
}

/// The secrets that the pipeline needs. What is wrong with one that is given goes to `faults`, and a throwaway key stands in.
fn secrets(plan: &Plan, given: &[(String, Option<String>)], faults: &mut Vec<String>) -> Result<Secrets> {
    let mut secrets = Secrets::default();
    for name in Compiled::required_secrets(plan) {
        let value = match given.iter().find(|(n, _)| *n == name) {
            Some((_, Some(value))) => Some(value.clone()),
            Some((_, None)) => {
                let variable = secret_variable(&name);
                let value = std::env::var(&variable).ok();
                if value.is_none() {
                    faults.push(format!("--secret {name}: the environment variable {variable} is not set"));
                }
                value
            }
            None => {
                terminal::note(format!(
                    "note: no --secret {name}: a throwaway key masks this output, so its values differ from those of a real run"
                ));
                None
            }
        };
        if value.as_ref().is_some_and(String::is_empty) {
            faults.push(format!("--secret {name}: the value is empty"));
        }
        let value = value.filter(|value| !value.is_empty()).map_or_else(throwaway, |value| Ok(value.into_bytes()))?;
        secrets.0.insert(name, value);
    }
    Ok(secrets)
}

/// A key that nobody keeps.
fn throwaway() -> Result<Vec<u8>> {
    let mut key = vec![0; 32];
    rand::fill(&mut key).map_err(|_| Fault::internal("the system gives no random numbers"))?;
    Ok(key)
}

/// The environment variable of a secret: `tailnum-key` is `SLUICE_SECRET_TAILNUM_KEY`.
pub(crate) fn secret_variable(name: &str) -> String {
    let upper: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("SLUICE_SECRET_{upper}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_found_in_the_pipeline_text() {
        for (text, name) in [
            ("kind: Pipeline\ncontract: a.odcs.yaml # the contract\n", Some("a.odcs.yaml")),
            ("contract: \"with # mark.yaml\"\n", Some("with # mark.yaml")),
            ("tasks:\n  contract: no\n", None),
            ("contract:\n", None),
        ] {
            assert_eq!(contract_name(text).as_deref(), name, "{text}");
        }
    }

    #[test]
    fn parameters_are_read_by_their_type() {
        assert_eq!(value("p", ParameterType::Integer, "7").unwrap(), ParameterValue::Integer(7));
        assert_eq!(value("p", ParameterType::Date, "2013-01-31").unwrap(), ParameterValue::Text("2013-01-31".into()));
        for (kind, text) in [
            (ParameterType::Integer, "7.5"),
            (ParameterType::Number, "NaN"),
            (ParameterType::Boolean, "yes"),
            (ParameterType::Date, "2013-02-30"),
        ] {
            let fault = value("p", kind, text).unwrap_err();
            assert_eq!(fault.exit, crate::Exit::Usage);
            assert!(fault.message.contains(text), "{}", fault.message);
        }
    }

    #[test]
    fn a_secret_has_an_environment_variable() {
        assert_eq!(secret_variable("tailnum-key"), "SLUICE_SECRET_TAILNUM_KEY");
    }
}
