//! Secrets of a local Sluice, which stand for a key vault: `secrets.json` in its state folder, readable by its owner only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::fault::FileContext as _;
use crate::up::principals::write_private;
use crate::{Fault, Result};

/// Secrets by the names that pipelines give them.
pub(crate) type Secrets = BTreeMap<String, String>;

/// Where the secrets of a state folder are.
pub(crate) fn file(state_dir: &Path) -> PathBuf {
    state_dir.join("secrets.json")
}

/// The secrets of a state folder; none if it has no such file.
pub(crate) fn read(state_dir: &Path) -> Result<Secrets> {
    let path = file(state_dir);
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|error| Fault::usage(format!("{} cannot be read: {error}", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Secrets::new()),
        Err(error) => Err(Fault::usage(format!("cannot read {}: {error}", path.display()))),
    }
}

/// Keeps these secrets and no others.
pub(crate) fn write(state_dir: &Path, secrets: &Secrets) -> Result<()> {
    let path = file(state_dir);
    // Written beside and moved, so that a crash loses no secret.
    let fresh = state_dir.join("secrets.new.json");
    let _ = std::fs::remove_file(&fresh);
    write_private(&fresh, &serde_json::to_vec_pretty(secrets).map_err(|error| Fault::internal(error.to_string()))?)?;
    std::fs::rename(&fresh, &path).file("write", &path)
}

/// Sets one secret; whether it was there before.
///
/// # Errors
/// The name is none that a key vault takes, or the value is empty.
pub(crate) fn set(state_dir: &Path, name: &str, value: &str) -> Result<bool> {
    // Key Vault's rule.
    if !(1..=127).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Fault::usage(format!("`{name}` is no name of a secret: expected 1 to 127 letters, digits and hyphens")));
    }
    if value.is_empty() {
        return Err(Fault::usage(format!("the value of the secret {name} is empty: nothing was changed")));
    }
    std::fs::create_dir_all(state_dir).file("make the folder", state_dir)?;
    let mut secrets = read(state_dir)?;
    let before = secrets.insert(name.to_owned(), value.to_owned());
    write(state_dir, &secrets)?;
    Ok(before.is_some())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_kept_beside_the_others_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        assert!(!set(&state, "tailnum-key", "one").unwrap());
        assert!(!set(&state, "mail-key", "two").unwrap());
        assert!(set(&state, "tailnum-key", "three").unwrap());
        let expected = [("mail-key", "two"), ("tailnum-key", "three")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(read(&state).unwrap(), BTreeMap::from(expected));
        assert_eq!(std::fs::metadata(file(&state)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_secret_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for (name, value) in [("", "x"), ("a_b", "x"), ("../x", "x"), ("tailnum-key", "")] {
            assert_eq!(set(folder.path(), name, value).unwrap_err().exit, crate::Exit::Usage, "{name}");
        }
        assert_eq!(read(folder.path()).unwrap(), Secrets::new());
    }
}
