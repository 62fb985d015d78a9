//! Named text formats of ODCS v3.1 `logicalTypeOptions.format`.

use std::net::{Ipv4Addr, Ipv6Addr};

use sluice_contract::TextFormat;

/// Whether a text is in a format.
pub(crate) fn matches(format: TextFormat, text: &str) -> bool {
    match format {
        TextFormat::Uuid => is_uuid(text),
        TextFormat::Email => is_email(text),
        TextFormat::Uri => is_uri(text),
        TextFormat::Hostname => is_hostname(text),
        TextFormat::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
        TextFormat::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
    }
}

/// For messages.
pub(crate) fn name(format: TextFormat) -> &'static str {
    match format {
        TextFormat::Uuid => "a UUID",
        TextFormat::Email => "an e-mail address",
        TextFormat::Uri => "a URI with a scheme",
        TextFormat::Hostname => "a host name",
        TextFormat::Ipv4 => "an IPv4 address",
        TextFormat::Ipv6 => "an IPv6 address",
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().enumerate().all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// addr-spec of RFC 5321, without comments and quoted local parts.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c));
    local.len() <= 64 && local.split('.').all(is_atom) && is_hostname(domain) && domain.contains('.')
}

/// RFC 3986, scheme and no character that a URI cannot have.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut chars = scheme.chars();
    let has_scheme = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let bytes = rest.as_bytes();
    let is_allowed = bytes.iter().enumerate().all(|(i, b)| match b {
        b'%' => bytes.get(i + 1..i + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`' => false,
        b => b.is_ascii_graphic(),
    });
    has_scheme && !rest.is_empty() && is_allowed
}

/// RFC 1123 section 2.1: labels of letters, digits and inner hyphens.
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_take_the_good_and_refuse_the_bad() {
        let cases = [
            (TextFormat::Uuid, "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"),
            (TextFormat::Email, "a.b+c@example.org", "a..b@example.org"),
            (TextFormat::Email, "x@example.org", "x@localhost"),
            (TextFormat::Uri, "https://example.org/a%20b?c#d", "example.org/a"),
            (TextFormat::Uri, "urn:isbn:0451450523", "http://a b"),
            (TextFormat::Hostname, "a-1.example.org", "-a.example.org"),
            (TextFormat::Ipv4, "192.0.2.1", "192.0.2.256"),
            (TextFormat::Ipv6, "2001:db8::1", "2001:db8:::1"),
        ];
        for (format, good, bad) in cases {
            assert!(matches(format, good), "{good}");
            assert!(!matches(format, bad), "{bad}");
        }
    }
}
