//! Numbers and dates of digits, eight bytes at a time.
//!
//! What is read here is read just as [`super::number`] and [`super::instant`] read it; `None` only says that the long way must be taken.

/// Eight zeros.
const ZEROS: u64 = 0x3030_3030_3030_3030;
const POINTS: u64 = 0x2e2e_2e2e_2e2e_2e2e;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// Ten to the powers that an `i64` holds.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut i = 1;
    while i < 19 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Eight bytes from `at` on; the first is the lowest.
#[inline]
pub(crate) fn load(text: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(at..)?.first_chunk::<8>()?))
}

/// The last `len` bytes before `end` (at most eight) as the last of eight digits, zeros before them.
#[inline]
fn tail(text: &[u8], end: usize, len: usize) -> Option<u64> {
    let bytes = load(text, end.checked_sub(8)?)?;
    if len >= 8 {
        return Some(bytes);
    }
    let known = u64::MAX.checked_shl(64 - 8 * len as u32).unwrap_or(0);
    Some((bytes & known) | (ZEROS & !known))
}

/// The number that eight digits make.
#[inline]
fn eight(bytes: u64) -> Option<i64> {
    let value = bytes.wrapping_sub(ZEROS);
    // A byte that is no digit has its highest bit set here or in the sum.
    if (value | value.wrapping_add(0x7676_7676_7676_7676)) & HIGHS != 0 {
        return None;
    }
    let pairs = value.wrapping_mul(10).wrapping_add(value >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    Some((low.wrapping_add(high) >> 32) as i64)
}

/// Whether a minus stands first, and where the digits begin.
#[inline]
fn minus(text: &[u8], start: usize, end: usize) -> (bool, usize) {
    let is_negative = start < end && text[start] == b'-';
    (is_negative, start + usize::from(is_negative))
}

/// A whole number of at most 16 digits.
#[inline]
pub(crate) fn integer(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let (is_negative, start) = minus(text, start, end);
    let len = end - start;
    let value = match len {
        1..=8 => eight(tail(text, end, len)?)?,
        9..=16 => eight(tail(text, end - 8, len - 8)?)? * 100_000_000 + eight(tail(text, end, 8)?)?,
        _ => return None,
    };
    Some(if is_negative { -value } else { value })
}

/// A decimal of at most 16 digits, as a whole number of units of `10^-scale`.
#[inline]
pub(crate) fn decimal(text: &[u8], start: usize, end: usize, scale: usize) -> Option<i64> {
    let (is_negative, start) = minus(text, start, end);
    let len = end - start;
    if len == 0 || len > 16 || len + scale > 18 {
        return None;
    }
    let bytes = tail(text, end, len.min(8))?;
    // Exact for the lowest byte that is a point; what is above it is looked at by `eight`.
    let odd = bytes ^ POINTS;
    let points = odd.wrapping_sub(ONES) & !odd & HIGHS;
    let (low, fraction, low_digits) = if points == 0 {
        (eight(bytes)?, 0, 8)
    } else {
        if len == 1 {
            return None;
        }
        let at = points.trailing_zeros() & !7;
        let below = (1_u64 << at) - 1;
        let above = u64::MAX.checked_shl(at + 8).unwrap_or(0);
        let closed = (bytes & above) | ((bytes & below) << 8) | 0x30;
        (eight(closed)?, 7 - (at / 8) as usize, 7)
    };
    let value = if len > 8 { eight(tail(text, end - 8, len - 8)?)? * POWERS[low_digits] + low } else { low };
    // More digits than the column keeps may still be zeros.
    let value = value * POWERS[scale.checked_sub(fraction)?];
    Some(if is_negative { -value } else { value })
}

/// `2013-01-31`, in days since 1970-01-01.
#[inline]
pub(crate) fn date(text: &[u8], start: usize, end: usize) -> Option<i32> {
    if end - start != 10 {
        return None;
    }
    let first = load(text, start)?;
    let last = u64::from(u16::from_le_bytes(*text[start + 8..end].first_chunk::<2>()?));
    if first & 0xff00_00ff_0000_0000 != 0x2d00_002d_0000_0000 {
        return None;
    }
    let digits = first & 0xffff_ffff | (first >> 40 & 0xffff) << 32 | last << 48;
    let number = eight(digits)? as u32;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    days(year, month, day)
}

/// As [`super::instant::days_of`], without a branch for each kind of month.
#[inline]
fn days(year: u32, month: u32, day: u32) -> Option<i32> {
    const LENGTHS: [u32; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
    // Days of a year that begins in March, before each month.
    const BEFORE: [u32; 16] = [0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 0, 0, 0];
    if month > 12 {
        return None;
    }
    let month = month as usize & 15;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = LENGTHS[month] + u32::from(is_leap && month == 2);
    if day.wrapping_sub(1) >= length {
        return None;
    }
    // One era more, so that the year before the first one is none below zero.
    let shifted = year + 400 - u32::from(month <= 2);
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + BEFORE[month] + day - 1;
    Some(days as i32 - 719_468 - 146_097)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{instant, number};
    use super::*;

    /// The value in the middle of other text, as it stands in a file.
    fn within<T>(value: &str, read: impl Fn(&[u8], usize, usize) -> Option<T>) -> Option<T> {
        let text = format!("12345678,{value},12345678");
        read(text.as_bytes(), 9, 9 + value.len())
    }

    #[test]
    fn ordinary_values_take_the_short_way() {
        assert_eq!(within("17", integer), Some(17));
        assert_eq!(within("-1234567890123456", integer), Some(-1_234_567_890_123_456));
        assert_eq!(within("24386.67", |t, s, e| decimal(t, s, e, 2)), Some(2_438_667));
        assert_eq!(within("-104949.5", |t, s, e| decimal(t, s, e, 2)), Some(-10_494_950));
        assert_eq!(within("123456789012.34", |t, s, e| decimal(t, s, e, 2)), Some(12_345_678_901_234));
        assert_eq!(within("17", |t, s, e| decimal(t, s, e, 2)), Some(1700));
        assert_eq!(within("1996-03-13", date), instant::date(b"1996-03-13"));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_the_long_way_reads(value in "[-+.0-9e/:]{0,18}|-?[0-9]{0,12}\\.?[0-9]{0,4}|[0-9]{1,18}", scale in 0_u8..5) {
            if let Some(found) = within(&value, integer) {
                prop_assert_eq!(number::integer(value.as_bytes()), Ok(found));
            }
            if let Some(found) = within(&value, |t, s, e| decimal(t, s, e, usize::from(scale))) {
                prop_assert_eq!(number::decimal(value.as_bytes(), 38, scale as i8), Ok(i128::from(found)));
            }
        }

        #[test]
        fn dates_are_those_of_the_long_way(value in "[0-9]{4}-[0-9]{2}-[0-9]{2}|[-0-9/:]{10}") {
            prop_assert_eq!(within(&value, date), instant::date(value.as_bytes()));
        }
    }
}
