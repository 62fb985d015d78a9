//! ISO 8601 durations such as `P2D` and `PT4H`.

/// Seconds of a day.
pub(crate) const DAY: u64 = 86_400;

/// Seconds of a duration of whole numbers. A year counts 366 days and a month 31, so that nothing is ever removed
/// before its time; `None` if it is no duration or too long.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = sum(date, &[('Y', 366 * DAY), ('M', 31 * DAY), ('W', 7 * DAY), ('D', DAY)])?;
    let time = sum(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
    date.checked_add(time)
}

/// Numbers with units, each at most once and in the order given.
fn sum(mut text: &str, mut units: &[(char, u64)]) -> Option<u64> {
    let mut total = 0u64;
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..end].parse().ok()?;
        let unit = text[end..].chars().next()?;
        let position = units.iter().position(|(letter, _)| *letter == unit)?;
        total = total.checked_add(number.checked_mul(units[position].1)?)?;
        units = &units[position + 1..];
        text = &text[end + 1..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("P2D", 2 * DAY),
            ("PT4H", 14_400),
            ("P1DT12H", DAY + 43_200),
            ("P7Y", 7 * 366 * DAY),
            ("P2W", 14 * DAY),
            ("PT90M", 5400),
            ("PT1M30S", 90),
            ("P1M", 31 * DAY),
            ("P0D", 0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in [
            "",
            "P",
            "PT",
            "2D",
            "P2",
            "PD",
            "P2DT",
            "P-1D",
            "P1.5D",
            "P2H",
            "PT1D",
            "P1D2Y",
            "P1D1D",
            "p2d",
            "P99999999999999999999D",
            "P1ä",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "P\\PC{0,20}") {
            let _answer = seconds(&text);
        }
    }
}
