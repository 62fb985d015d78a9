//! NCRONTAB: `{second} {minute} {hour} {day} {month} {day-of-week}`, in UTC.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeZone, Utc};

/// A parsed NCRONTAB expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    text: String,
    /// Bit n set: second n matches; likewise below.
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

/// The longest gap between two matching days: 29 February on a given weekday comes back after 40 years at most.
const SEARCH_DAYS: u64 = 41 * 366;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// Reads six fields, or five (seconds are then 0).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        let [second, minute, hour, day, month, weekday] = fields[..] else {
            return Err(format!(
                "expected six fields {{second}} {{minute}} {{hour}} {{day}} {{month}} {{day-of-week}}, found {} in \"{text}\"",
                fields.len()
            ));
        };
        let schedule = Self {
            text: text.to_owned(),
            seconds: field("second", second, 0, 59, &[])?,
            minutes: field("minute", minute, 0, 59, &[])?,
            hours: field("hour", hour, 0, 23, &[])?,
            days: field("day", day, 1, 31, &[])?,
            months: field("month", month, 1, 12, &MONTHS)?,
            weekdays: field("day-of-week", weekday, 0, 6, &WEEKDAYS)?,
        };
        let epoch = DateTime::<Utc>::UNIX_EPOCH;
        schedule.next_after(epoch).map(|_| schedule).ok_or_else(|| format!("\"{text}\" never comes"))
    }

    /// The first time after `after` that matches. Day and day-of-week must both match, unlike in Unix cron.
    pub(crate) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let after = after.naive_utc();
        let today = after.date();
        for offset in 0..SEARCH_DAYS {
            let date = today.checked_add_days(chrono::Days::new(offset))?;
            if !self.day_matches(date) {
                continue;
            }
            let floor = (offset == 0).then(|| after.time());
            if let Some(time) = self.first_time(floor) {
                return Some(Utc.from_utc_datetime(&date.and_time(time)));
            }
        }
        None
    }

    /// The expression as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn day_matches(&self, date: NaiveDate) -> bool {
        has(self.days, date.day()) && has(self.months, date.month()) && has(self.weekdays, date.weekday().num_days_from_sunday())
    }

    fn first_time(&self, after: Option<NaiveTime>) -> Option<NaiveTime> {
        for hour in (0..24).filter(|h| has(self.hours, *h)) {
            for minute in (0..60).filter(|m| has(self.minutes, *m)) {
                for second in (0..60).filter(|s| has(self.seconds, *s)) {
                    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
                    if after.is_none_or(|after| time > after) {
                        return Some(time);
                    }
                }
            }
        }
        None
    }
}

fn has(bits: u64, value: u32) -> bool {
    bits & (1 << value) != 0
}

fn field(name: &str, text: &str, low: u32, high: u32, names: &[&str]) -> Result<u64, String> {
    let mut bits = 0;
    for part in text.split(',') {
        let wrong = || format!("field {name}: expected {low} to {high}, a range, a list or a step, found \"{part}\"");
        let value = |text: &str| -> Result<u32, String> {
            let index = names.iter().position(|n| text.to_ascii_lowercase().starts_with(n));
            let number = match index {
                Some(index) => index as u32 + low,
                None => text.parse().map_err(|_| wrong())?,
            };
            if (low..=high).contains(&number) { Ok(number) } else { Err(wrong()) }
        };
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|s| *s > 0).ok_or_else(wrong)?),
            None => (part, 1),
        };
        let (first, last) = match range {
            "*" => (low, high),
            _ => match range.split_once('-') {
                Some((first, last)) => (value(first)?, value(last)?),
                // "5/15" counts from 5 to the end; "5" is 5 alone.
                None if part.contains('/') => (value(range)?, high),
                None => (value(range)?, value(range)?),
            },
        };
        if first > last {
            return Err(wrong());
        }
        for number in (first..=last).step_by(step as usize) {
            bits |= 1 << number;
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> String {
        let after: DateTime<Utc> = after.parse().unwrap();
        Schedule::parse(expression).unwrap().next_after(after).unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    #[test]
    fn finds_the_next_occurrence() {
        for (expression, after, expected) in [
            ("0 */5 * * * *", "2026-01-31T23:58:01Z", "2026-02-01T00:00:00Z"),
            ("0 */5 * * * *", "2026-01-31T23:55:00Z", "2026-02-01T00:00:00Z"),
            ("*/30 * * * * *", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:30Z"),
            ("0 30 9 * * Mon-Fri", "2026-01-02T10:00:00Z", "2026-01-05T09:30:00Z"),
            ("0 0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 12 13 * Fri", "2026-01-01T00:00:00Z", "2026-02-13T12:00:00Z"),
            ("5,10 0 0 1 January *", "2026-01-01T00:00:05Z", "2026-01-01T00:00:10Z"),
            ("0 5/20 * * * *", "2026-01-01T00:06:00Z", "2026-01-01T00:25:00Z"),
            ("*/5 * * * *", "2026-01-01T00:01:00Z", "2026-01-01T00:05:00Z"),
        ] {
            assert_eq!(next(expression, after), expected, "{expression} after {after}");
        }
    }

    #[test]
    fn refuses_what_never_comes_or_makes_no_sense() {
        for (wrong, part) in [
            ("* * *", "six fields"),
            ("60 * * * * *", "field second"),
            ("0 0 0 0 * *", "field day"),
            ("0 0 0 30 2 *", "never comes"),
            ("0 5-1 * * * *", "field minute"),
            ("0 */0 * * * *", "field minute"),
            ("0 0 0 * Foo *", "field month"),
            ("00:05:00", "six fields"),
        ] {
            let error = Schedule::parse(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_next_occurrence_is_the_first_match(start in 0i64..4_000_000_000, minute in 0u32..60, step in 1u32..30) {
            let after = DateTime::from_timestamp(start, 0).unwrap();
            let schedule = Schedule::parse(&format!("*/{step} {minute} * * * *")).unwrap();
            let found = schedule.next_after(after).unwrap();
            let mut expected = after + chrono::TimeDelta::seconds(1);
            while !(expected.format("%M").to_string() == format!("{minute:02}") && expected.timestamp() % 60 % i64::from(step) == 0) {
                expected += chrono::TimeDelta::seconds(1);
            }
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
