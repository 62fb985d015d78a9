//! The RSA key that signs tokens: made once, kept readable for its owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::{Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::Value;

use crate::error::StartError;

/// Width of a PEM line (RFC 7468).
const PEM_WIDTH: usize = 64;

/// A private key and its public half.
pub(super) struct SigningKey {
    private: EncodingKey,
    public: Value,
    id: String,
}

impl SigningKey {
    pub(super) fn open(path: &Path) -> Result<Self, StartError> {
        let pem = match fs::read(path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
            Err(source) => return Err(StartError::State { path: path.to_owned(), source }),
        };
        let wrong = |reason: String| StartError::IssuerKey { path: path.to_owned(), reason };
        let private = EncodingKey::from_rsa_pem(&pem).map_err(|error| wrong(format!("{error}; remove the file to get a new key")))?;
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::RS256).map_err(|error| wrong(error.to_string()))?;
        let unnamed = serde_json::to_string(&jwk).map_err(|error| wrong(error.to_string()))?;
        let hash = digest::digest(&digest::SHA256, unnamed.as_bytes());
        let id = BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
        jwk.common.key_id = Some(id.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_operations = Some(vec![KeyOperations::Verify]);
        let public = serde_json::to_value(&jwk).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { private, public, id })
    }

    /// The key as a JWK.
    pub(super) fn public(&self) -> &Value {
        &self.public
    }

    /// A signed token.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.private)
    }
}

fn make(path: &Path) -> Result<Vec<u8>, StartError> {
    let failed = |_| StartError::IssuerKey { path: path.to_owned(), reason: "a new key could not be made".into() };
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
    let text = BASE64_STANDARD.encode(der.as_ref());
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for start in (0..text.len()).step_by(PEM_WIDTH) {
        pem.push_str(&text[start..text.len().min(start + PEM_WIDTH)]);
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(StartError::state(path))?;
    file.write_all(pem.as_bytes()).map_err(StartError::state(path))?;
    Ok(pem.into_bytes())
}
