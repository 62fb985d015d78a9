//! Settings of the handler: read once, checked all at once.

use std::{collections::BTreeMap, time::Duration};

use url::{Host, Url};

use crate::limits::Rate;

/// Everything the app itself is told; the adapters' settings are [`sluice_azure::Settings`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Port that the host chose for us (`FUNCTIONS_CUSTOMHANDLER_PORT`).
    pub port: u16,
    /// Issuer of access tokens (`SLUICE_ISSUER`), such as `https://login.microsoftonline.com/<tenant>/v2.0`.
    pub issuer: Url,
    /// Audiences that tokens may be for (`SLUICE_AUDIENCE`, separated by commas): the app's client id or `api://` URI.
    pub audiences: Vec<String>,
    /// Claim that names the partner of a token (`SLUICE_PARTNER_CLAIM`).
    pub partner_claim: String,
    /// Partner by object id or client id, for tokens without that claim (`SLUICE_PARTNERS`: `id=partner`, separated by commas).
    pub partners: BTreeMap<String, String>,
    /// Sizes of the work.
    pub sizes: sluice_flow::Sizes,
    /// How many requests one caller may make of this instance (`SLUICE_CALLER_PER_SECOND`, `SLUICE_CALLER_BURST`).
    pub caller_rate: Rate,
    /// Likewise one address without a valid token (`SLUICE_STRANGER_PER_SECOND`, `SLUICE_STRANGER_BURST`).
    pub stranger_rate: Rate,
    /// Time after which an invocation gives up by itself.
    pub invocation_limit: Duration,
}

/// Claim that a directory extension for the partner id is emitted as, unless set otherwise.
pub const DEFAULT_PARTNER_CLAIM: &str = "extension_partner";

/// Less than the host's functionTimeout and lock renewal (30 minutes, host.json): when the host's limit strikes it kills the whole
/// process and every other invocation with it.
const INVOCATION_LIMIT: Duration = Duration::from_mins(28);

/// What Azure leaves in a setting whose Key Vault reference could not be resolved.
const UNRESOLVED: &str = "@Microsoft.KeyVault(";

/// A source of settings: name to value.
pub type Source<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// Every mistake, one a line, each naming its setting.
    pub fn read(source: Source<'_>) -> Result<Self, Vec<String>> {
        let mut reader = Reader { source, mistakes: Vec::new() };
        let port = reader.parsed("FUNCTIONS_CUSTOMHANDLER_PORT", "a port from 1 to 65535; the Functions host sets it", |text| {
            text.parse::<u16>().ok().filter(|p| *p > 0)
        });
        let issuer = reader.parsed("SLUICE_ISSUER", "an https URL of the token issuer (http only on loopback)", |text| {
            Url::parse(text).ok().filter(|url| is_secure(url) && url.query().is_none() && url.fragment().is_none())
        });
        let audiences = reader.parsed("SLUICE_AUDIENCE", "the audience of access tokens, several separated by commas", |text| {
            let list = list(text);
            (!list.is_empty()).then_some(list)
        });
        let partner_claim = reader.optional("SLUICE_PARTNER_CLAIM").unwrap_or_else(|| DEFAULT_PARTNER_CLAIM.to_owned());
        let partners = reader.pairs("SLUICE_PARTNERS");
        let defaults = sluice_flow::Sizes::default();
        let mib = |bytes: u64| bytes >> 20;
        let segment_mib = reader.size("SLUICE_SEGMENT_MIB", mib(defaults.segment_bytes), true);
        let chunk_mib = reader.size("SLUICE_CHUNK_MIB", mib(defaults.chunk_bytes), false);
        let sizes = sluice_flow::Sizes {
            segment_bytes: segment_mib << 20,
            chunk_bytes: chunk_mib << 20,
            piece_bytes: defaults.piece_bytes.min(segment_mib << 20),
            ..defaults
        };
        let caller_rate = Rate {
            per_second: reader.count("SLUICE_CALLER_PER_SECOND", Rate::CALLER.per_second),
            burst: reader.count("SLUICE_CALLER_BURST", Rate::CALLER.burst),
        };
        let stranger_rate = Rate {
            per_second: reader.count("SLUICE_STRANGER_PER_SECOND", Rate::STRANGER.per_second),
            burst: reader.count("SLUICE_STRANGER_BURST", Rate::STRANGER.burst),
        };
        match (port, issuer, audiences) {
            (Some(port), Some(issuer), Some(audiences)) if reader.mistakes.is_empty() => {
                let invocation_limit = INVOCATION_LIMIT;
                Ok(Self { port, issuer, audiences, partner_claim, partners, sizes, caller_rate, stranger_rate, invocation_limit })
            }
            _ => Err(reader.mistakes),
        }
    }
}

/// Names every setting that still holds a Key Vault reference instead of its value.
pub fn unresolved_references(settings: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let unresolved = settings.filter(|(_, value)| value.trim_start().starts_with(UNRESOLVED));
    let mut mistakes: Vec<String> = unresolved
        .map(|(name, _)| {
            format!(
                "{name}: the Key Vault reference was not resolved; check that the vault and secret exist and that the app's identity may read them"
            )
        })
        .collect();
    mistakes.sort();
    mistakes
}

