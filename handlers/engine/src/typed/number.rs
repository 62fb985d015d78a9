//! Integers, decimals and floats from the bytes of a field.

use std::borrow::Cow;

use crate::Code;

/// How numbers are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct NumberStyle {
    /// Decimal separator in the bytes of the file, where it is not a point.
    pub(crate) decimal: Option<Vec<u8>>,
    /// Thousands separator in the bytes of the file.
    pub(crate) thousands: Option<Vec<u8>>,
}

impl NumberStyle {
    /// Whether numbers are written as this program writes them.
    pub(crate) fn is_plain(&self) -> bool {
        self.decimal.is_none() && self.thousands.is_none()
    }

    /// The number with a decimal point and without thousands separators; `None` if the groups are not of three digits.
    pub(crate) fn plain<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if self.is_plain() {
            return Some(Cow::Borrowed(text));
        }
        let point: &[u8] = self.decimal.as_deref().unwrap_or(b".");
        let (whole, fraction) = match memchr::memmem::find(text, point) {
            Some(i) => (&text[..i], Some(&text[i + point.len()..])),
            None => (text, None),
        };
        let mut plain = match &self.thousands {
            Some(separator) => without_groups(whole, separator)?,
            None => whole.to_vec(),
        };
        // A point that is not the decimal separator must not pass as one.
        if self.decimal.is_some() && plain.contains(&b'.') {
            return None;
        }
        if let Some(fraction) = fraction {
            if fraction.contains(&b'.') {
                return None;
            }
            plain.push(b'.');
            plain.extend_from_slice(fraction);
        }
        Some(Cow::Owned(plain))
    }
}

fn without_groups(whole: &[u8], separator: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(whole.len());
    let mut rest = whole;
    let mut groups = 0;
    while let Some(i) = memchr::memmem::find(rest, separator) {
        let digits = rest[..i].iter().filter(|b| b.is_ascii_digit()).count();
        if digits == 0 || digits > 3 || (groups > 0 && i != 3) {
            return None;
        }
        plain.extend_from_slice(&rest[..i]);
        rest = &rest[i + separator.len()..];
        groups += 1;
    }
    if groups > 0 && (rest.len() < 3 || !rest[..3].iter().all(u8::is_ascii_digit) || rest.get(3).is_some_and(u8::is_ascii_digit)) {
        return None;
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

/// Takes a sign off; true for minus.
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text.strip_prefix(b"+").unwrap_or(text)),
    }
}

/// A signed integer: an optional sign and digits.
pub(crate) fn integer(text: &[u8]) -> Result<i64, Code> {
    let (is_negative, digits) = sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Code::NotInteger);
    }
    let mut value = 0_i64;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        let next = value.checked_mul(10).and_then(|v| if is_negative { v.checked_sub(digit) } else { v.checked_add(digit) });
        value = next.ok_or(Code::IntegerOutOfRange)?;
    }
    Ok(value)
}

/// An exact decimal as a whole number of units of `10^-scale`: sign, digits, a point, digits, and perhaps an exponent.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Result<i128, Code> {
    let (is_negative, number) = sign(text);
    let (digits, exponent) = match memchr::memchr2(b'e', b'E', number) {
        Some(i) => (&number[..i], integer(&number[i + 1..]).map_err(|_| Code::NotDecimal)?),
        None => (number, 0),
    };
    let mut value = 0_i128;
    let (mut count, mut fraction, mut zeros) = (0_u32, 0_i64, 0_i64);
    let mut has_point = false;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                count += 1;
                fraction += i64::from(has_point);
                // Zeros are kept back until a digit follows, so that 1.500 fits a scale of 2.
                if *byte == b'0' {
                    zeros += 1;
                    continue;
                }
                for _ in 0..=zeros {
                    value = value.checked_mul(10).ok_or(Code::DecimalOutOfRange)?;
                }
                zeros = 0;
                value = value.checked_add(i128::from(byte - b'0')).ok_or(Code::DecimalOutOfRange)?;
            }
            b'.' if !has_point => has_point = true,
            _ => return Err(Code::NotDecimal),
        }
    }
    if count == 0 {
        return Err(Code::NotDecimal);
    }
    if value == 0 {
        return Ok(0);
    }
    let shift = (zeros - fraction).checked_add(exponent).and_then(|s| s.checked_add(i64::from(scale))).ok_or(Code::DecimalOutOfRange)?;
    let value = rescale(value, shift, precision)?;
    Ok(if is_negative { -value } else { value })
}

