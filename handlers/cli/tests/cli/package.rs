//! `sluice package`: the deployable folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use super::{repository, run, sluice};

fn package(out: &Path, handler: &Path) -> Command {
    let mut command = sluice();
    command.arg("package").arg("--out").arg(out).arg("--handler").arg(handler).arg("--app-root").arg(repository());
    command
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn the_folder_is_what_the_functions_host_expects() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("dist");
    // Any program of this machine is as good as the handler here.
    let program = Path::new(env!("CARGO_BIN_EXE_sluice"));
    let (code, said, err) = run(&mut package(&out, program));
    assert_eq!(code, 0, "{err}");
    assert!(said.contains("func azure functionapp publish"), "{said}");
    assert!(err.contains("debug information"), "a debug build is named: {err}");
    let handler = out.join("handler");
    assert_eq!(fs::metadata(&handler).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read(&handler).unwrap(), fs::read(program).unwrap());
    assert!(out.join("host.json").is_file());
    let functions = fs::read_dir(repository().join("functions"))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().join("function.json").is_file())
        .count();
    let packed = fs::read_dir(&out).unwrap().filter(|e| e.as_ref().unwrap().path().join("function.json").is_file()).count();
    assert!(functions > 0 && functions == packed, "{functions} and {packed}");
    assert!(!out.join("local.settings.json").exists());
    assert!(fs::read_to_string(out.join(".funcignore")).unwrap().contains("local.settings.json"));

    assert_eq!(run(&mut package(&out, program)).0, 2, "the folder is not empty");
    assert_eq!(run(package(&out, program).arg("--force")).0, 0);
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("mine.txt"), "x").unwrap();
    assert_eq!(run(package(&other, program).arg("--force")).0, 2);
    assert!(other.join("mine.txt").is_file(), "what is no package is never removed");
}

#[test]
fn what_is_no_program_is_refused() {
    let folder = tempdir().unwrap();
    let script = folder.path().join("handler");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    let out = folder.path().join("dist");
    let (code, _, err) = run(&mut package(&out, &script));
    assert!(code == 2 && err.contains("ELF"), "{err}");
    assert!(!out.exists());
    assert_eq!(run(&mut package(&out, &folder.path().join("nothing"))).0, 2);
}
