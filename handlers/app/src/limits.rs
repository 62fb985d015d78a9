//! How many requests a caller may make: a token bucket for each, in this process alone. With several instances of the app a caller meets
//! as many buckets, so this holds back a program that has gone wild; it is no quota.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};

use crate::api::problem::Problem;

/// Most buckets of a kind. Whoever comes when there are so many that are not full shares one.
const MOST_BUCKETS: usize = 10_000;
/// Most characters of a name that has a bucket of its own.
const NAME_CHARS: usize = 200;

/// Size of a bucket, and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second that can go on for ever.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

impl Rate {
    /// Of a caller: far beyond a person at a keyboard and the polling of the web app.
    pub const CALLER: Self = Self { per_second: 50, burst: 500 };
    /// Of an address whose requests carry no valid token.
    pub const STRANGER: Self = Self { per_second: 10, burst: 100 };

    /// Time in which one request is paid back.
    fn step(self) -> TimeDelta {
        TimeDelta::microseconds(1_000_000 / i64::from(self.per_second.clamp(1, 1_000_000)))
    }

    /// Time in which an empty bucket fills.
    fn window(self) -> TimeDelta {
        self.step() * i32::try_from(self.burst.max(1)).unwrap_or(i32::MAX)
    }
}

/// The buckets of one kind of callers.
#[derive(Debug)]
pub struct Limiter {
    /// Name of the policy in headers.
    policy: &'static str,
    rate: Rate,
    /// By caller: when its bucket is full again (the generic cell rate algorithm needs no more).
    full_at: Mutex<HashMap<String, DateTime<Utc>>>,
}

/// Whether one more request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    policy: &'static str,
    rate: Rate,
    /// Requests left.
    left: u32,
    /// Time until the bucket is full.
    full_in: TimeDelta,
    /// Time until there is room, if there is none now.
    wait: Option<TimeDelta>,
}

/// All buckets of this process.
#[derive(Debug)]
pub struct Limits {
    /// By caller id.
    pub callers: Limiter,
    /// By address.
    pub strangers: Limiter,
}

impl Limits {
    /// Full buckets of these sizes.
    pub fn new(caller: Rate, stranger: Rate) -> Self {
        Self { callers: Limiter::new("caller", caller), strangers: Limiter::new("address", stranger) }
    }
}

impl Limiter {
    fn new(policy: &'static str, rate: Rate) -> Self {
        Self { policy, rate, full_at: Mutex::default() }
    }

    /// Takes one request out of the bucket of `name`, if there is one in it.
    pub fn take(&self, name: &str, now: DateTime<Utc>) -> Allowance {
        let (step, window) = (self.rate.step(), self.rate.window());
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(name) && buckets.len() >= MOST_BUCKETS {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let known = buckets.contains_key(name) || (buckets.len() < MOST_BUCKETS && name.len() <= NAME_CHARS);
        let full_at = buckets.entry(if known { name.to_owned() } else { String::new() }).or_insert(now);
        // Never further away than an empty bucket: a clock that was set back must not lock anybody out.
        let before = (*full_at).clamp(now, now + window);
        let after = before + step;
        let wait = Some(after - now - window).filter(|wait| *wait > TimeDelta::zero());
        *full_at = if wait.is_some() { before } else { after };
        let full_in = *full_at - now;
        let left = (window - full_in).num_microseconds().unwrap_or(0) / step.num_microseconds().unwrap_or(1).max(1);
        Allowance { policy: self.policy, rate: self.rate, left: u32::try_from(left).unwrap_or(0), full_in, wait }
    }
}

impl Allowance {
    /// The answer to whoever is over the limit.
    pub fn refusal(&self) -> Option<Response> {
        let wait = seconds(self.wait?).max(1);
        let detail = format!(
            "more than {} requests at once, or {} a second for long: wait {wait} seconds; nothing was done",
            self.rate.burst, self.rate.per_second
        );
        let mut response = Problem::too_many_requests(detail, u16::try_from(wait).unwrap_or(u16::MAX)).into_response();
        self.tell(response.headers_mut());
        Some(response)
    }

