//! Secrets in memory.

use std::{collections::BTreeMap, fmt, sync::Mutex};

use async_trait::async_trait;

use crate::{Error, Result, SecretStore};

/// Secrets in memory. `Debug` shows names only.
#[derive(Default)]
pub struct MemorySecrets(Mutex<BTreeMap<String, Vec<u8>>>);

impl MemorySecrets {
    /// Sets a secret.
    pub fn set(&self, name: &str, value: &[u8]) {
        self.0.lock().expect("no holder of the secrets panics").insert(name.to_owned(), value.to_vec());
    }
}

impl fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.lock().expect("no holder of the secrets panics").keys()).finish()
    }
}

#[async_trait]
impl SecretStore for MemorySecrets {
    async fn secret(&self, name: &str) -> Result<Vec<u8>> {
        let secrets = self.0.lock().expect("no holder of the secrets panics");
        secrets
            .get(name)
            .cloned()
            .ok_or_else(|| Error::permanent("V0404", format!("there is no secret {name:?}: create it in the key vault")))
    }
}
