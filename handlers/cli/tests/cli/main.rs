//! The command as its users meet it: arguments in, text, files and exit codes out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod check;
mod infer;
mod package;
mod upload;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The command without any setting of the machine that runs the tests.
fn sluice() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    for name in ["SLUICE_API", "SLUICE_AS", "SLUICE_TOKEN", "SLUICE_CLIENT_ID"] {
        command.env_remove(name);
    }
    command
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn flights() -> PathBuf {
    repository().join("samples/flights")
}

/// Runs and answers with exit code, standard output and standard error.
fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn help_teaches_and_exit_codes_are_listed() {
    let (code, out, _) = run(sluice().args(["help", "exit-codes"]));
    assert_eq!(code, 0);
    for exit in ["0 ", "1 ", "2 ", "3 ", "4 ", "130 "] {
        assert!(out.contains(&format!("\n    {exit}")), "{exit} in {out}");
    }
    let (code, out, _) = run(sluice().args(["help", "runs", "list"]));
    assert!(code == 0 && out.contains("--pipeline"), "{out}");
    let (code, out, _) = run(sluice().args(["check", "--help"]));
    assert!(code == 0 && out.contains("Examples:"), "{out}");
}

#[test]
fn a_wrong_command_line_is_a_usage_fault() {
    for arguments in [&["nonsense"][..], &["check"], &["help", "nonsense"], &["check", "x.csv", "--pipeline", "p", "--set", "novalue"]] {
        assert_eq!(run(sluice().args(arguments)).0, 2, "{arguments:?}");
    }
}
