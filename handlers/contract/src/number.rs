//! Exact decimal numbers as text, so that bounds of 38 digits are compared without rounding.

use std::cmp::Ordering;

/// A number: sign, digits without leading zeros, and how many of them stand after the point (no trailing zeros there).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: String,
    scale: usize,
}

impl Number {
    /// Reads `-12.50` or `1.5e3`; `None` if it is no number or is longer than any type holds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let text = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|e| e.abs() <= 350)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        if digits.is_empty() || digits.len() > 450 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let mut scale = fraction.len() as i64 - i64::from(exponent);
        while scale < 0 {
            digits.push('0');
            scale += 1;
        }
        let mut scale = scale as usize;
        while scale > 0 && digits.ends_with('0') {
            digits.pop();
            scale -= 1;
        }
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, scale: 0 });
        }
        Some(Self { negative, digits, scale })
    }

    pub(crate) fn is_positive(&self) -> bool {
        !self.negative && !self.digits.is_empty()
    }

    /// Digits after the point.
    pub(crate) fn scale(&self) -> usize {
        self.scale
    }

    /// Digits before the point.
    pub(crate) fn whole_digits(&self) -> usize {
        self.digits.len().saturating_sub(self.scale)
    }

    /// All digits of the absolute value with exactly `scale` of them after the point.
    fn digits_at(&self, scale: usize) -> String {
        let mut digits = self.digits.clone();
        if !digits.is_empty() {
            digits.extend(std::iter::repeat_n('0', scale - self.scale));
        }
        digits
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let padded = format!("{:0>width$}", self.digits, width = self.scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - self.scale);
        f.write_str(whole)?;
        if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.digits_at(scale), other.digits_at(scale));
        let size = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size,
            (true, true) => size.reverse(),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Number::parse(text).map(|n| n.to_string())
    }

    #[test]
    fn numbers_have_one_spelling() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("+1e3", "1000"),
            ("1.25e1", "12.5"),
            ("1e-3", "0.001"),
            ("-1200e-2", "-12"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "-", ".", "1e", "1e999", "1,5", "0x1f", "--1"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_integers(a in -10_000i64..10_000, b in -10_000i64..10_000, scale in 0u32..4) {
            let text = |n: i64| format!("{n}e-{scale}");
            let (x, y) = (Number::parse(&text(a)).unwrap(), Number::parse(&text(b)).unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }

        #[test]
        fn the_spelling_reads_back(digits in "[0-9]{1,20}", fraction in "[0-9]{0,20}", exponent in -40i32..40) {
            let number = Number::parse(&format!("{digits}.{fraction}e{exponent}")).unwrap();
            prop_assert_eq!(Number::parse(&number.to_string()), Some(number));
        }
    }
}
