//! A pipeline file with everything that it names, compiled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::rand;
use sluice_contract::{Draft, Mistakes, ParameterSpec, ParameterType, ParameterValue, Parameters, Plan, Sources};
use sluice_engine::{Compiled, ReferenceTables, Secrets};

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
        let name = contract_name(&text).ok_or_else(|| {
            Fault::usage(format!(
                "{} names no contract: expected a line `contract: <file>.odcs.yaml`; is it a pipeline file?",
                pipeline.display()
            ))
        })?;
        let contract = beside(pipeline, &name);
        let contract_text = read_text(&contract)?;
        Ok(Self {
            pipeline_file: pipeline.display().to_string(),
            pipeline: text,
            contract_file: contract.display().to_string(),
            contract: contract_text,
        })
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

/// The value of the top-level key `contract`, needed before the plan can be parsed as a whole.
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

/// Compiles the pipeline at `path` with the values and tables given.
pub(crate) fn compile(path: &Path, given: &Given, adapt: impl FnOnce(&mut Plan)) -> Result<Arc<Compiled>> {
    let texts = Texts::read(path)?;
    let Draft { plan, mistakes } = Draft::read(&texts.sources());
    let Some(mut plan) = plan else { return Err(mistaken(&Mistakes(mistakes))) };
    adapt(&mut plan);
    let parameters = parameters(&plan.pipeline.parameters, &given.parameters)?;
    let (tables, secrets) = match (tables(path, &plan, &given.tables), secrets(&plan, &given.secrets)) {
        (Ok(tables), Ok(secrets)) => (tables, secrets),
        // The files are to be corrected first: what they name may change.
        _ if !mistakes.is_empty() => return Err(mistaken(&Mistakes(mistakes))),
        (tables, secrets) => (tables?, secrets?),
    };
    let compiled = Compiled::new(plan, parameters, tables, secrets).map_err(|found| texts.sources().place(found));
    Mistakes::join(mistakes, compiled).map_err(|m| mistaken(&m))
}

fn parameters(declared: &BTreeMap<String, ParameterSpec>, given: &[(String, String)]) -> Result<Parameters> {
    let mut values: Parameters = declared.iter().map(|(name, spec)| (name.clone(), spec.default.clone())).collect();
    for (name, text) in given {
        let Some(spec) = declared.get(name) else {
            let known: Vec<&str> = declared.keys().map(String::as_str).collect();
            return Err(Fault::usage(format!("--set {name}: the pipeline declares no such parameter; it has: {}", list(&known))));
        };
        values.insert(name.clone(), value(name, spec.kind, text)?);
    }
    Ok(values)
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

fn tables(pipeline: &Path, plan: &Plan, given: &[(String, String)]) -> Result<ReferenceTables> {
    let needed = Compiled::required_tables(plan);
    if let Some((name, _)) = given.iter().find(|(name, _)| !needed.contains(name)) {
        let known: Vec<&str> = needed.iter().map(String::as_str).collect();
        return Err(Fault::usage(format!("--table {name}: the pipeline looks nothing up there; it uses: {}", list(&known))));
    }
    let mut tables = ReferenceTables::default();
    for name in needed {
        let file = match given.iter().find(|(n, _)| *n == name) {
            Some((_, file)) => PathBuf::from(file),
            None => beside(pipeline, Path::new("reference").join(format!("{name}.csv"))),
        };
        let bytes = std::fs::read(&file).map_err(|error| {
            Fault::usage(format!(
                "reference table {name}: cannot read {}: {error}; say where it is with --table {name}=FILE",
                file.display()
            ))
        })?;
        let table = ReferenceTables::read_csv(&name, &bytes).map_err(|refusal| Fault::usage(format!("{}: {refusal}", file.display())))?;
        tables.0.insert(name, table);
    }
    Ok(tables)
}

fn secrets(plan: &Plan, given: &[(String, Option<String>)]) -> Result<Secrets> {
    let mut secrets = Secrets::default();
    for name in Compiled::required_secrets(plan) {
        let value = match given.iter().find(|(n, _)| *n == name) {
            Some((_, Some(value))) => value.clone().into_bytes(),
            Some((_, None)) => {
                let variable = secret_variable(&name);
                std::env::var(&variable)
                    .map_err(|_| Fault::usage(format!("--secret {name}: the environment variable {variable} is not set")))?
                    .into_bytes()
            }
            None => {
                terminal::note(format!(
                    "note: no --secret {name}: a throwaway key masks this output, so its values differ from those of a real run"
                ));
                let mut key = vec![0; 32];
                rand::fill(&mut key).map_err(|_| Fault::internal("the system gives no random numbers"))?;
                key
            }
        };
        if value.is_empty() {
            return Err(Fault::usage(format!("--secret {name}: the value is empty")));
        }
        secrets.0.insert(name, value);
    }
    Ok(secrets)
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