    /// Tells the limit and what is left of it (draft-ietf-httpapi-ratelimit-headers).
    pub fn tell(&self, headers: &mut HeaderMap) {
        let Self { policy, rate, left, full_in, .. } = self;
        let policy_text = format!("\"{policy}\";q={};w={}", rate.burst, seconds(rate.window()).max(1));
        let state_text = format!("\"{policy}\";r={left};t={}", seconds(*full_in));
        for (name, text) in [("ratelimit-policy", policy_text), ("ratelimit", state_text)] {
            // Names and numbers are a header value.
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(time: TimeDelta) -> u64 {
    u64::try_from(time.num_milliseconds()).unwrap_or(0).div_ceil(1000)
}

/// The client's address as the platform appended it to `X-Forwarded-For`: the last entry, since those before it are the client's own words.
/// Without it all strangers are one.
pub fn address(headers: &HeaderMap) -> &str {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let last = forwarded.rsplit(',').next().unwrap_or_default().trim();
    // App Service adds the port, which changes with every connection.
    match last.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_767_225_600_000 + milliseconds).unwrap()
    }

    fn limiter(per_second: u32, burst: u32) -> Limiter {
        Limiter::new("caller", Rate { per_second, burst })
    }

    #[test]
    fn a_bucket_empties_at_once_and_fills_with_time() {
        let limiter = limiter(2, 4);
        let left: Vec<u32> = (0..4).map(|_| limiter.take("rita", at(0)).left).collect();
        assert_eq!(left, [3, 2, 1, 0]);
        let refused = limiter.take("rita", at(0));
        assert_eq!(refused.wait, Some(TimeDelta::milliseconds(500)));
        assert!(limiter.take("ravi", at(0)).wait.is_none(), "another caller has a bucket of its own");
        assert!(limiter.take("rita", at(499)).wait.is_some());
        assert!(limiter.take("rita", at(500)).wait.is_none());
        assert!(limiter.take("rita", at(500)).wait.is_some(), "refused requests cost nothing and give nothing");
        assert_eq!(limiter.take("rita", at(60_000)).left, 3, "it never holds more than its size");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limiter = limiter(1, 2);
        limiter.take("rita", at(3_600_000));
        limiter.take("rita", at(3_600_000));
        assert!(limiter.take("rita", at(0)).wait.is_some());
        assert!(limiter.take("rita", at(1_000)).wait.is_none());
    }

    #[test]
    fn memory_is_bounded_and_newcomers_share_what_is_left() {
        let limiter = limiter(1, 2);
        for n in 0..MOST_BUCKETS {
            limiter.take(&n.to_string(), at(0));
        }
        let count = || limiter.full_at.lock().unwrap().len();
        for n in 0..2 {
            assert!(limiter.take(&format!("new-{n}"), at(0)).wait.is_none());
        }
        assert!(limiter.take("new-2", at(0)).wait.is_some());
        assert!(limiter.take("0", at(0)).wait.is_none(), "who has a bucket keeps it");
        assert_eq!(count(), MOST_BUCKETS + 1);
        assert!(limiter.take("new-3", at(10_000)).wait.is_none());
        assert_eq!(count(), 1, "full buckets are forgotten");
    }

    #[test]
    fn headers_tell_the_policy_and_what_is_left() {
        let limiter = limiter(50, 500);
        let mut headers = HeaderMap::new();
        limiter.take("rita", at(0)).tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"caller\";q=500;w=10");
        assert_eq!(headers["ratelimit"], "\"caller\";r=499;t=1");
        let refused = (0..500).find_map(|_| limiter.take("rita", at(0)).refusal()).unwrap();
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.headers()["ratelimit"], "\"caller\";r=0;t=10");
    }

    #[test]
    fn the_address_is_the_one_that_the_platform_saw() {
        for (forwarded, expected) in [
            ("1.2.3.4, 5.6.7.8:1234", "5.6.7.8"),
            ("5.6.7.8", "5.6.7.8"),
            ("[2001:db8::1]:443", "[2001:db8::1]"),
            ("2001:db8::1", "2001:db8::1"),
            ("", ""),
        ] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("x-forwarded-for"), forwarded.parse().unwrap())]);
            assert_eq!(address(&headers), expected);
        }
        assert_eq!(address(&HeaderMap::new()), "");
    }
}
