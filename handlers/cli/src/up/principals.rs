//! The demo principals of a local Sluice: who they are, and their secrets, random for each state folder.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::rand;
use serde_json::{Map, Value};

use crate::api::connection::{Principal, principals_file};
use crate::{Fault, Result};

/// Claim that names the partner, as the handler reads it unless told otherwise.
const PARTNER_CLAIM: &str = "extension_partner";

/// Short name, display name, role, partner.
const DEMO: [(&str, &str, &str, Option<&str>); 7] = [
    ("skyline", "Skyline Air Data", "Partner", Some("skyline")),
    ("northwind", "Northwind Orders", "Partner", Some("northwind")),
    ("rita", "Rita Reviewer", "Reviewer", None),
    ("ravi", "Ravi Reviewer", "Reviewer", None),
    ("olga", "Olga Operator", "Operator", None),
    ("emil", "Emil Engineer", "Engineer", None),
    ("ada", "Ada Auditor", "Auditor", None),
];

/// Reads the principals of a state folder, or makes them.
pub(crate) fn load_or_make(state_dir: &Path) -> Result<Vec<Principal>> {
    let path = principals_file(state_dir);
    match std::fs::read(&path) {
        Ok(text) => {
            return serde_json::from_slice(&text)
                .map_err(|error| Fault::usage(format!("{} cannot be read: {error}; sluice up --fresh starts anew", path.display())));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Fault::usage(format!("cannot read {}: {error}", path.display()))),
    }
    let principals = DEMO
        .into_iter()
        .map(|(name, display_name, role, partner)| {
            Ok(Principal {
                name: name.to_owned(),
                display_name: display_name.to_owned(),
                oid: guid()?,
                client_id: guid()?,
                client_secret: secret()?,
                roles: vec![role.to_owned()],
                partner: partner.map(str::to_owned),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    write_private(&path, &serde_json::to_vec_pretty(&principals).map_err(|error| Fault::internal(error.to_string()))?)?;
    Ok(principals)
}

/// What the local issuer is told: everybody as a program with a secret, and people also on the sign-in page.
pub(crate) fn for_issuer(principals: &[Principal]) -> Vec<devhost::Principal> {
    let mut all = Vec::new();
    for principal in principals {
        let mut claims = Map::new();
        if let Some(partner) = &principal.partner {
            claims.insert(PARTNER_CLAIM.to_owned(), Value::String(partner.clone()));
        }
        let service = devhost::Principal {
            kind: devhost::PrincipalKind::Service,
            client_id: principal.client_id.clone(),
            client_secret: principal.client_secret.clone(),
            name: principal.display_name.clone(),
            oid: principal.oid.clone(),
            roles: principal.roles.clone(),
            claims,
        };
        let person = devhost::Principal {
            kind: devhost::PrincipalKind::Person,
            client_id: principal.name.clone(),
            client_secret: String::new(),
            ..service.clone()
        };
        all.extend([service, person]);
    }
    all
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)
    };
    write().map_err(|error| Fault::usage(format!("cannot write {}: {error}", path.display())))
}

/// 256 random bits in hex.
pub(crate) fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Fault::internal("the system gives no random numbers"))?;
    Ok(hex::encode(bytes))
}

/// A random GUID (RFC 9562, version 4), as Entra ID uses for objects and apps.
fn guid() -> Result<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Fault::internal("the system gives no random numbers"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn principals_keep_their_secrets_and_nobody_else_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_make(folder.path()).unwrap();
        let read = load_or_make(folder.path()).unwrap();
        assert_eq!(made.len(), DEMO.len());
        assert!(made.iter().zip(&read).all(|(a, b)| a.client_secret == b.client_secret && a.oid == b.oid));
        assert_ne!(made[0].client_secret, made[1].client_secret);
        let permissions = std::fs::metadata(principals_file(folder.path())).unwrap().permissions().mode();
        assert_eq!(permissions & 0o777, 0o600);
    }

    #[test]
    fn a_partner_has_its_claim_in_both_forms() {
        let folder = tempfile::tempdir().unwrap();
        let issuer = for_issuer(&load_or_make(folder.path()).unwrap());
        let skyline: Vec<_> = issuer.iter().filter(|p| p.name == "Skyline Air Data").collect();
        assert_eq!(skyline.len(), 2);
        assert!(skyline.iter().all(|p| p.claims["extension_partner"] == "skyline"));
        assert_eq!(skyline[0].oid, skyline[1].oid);
    }

    #[test]
    fn guids_are_version_four() {
        let guid = guid().unwrap();
        assert_eq!((guid.len(), &guid[14..15]), (36, "4"));
    }
}
