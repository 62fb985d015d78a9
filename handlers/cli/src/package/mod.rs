//! `sluice package`: the folder that `func azure functionapp publish` and `func pack` take.

pub(crate) mod elf;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use serde_json::Value;

use crate::fault::FileContext as _;
use crate::text::{bytes, plural};
use crate::{Fault, Result, terminal};

/// glibc of the older official Functions image (Debian 11); a handler that needs no more runs on every plan.
const OLDEST_GLIBC: (u32, u32) = (2, 31);
/// glibc of the newer official image (Debian 12).
const NEWER_GLIBC: (u32, u32) = (2, 36);

/// What must never be deployed, one pattern a line.
const FUNCIGNORE: &str = "local.settings.json\n.git*\n.vscode\n.funcignore\n*.log\n";

/// Assembles the deployable folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo dist -p sluice-app --bin handler
  sluice package --out dist/ --handler target/release/handler
  cd dist && func azure functionapp publish <app>

The Functions host finds function.json only in immediate subfolders of its root, so the folder is flat:
host.json, one folder a function, and the handler under the name that host.json gives it.")]
pub(crate) struct PackageArguments {
    /// Folder to make; must be empty or absent unless --force
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The handler, built for release
    #[arg(long, value_name = "FILE", default_value = "target/release/handler")]
    handler: PathBuf,
    /// Folder with host.json and functions/
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    app_root: PathBuf,
    /// Replaces what is in the folder
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &PackageArguments) -> Result<()> {
    let host_path = arguments.app_root.join("host.json");
    let host_text = fs::read(&host_path).file("read", &host_path)?;
    let executable = executable_name(&host_text, &host_path)?;
    let functions = functions(&arguments.app_root.join("functions"))?;
    let handler = fs::read(&arguments.handler).map_err(|error| {
        Fault::usage(format!(
            "cannot read the handler {}: {error}; build it with cargo dist -p sluice-app --bin handler, or say where it is with --handler",
            arguments.handler.display()
        ))
    })?;
    let warnings = judge(&handler, &arguments.handler)?;
    clear(&arguments.out, arguments.force)?;
    fs::write(arguments.out.join("host.json"), &host_text).file("write", &arguments.out.join("host.json"))?;
    for (name, text) in &functions {
        let folder = arguments.out.join(name);
        fs::create_dir(&folder).file("make the folder", &folder)?;
        let file = folder.join("function.json");
        fs::write(&file, text).file("write", &file)?;
    }
    let target = arguments.out.join(&executable);
    fs::write(&target, &handler).file("write", &target)?;
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).file("make executable", &target)?;
    let ignore = arguments.out.join(".funcignore");
    fs::write(&ignore, FUNCIGNORE).file("write", &ignore)?;
    for warning in warnings {
        terminal::note(format!("warning: {warning}"));
    }
    let out = arguments.out.display();
    terminal::line(format!(
        "{out}: host.json, {}, {executable} ({})\n
Next, in that folder:
  func start                                    # runs it here, with your own local.settings.json
  func azure functionapp publish <app>          # deploys it
  func pack                                     # makes a zip for a pipeline to deploy",
        plural(functions.len() as u64, "function"),
        bytes(handler.len() as u64),
    ))
}

/// `customHandler.description.defaultExecutablePath`, which must be a plain file name: the tools set the executable bit on the entry
/// whose path equals it literally.
fn executable_name(host: &[u8], path: &Path) -> Result<String> {
    let host: Value = serde_json::from_slice(host).map_err(|error| Fault::usage(format!("{} is no JSON: {error}", path.display())))?;
    let name = host["customHandler"]["description"]["defaultExecutablePath"]
        .as_str()
        .ok_or_else(|| Fault::usage(format!("{} names no customHandler.description.defaultExecutablePath", path.display())))?;
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.contains('%');
    if !plain || matches!(name, "host.json" | ".funcignore") {
        return Err(Fault::usage(format!(
            "{}: defaultExecutablePath is `{name}`: expected a plain file name such as `handler`, since the executable bit is set only on a file at the root",
            path.display()
        )));
    }
    Ok(name.to_owned())
}