/// Whether tokens and keys may travel to and from this address: https, or http on loopback.
pub fn is_secure(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

struct Reader<'a> {
    source: Source<'a>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.source)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn parsed<T>(&mut self, name: &str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let Some(text) = self.optional(name) else {
            self.mistakes.push(format!("{name}: expected {expected}, found nothing"));
            return None;
        };
        // An unresolved reference is named by `unresolved_references` already.
        if text.starts_with(UNRESOLVED) {
            return None;
        }
        let value = parse(&text);
        if value.is_none() {
            self.mistakes.push(format!("{name}: expected {expected}, found {text:?}"));
        }
        value
    }

    fn pairs(&mut self, name: &str) -> BTreeMap<String, String> {
        let mut pairs = BTreeMap::new();
        for item in list(&self.optional(name).unwrap_or_default()) {
            match item.split_once('=').map(|(id, partner)| (id.trim(), partner.trim())) {
                Some((id, partner)) if !id.is_empty() && !partner.is_empty() => {
                    pairs.insert(id.to_owned(), partner.to_owned());
                }
                _ => self.mistakes.push(format!("{name}: expected object or client id=partner, found {item:?}")),
            }
        }
        pairs
    }

    fn count(&mut self, name: &str, default: u32) -> u32 {
        let Some(text) = self.optional(name) else { return default };
        let count = text.parse::<u32>().ok().filter(|count| (1..=1_000_000).contains(count));
        count.unwrap_or_else(|| {
            self.mistakes.push(format!("{name}: expected a number from 1 to 1000000, found {text:?}"));
            default
        })
    }

    fn size(&mut self, name: &str, default: u64, power_of_two: bool) -> u64 {
        let Some(text) = self.optional(name) else { return default };
        match text.parse::<u64>() {
            Ok(mib) if (1..=1024).contains(&mib) && (!power_of_two || mib.is_power_of_two()) => mib,
            _ => {
                let which = if power_of_two { "a power of two" } else { "a number" };
                self.mistakes.push(format!("{name}: expected {which} of MiB from 1 to 1024, found {text:?}"));
                default
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let map: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::read(&|name| map.get(name).cloned())
    }

    const GOOD: &[(&str, &str)] = &[
        ("FUNCTIONS_CUSTOMHANDLER_PORT", "7072"),
        ("SLUICE_ISSUER", "http://127.0.0.1:9000"),
        ("SLUICE_AUDIENCE", "api://sluice, sluice"),
    ];

    #[test]
    fn reads_what_is_there_and_fills_in_the_rest() {
        let settings = read(
            &[GOOD, &[("SLUICE_PARTNERS", "oid-1=skyline, app-2 = acme"), ("SLUICE_SEGMENT_MIB", "4"), ("SLUICE_CALLER_BURST", "7")]]
                .concat(),
        )
        .unwrap();
        assert_eq!(settings.audiences, ["api://sluice", "sluice"]);
        assert_eq!(settings.partner_claim, DEFAULT_PARTNER_CLAIM);
        assert_eq!(settings.partners["app-2"], "acme");
        assert_eq!(settings.sizes.segment_bytes, 4 << 20);
        assert_eq!(settings.caller_rate, Rate { burst: 7, ..Rate::CALLER });
        assert_eq!(settings.stranger_rate, Rate::STRANGER);
        assert!(settings.sizes.piece_bytes <= settings.sizes.segment_bytes);
    }

    #[test]
    fn tells_every_mistake_at_once() {
        let mistakes = read(&[
            ("FUNCTIONS_CUSTOMHANDLER_PORT", "0"),
            ("SLUICE_ISSUER", "http://issuer.example"),
            ("SLUICE_PARTNERS", "skyline"),
            ("SLUICE_SEGMENT_MIB", "3"),
            ("SLUICE_CALLER_BURST", "0"),
        ])
        .unwrap_err();
        let expected = [
            "FUNCTIONS_CUSTOMHANDLER_PORT",
            "SLUICE_ISSUER",
            "SLUICE_AUDIENCE",
            "SLUICE_PARTNERS",
            "SLUICE_SEGMENT_MIB",
            "SLUICE_CALLER_BURST",
        ];
        let named: Vec<&str> = mistakes.iter().map(|m| m.split(':').next().unwrap()).collect();
        assert_eq!(named, expected, "{mistakes:?}");
    }

    #[test]
    fn names_unresolved_references_without_their_text() {
        let settings = [("A", "x"), ("B", "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/n/)")];
        let found = unresolved_references(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("B: "), "{found:?}");
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (url, secure) in [
            ("https://login.microsoftonline.com/t/v2.0", true),
            ("http://127.0.0.1:9/", true),
            ("http://[::1]:9/", true),
            ("http://localhost:9/", true),
            ("http://localhost.example/", false),
            ("http://127.0.0.1.example/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(is_secure(&Url::parse(url).unwrap()), secure, "{url}");
        }
    }
}