/// `value * 10^shift`, exactly, with at most `precision` digits.
pub(crate) fn rescale(value: i128, shift: i64, precision: u8) -> Result<i128, Code> {
    if value == 0 {
        return Ok(0);
    }
    let power = |n: i64| u32::try_from(n).ok().and_then(|n| 10_i128.checked_pow(n));
    let value = if shift >= 0 {
        power(shift).and_then(|p| value.checked_mul(p)).ok_or(Code::DecimalOutOfRange)?
    } else {
        let unit = shift.checked_neg().and_then(power).ok_or(Code::TooManyFractionDigits)?;
        if value % unit != 0 {
            return Err(Code::TooManyFractionDigits);
        }
        value / unit
    };
    let limit = power(i64::from(precision)).unwrap_or(i128::MAX);
    if value.checked_abs().is_none_or(|v| v >= limit) { Err(Code::DecimalOutOfRange) } else { Ok(value) }
}

/// A finite number.
pub(crate) fn float(text: &[u8]) -> Result<f64, Code> {
    // `f64::from_str` also takes words such as `inf` and `nan`; here only digits make a number.
    if !text.iter().any(u8::is_ascii_digit) {
        return Err(Code::NotNumber);
    }
    let text = std::str::from_utf8(text).map_err(|_| Code::NotNumber)?;
    text.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or(Code::NotNumber)
}

/// A decimal as text.
pub(crate) fn decimal_text(value: i128, scale: i8) -> String {
    let digits = value.unsigned_abs().to_string();
    let scale = usize::try_from(scale).unwrap_or(0);
    let sign = if value < 0 { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_exact_at_their_ends() {
        assert_eq!(integer(b"-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(integer(b"9223372036854775807"), Ok(i64::MAX));
        assert_eq!(integer(b"9223372036854775808"), Err(Code::IntegerOutOfRange));
        assert_eq!(integer(b"+007"), Ok(7));
        for bad in [&b""[..], b"-", b"1.0", b" 1", b"1e3", b"\xd9\xa1"] {
            assert_eq!(integer(bad), Err(Code::NotInteger), "{bad:?}");
        }
    }

    #[test]
    fn decimals_keep_every_digit_or_say_why_not() {
        assert_eq!(decimal(b"12.34", 15, 2), Ok(1234));
        assert_eq!(decimal(b"-12.3", 15, 2), Ok(-1230));
        assert_eq!(decimal(b"1.500", 15, 2), Ok(150));
        assert_eq!(decimal(b"100", 15, 2), Ok(10000));
        assert_eq!(decimal(b"100.00", 5, 2), Ok(10000));
        assert_eq!(decimal(b".5", 15, 2), Ok(50));
        assert_eq!(decimal(b"5.", 15, 2), Ok(500));
        assert_eq!(decimal(b"1.5e3", 15, 2), Ok(150_000));
        assert_eq!(decimal(b"15e-1", 15, 2), Ok(150));
        assert_eq!(decimal(b"0.000", 3, 2), Ok(0));
        assert_eq!(decimal(b"1.505", 15, 2), Err(Code::TooManyFractionDigits));
        assert_eq!(decimal(b"1000", 5, 2), Err(Code::DecimalOutOfRange));
        assert_eq!(decimal(b"1e99999999999", 5, 2), Err(Code::DecimalOutOfRange));
        assert_eq!(decimal(b"1e-9223372036854775808", 5, 0), Err(Code::TooManyFractionDigits));
        assert_eq!(decimal(b"99999999999999999999999999999999999999", 38, 0), Ok(10_i128.pow(38) - 1));
        for bad in [&b""[..], b".", b"-", b"1.2.3", b"abc", b"1,5", b"e5"] {
            assert_eq!(decimal(bad, 15, 2), Err(Code::NotDecimal), "{bad:?}");
        }
    }

    #[test]
    fn separators_must_stand_where_they_belong() {
        let german = NumberStyle { decimal: Some(b",".to_vec()), thousands: Some(b".".to_vec()) };
        assert_eq!(german.plain(b"-1.234.567,89").as_deref(), Some(&b"-1234567.89"[..]));
        assert_eq!(german.plain(b"1234,5").as_deref(), Some(&b"1234.5"[..]));
        assert_eq!(german.plain(b"1.23,5"), None);
        assert_eq!(german.plain(b"12.34"), None);
        assert_eq!(german.plain(b"1234.567"), None);
        assert_eq!(german.plain(b"1,234.5"), None);
    }

    #[test]
    fn words_are_no_floats() {
        assert_eq!(float(b"1.5e-3"), Ok(0.0015));
        for bad in [&b"nan"[..], b"inf", b"1e999", b"", b"0x1p3"] {
            assert_eq!(float(bad), Err(Code::NotNumber), "{bad:?}");
        }
    }

    #[test]
    fn decimals_are_written_with_their_scale() {
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(1234, 2), "12.34");
        assert_eq!(decimal_text(7, 0), "7");
    }
}