/// Name and text of every function.json.
fn functions(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut functions = Vec::new();
    for entry in fs::read_dir(folder).file("read", folder)? {
        let path = entry.file("read", folder)?.path();
        let file = path.join("function.json");
        if !file.is_file() {
            continue;
        }
        let text = fs::read(&file).file("read", &file)?;
        serde_json::from_slice::<Value>(&text).map_err(|error| Fault::usage(format!("{} is no JSON: {error}", file.display())))?;
        functions.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
    }
    if functions.is_empty() {
        return Err(Fault::usage(format!("{} has no function: expected subfolders with a function.json", folder.display())));
    }
    functions.sort();
    Ok(functions)
}

/// Refuses what cannot start in Azure, and warns of what may not.
fn judge(handler: &[u8], path: &Path) -> Result<Vec<String>> {
    let path = path.display();
    let elf = elf::read(handler).map_err(|_| {
        Fault::usage(format!("{path} is no 64-bit ELF executable; Azure Functions runs it on Linux: build it on Linux or with --target x86_64-unknown-linux-musl"))
    })?;
    if elf.machine != elf::X86_64 {
        return Err(Fault::usage(format!("{path} is for another processor (ELF machine {}); Azure Functions needs x86-64", elf.machine)));
    }
    let mut warnings = Vec::new();
    if elf.has_debug {
        warnings.push(format!("{path} carries debug information: is it a release build?"));
    }
    match (elf.interpreter, elf.glibc) {
        (Some(loader), None) => warnings.push(format!("{path} needs {loader}, which the Functions images may not have")),
        (Some(_), Some(version)) if version > NEWER_GLIBC => warnings.push(format!(
            "{path} needs glibc {}.{}, newer than in every official Functions image ({}.{}): it will not start; build it on Debian 11 or with --target x86_64-unknown-linux-musl",
            version.0, version.1, NEWER_GLIBC.0, NEWER_GLIBC.1
        )),
        (Some(_), Some(version)) if version > OLDEST_GLIBC => warnings.push(format!(
            "{path} needs glibc {}.{}; images on Debian 11 have {}.{}: build it there, or make sure that the plan runs on Debian 12",
            version.0, version.1, OLDEST_GLIBC.0, OLDEST_GLIBC.1
        )),
        (None, _) | (Some(_), Some(_)) => {}
    }
    Ok(warnings)
}

/// Makes an empty folder. What is removed must look like an earlier package.
fn clear(out: &Path, force: bool) -> Result<()> {
    let occupied = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if occupied {
        if !force {
            return Err(Fault::usage(format!("{} is not empty; --force replaces what is in it", out.display())));
        }
        if !out.join(".funcignore").is_file() || !out.join("host.json").is_file() {
            return Err(Fault::usage(format!(
                "{} does not look like an earlier package, so --force does not remove it; choose another --out",
                out.display()
            )));
        }
        fs::remove_dir_all(out).file("remove", out)?;
    }
    fs::create_dir_all(out).file("make the folder", out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(host: &str) -> Result<String> {
        executable_name(host.as_bytes(), Path::new("host.json"))
    }

    #[test]
    fn the_executable_is_at_the_root() {
        let host = |path: &str| format!(r#"{{"customHandler":{{"description":{{"defaultExecutablePath":"{path}"}}}}}}"#);
        assert_eq!(name(&host("handler")).unwrap(), "handler");
        for path in ["bin/handler", "/handler", "../handler", "", "%HANDLER%", "host.json"] {
            assert!(name(&host(path)).is_err(), "{path}");
        }
        assert!(name("{}").is_err());
    }

    #[test]
    fn a_script_is_no_handler() {
        assert_eq!(judge(b"#!/bin/sh\n", Path::new("x")).unwrap_err().exit, crate::Exit::Usage);
    }
}
