//! .NET's `TimeSpan` text, the form of every duration in host.json.

use std::time::Duration;

/// A parsed `TimeSpan`: `[-][d.]hh:mm:ss[.fffffff]`, or a whole number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeSpan {
    /// Zero or more.
    Positive(Duration),
    /// Below zero, which settings use for "without limit".
    Negative,
}

impl TimeSpan {
    /// Reads the text; the error says what was expected.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a time span such as \"00:05:00\", found \"{text}\"");
        let (negative, rest) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let parts: Vec<&str> = rest.split(':').collect();
        let number = |part: &str| part.parse::<u64>().map_err(|_| expected());
        let seconds = match parts.as_slice() {
            [days] => Duration::from_secs(number(days)? * 86_400),
            [hours, minutes] => clock(hours, minutes, "0").ok_or_else(expected)?,
            [hours, minutes, seconds] => clock(hours, minutes, seconds).ok_or_else(expected)?,
            _ => return Err(expected()),
        };
        Ok(if negative { Self::Negative } else { Self::Positive(seconds) })
    }

    /// The duration, or `None` for "without limit".
    pub(crate) fn limit(self) -> Option<Duration> {
        match self {
            Self::Positive(duration) => Some(duration),
            Self::Negative => None,
        }
    }
}

fn clock(hours: &str, minutes: &str, seconds: &str) -> Option<Duration> {
    let (days, hours) = match hours.split_once('.') {
        Some((days, hours)) => (days.parse::<u64>().ok()?, hours.parse::<u64>().ok()?),
        None => (0, hours.parse::<u64>().ok()?),
    };
    let minutes = minutes.parse::<u64>().ok().filter(|m| *m < 60)?;
    let seconds = seconds.parse::<f64>().ok().filter(|s| (0.0..60.0).contains(s))?;
    if hours > 23 {
        return None;
    }
    Some(Duration::from_secs(days * 86_400 + hours * 3600 + minutes * 60) + Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_host_json_holds() {
        assert_eq!(TimeSpan::parse("00:05:00"), Ok(TimeSpan::Positive(Duration::from_mins(5))));
        assert_eq!(TimeSpan::parse("1.02:00:00"), Ok(TimeSpan::Positive(Duration::from_hours(26))));
        assert_eq!(TimeSpan::parse("00:00:00.25"), Ok(TimeSpan::Positive(Duration::from_millis(250))));
        assert_eq!(TimeSpan::parse("-1"), Ok(TimeSpan::Negative));
        assert_eq!(TimeSpan::parse("-00:00:00.0010000"), Ok(TimeSpan::Negative));
    }

    #[test]
    fn refuses_the_rest() {
        for wrong in ["", "5 minutes", "00:61:00", "25:00:00", "00:00:61", "1:2:3:4", "::"] {
            let error = TimeSpan::parse(wrong).unwrap_err();
            assert!(error.contains(&format!("\"{wrong}\"")), "{error}");
        }
    }
}
