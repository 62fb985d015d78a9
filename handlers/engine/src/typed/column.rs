//! One column of the contract: from a raw value to an array, with every problem of the value.

use std::borrow::Cow;

use sluice_contract::{Contract, DataType};

use super::builder::{Builder, type_name};
use super::check::{self, Checks, Fault, Number, NumberCheck};
use super::instant::{self, Pattern};
use super::metric::ColumnMetric;
use super::raw::{Raw, Reading};
use super::{json, number, text};
use crate::Code;

/// A column of the contract, ready to read values.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) data_type: DataType,
    required: bool,
    checks: Checks,
    pattern: Option<Pattern>,
    pub(crate) metrics: Vec<ColumnMetric>,
}

impl Column {
    /// The columns of a contract.
    ///
    /// # Errors
    /// Column name and what is wrong with its checks, all at once.
    pub(crate) fn all(contract: &Contract) -> Result<Vec<Self>, Vec<(String, String)>> {
        let mut faults = Vec::new();
        let mut columns = Vec::new();
        for column in &contract.columns {
            let (checks, pattern) = check::compile(column).unwrap_or_else(|all| {
                faults.extend(all.into_iter().map(|f| (column.name.clone(), f)));
                (Checks::Text(Vec::new()), None)
            });
            let mut metrics = Vec::new();
            for quality in contract.quality.iter().filter(|q| q.column.as_ref() == Some(&column.name)) {
                match ColumnMetric::of(quality) {
                    Ok(metric) => metrics.extend(metric),
                    Err(e) => faults.push((column.name.clone(), e)),
                }
            }
            columns.push(Self {
                name: column.name.clone(),
                source: column.source.clone(),
                data_type: column.data_type,
                required: column.required,
                checks,
                pattern,
                metrics,
            });
        }
        if faults.is_empty() { Ok(columns) } else { Err(faults) }
    }

    /// A column without checks.
    pub(crate) fn plain(name: &str, data_type: DataType) -> Self {
        Self {
            name: name.to_owned(),
            source: name.to_owned(),
            data_type,
            required: false,
            checks: Checks::Text(Vec::new()),
            pattern: None,
            metrics: Vec::new(),
        }
    }

    pub(crate) fn is_required(&self) -> bool {
        self.required
    }

    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }

    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        self.pattern.as_ref()
    }

    /// Adds one value, and to `faults` everything that is wrong with it. A value that cannot be typed is added as null.
    #[inline]
    pub(crate) fn append(&self, builder: &mut Builder, raw: Raw<'_>, reading: &Reading, faults: &mut Vec<Fault>) {
        let raw = match raw {
            Raw::Text(bytes) if reading.is_null(bytes) => Raw::Null,
            raw => raw,
        };
        if raw == Raw::Null {
            builder.null();
            if self.required {
                faults.push(Fault::new(Code::Required, "a value is required"));
            }
            return;
        }
        if let Err(fault) = self.append_value(builder, raw, reading, faults) {
            builder.null();
            faults.push(self.explained(fault, raw));
        }
    }

    /// A fault of a value that cannot be typed, in the plainest words that are true of this value.
    #[cold]
    fn explained(&self, fault: Fault, raw: Raw<'_>) -> Fault {
        let message = match (fault.code, raw) {
            (Code::NotNumber | Code::NotDecimal, raw) => not_finite(raw).or_else(|| {
                let is_too_large = fault.code == Code::NotNumber && is_number(raw);
                is_too_large.then(|| format!("is out of the range of {}", type_name(self.data_type)))
            }),
            (Code::NotDate | Code::NotTimestamp | Code::NotTime, Raw::Text(bytes)) => {
                let zoned = self.data_type == DataType::Timestamp { zoned: true };
                match (&self.pattern, fault.code) {
                    (Some(pattern), _) => {
                        let otherwise = || format!("is not {} in the format of the contract", type_name(self.data_type));
                        Some(pattern.fault(bytes).unwrap_or_else(otherwise))
                    }
                    (None, Code::NotDate) => instant::date_fault(bytes),
                    (None, Code::NotTime) => instant::time_fault(bytes),
                    (None, _) => instant::timestamp_fault(bytes, zoned),
                }
            }
            (Code::NotTimestamp, Raw::Timestamp(nanos, _)) if nanos % 1000 != 0 => Some(instant::TOO_FINE.to_owned()),
            (Code::NotTime, Raw::Time(nanos)) if nanos % 1000 != 0 => Some(instant::TOO_FINE.to_owned()),
            (Code::NotTimestamp, Raw::Timestamp(..)) => Some("is out of the range of a timestamp in microseconds".to_owned()),
            _ => None,
        };
        match message {
            Some(message) => Fault { message, ..fault },
            None => fault,
        }
    }

    fn append_value(&self, builder: &mut Builder, raw: Raw<'_>, reading: &Reading, faults: &mut Vec<Fault>) -> Result<(), Fault> {
        match builder {
            Builder::Text(b) => {
                let value = self.text(raw, reading)?;
                self.check_text(&value, faults);
                b.append_value(&value);
            }
            Builder::Boolean(b) => {
                let value = match raw {
                    Raw::Boolean(value) => value,
                    Raw::Text(bytes) => reading.boolean(bytes).ok_or_else(|| self.not(Code::NotBoolean))?,
                    other => return Err(self.wrong_kind(other)),
                };
                self.check_text(if value { "true" } else { "false" }, faults);
                b.append_value(value);
            }
            Builder::Int8(b) => b.append_value(self.narrow(self.integer(raw, reading)?, faults)?),
            Builder::Int16(b) => b.append_value(self.narrow(self.integer(raw, reading)?, faults)?),
            Builder::Int32(b) => b.append_value(self.narrow(self.integer(raw, reading)?, faults)?),
            Builder::Int64(b) => b.append_value(self.narrow(self.integer(raw, reading)?, faults)?),
            Builder::Float32(b) => {
                let value = self.float(raw, reading)?;
                if (value as f32).is_infinite() {
                    return Err(self.not(Code::NotNumber));
                }
                self.check_float(value, faults);
                b.append_value(value as f32);
            }
            Builder::Float64(b) => {
                let value = self.float(raw, reading)?;
                self.check_float(value, faults);
                b.append_value(value);
            }
            Builder::Decimal(b) => {
                let value = self.decimal(raw, reading)?;
                if let Checks::Decimal(checks) = &self.checks {
                    run(checks, value, faults);
                }
                b.append_value(value);
            }
            Builder::Date(b) => {
                let value = match (raw, &self.pattern) {
                    (Raw::Text(bytes), Some(pattern)) => iso(reading, || instant::date(bytes)).or_else(|| pattern.date(bytes)),
                    (Raw::Text(bytes), None) => instant::date(bytes),
                    (Raw::Date(days), _) => Some(days),
                    (other, _) => return Err(self.wrong_kind(other)),
                };
                let value = value.ok_or_else(|| self.not(Code::NotDate))?;
                self.check_whole(i64::from(value), faults);
                b.append_value(value);
            }
            Builder::Timestamp(b) => {
                let value = self.timestamp(raw, reading)?.ok_or_else(|| self.not(Code::NotTimestamp))?;
                self.check_whole(value, faults);
                b.append_value(value);
            }
            Builder::Time(b) => {
                let value = match (raw, &self.pattern) {
                    (Raw::Text(bytes), Some(pattern)) => iso(reading, || instant::time(bytes)).or_else(|| pattern.time(bytes)),
                    (Raw::Text(bytes), None) => instant::time(bytes),
                    (Raw::Time(nanos), _) => (nanos % 1000 == 0).then_some(nanos / 1000),
                    (other, _) => return Err(self.wrong_kind(other)),
                };
                let value = value.ok_or_else(|| self.not(Code::NotTime))?;
                self.check_whole(value, faults);
                b.append_value(value);
            }
        }
        Ok(())
    }

    fn text<'a>(&self, raw: Raw<'a>, reading: &Reading) -> Result<Cow<'a, str>, Fault> {
        let bytes = match (self.data_type, raw) {
            (_, Raw::Text(bytes)) | (DataType::Json, Raw::Json(bytes)) => bytes,
            (_, other) => return Err(self.wrong_kind(other)),
        };
        let encoding = if matches!(raw, Raw::Json(_)) { sluice_contract::Encoding::Utf8 } else { reading.encoding };
        let value = text::decode(bytes, encoding)
            .map_err(|at| Fault::new(Code::InvalidEncoding, format!("is no valid UTF-8 at byte {at} of the value")))?;
        if memchr::memchr(0, bytes).is_some() {
            return Err(Fault::new(Code::NulCharacter, "has a NUL character"));
        }
        if self.data_type == DataType::Json {
            return json::compact(&value).map(Cow::Owned).ok_or_else(|| self.not(Code::NotJson));
        }
        Ok(value)
    }

    fn integer(&self, raw: Raw<'_>, reading: &Reading) -> Result<i64, Fault> {
        let value = match raw {
            Raw::Text(bytes) => {
                let plain = reading.numbers.plain(bytes).ok_or_else(|| self.not(Code::NotInteger))?;
                number::integer(&plain)
            }
            // 3.0 and 3e2 are whole numbers in JSON.
            Raw::Number(bytes) => number::integer(bytes).or_else(|_| match number::decimal(bytes, 38, 0) {
                Ok(value) => i64::try_from(value).map_err(|_| Code::IntegerOutOfRange),
                Err(Code::DecimalOutOfRange) => Err(Code::IntegerOutOfRange),
                Err(_) => Err(Code::NotInteger),
            }),
            Raw::Integer(value) => i64::try_from(value).map_err(|_| Code::IntegerOutOfRange),
            Raw::Decimal(value, scale) => match number::rescale(value, -i64::from(scale), 38) {
                Ok(value) => i64::try_from(value).map_err(|_| Code::IntegerOutOfRange),
                Err(_) => Err(Code::NotInteger),
            },
            other => return Err(self.wrong_kind(other)),
        };
        value.map_err(|code| self.not(code))
    }

    fn narrow<N: TryFrom<i64>>(&self, value: i64, faults: &mut Vec<Fault>) -> Result<N, Fault> {
        let narrow = N::try_from(value).map_err(|_| self.not(Code::IntegerOutOfRange))?;
        self.check_whole(value, faults);
        Ok(narrow)
    }

    fn float(&self, raw: Raw<'_>, reading: &Reading) -> Result<f64, Fault> {
        let value = match raw {
            Raw::Text(bytes) => reading.numbers.plain(bytes).ok_or(Code::NotNumber).and_then(|plain| number::float(&plain)),
            Raw::Number(bytes) => number::float(bytes),
            Raw::Integer(value) => Ok(value as f64),
            Raw::Decimal(value, scale) => number::float(number::decimal_text(value, scale).as_bytes()),
            Raw::Float(value) if value.is_finite() => Ok(value),
            Raw::Float(_) => Err(Code::NotNumber),
            other => return Err(self.wrong_kind(other)),
        };
        value.map_err(|code| self.not(code))
    }

    fn decimal(&self, raw: Raw<'_>, reading: &Reading) -> Result<i128, Fault> {
        let DataType::Decimal { precision, scale } = self.data_type else { return Err(self.wrong_kind(raw)) };
        let value = match raw {
            Raw::Text(bytes) => {
                reading.numbers.plain(bytes).ok_or(Code::NotDecimal).and_then(|plain| number::decimal(&plain, precision, scale))
            }
            Raw::Number(bytes) => number::decimal(bytes, precision, scale),
            Raw::Integer(value) => number::rescale(value, i64::from(scale), precision),
            Raw::Decimal(value, from) => number::rescale(value, i64::from(scale) - i64::from(from), precision),
            // The shortest text of a float is what its writer meant.
            Raw::Float(value) => number::decimal(format!("{value:e}").as_bytes(), precision, scale),
            other => return Err(self.wrong_kind(other)),
        };
        value.map_err(|code| self.not(code))
    }

    fn timestamp(&self, raw: Raw<'_>, reading: &Reading) -> Result<Option<i64>, Fault> {
        let DataType::Timestamp { zoned } = self.data_type else { return Err(self.wrong_kind(raw)) };
        Ok(match (raw, &self.pattern) {
            (Raw::Text(bytes), Some(pattern)) => iso(reading, || instant::timestamp(bytes, zoned)).or_else(|| pattern.timestamp(bytes)),
            (Raw::Text(bytes), None) => instant::timestamp(bytes, zoned),
            (Raw::Timestamp(nanos, is_zoned), _) if zoned == is_zoned && nanos % 1000 == 0 => i64::try_from(nanos / 1000).ok(),
            (Raw::Timestamp(..), _) => None,
            (Raw::Date(days), _) if !zoned => Some(i64::from(days) * 86_400_000_000),
            (other, _) => return Err(self.wrong_kind(other)),
        })
    }

    fn check_text(&self, value: &str, faults: &mut Vec<Fault>) {
        if let Checks::Text(checks) = &self.checks {
            faults.extend(checks.iter().filter_map(|check| check.fault(value)));
        }
    }

    #[inline]
    fn check_whole(&self, value: i64, faults: &mut Vec<Fault>) {
        if let Checks::Integer(checks) = &self.checks {
            run(checks, value, faults);
        }
    }

    fn check_float(&self, value: f64, faults: &mut Vec<Fault>) {
        if let Checks::Float(checks) = &self.checks {
            run(checks, value, faults);
        }
    }

    fn wrong_kind(&self, raw: Raw<'_>) -> Fault {
        Fault::new(Code::WrongJsonKind, format!("expected {}, found {}", type_name(self.data_type), raw.kind()))
    }

    fn not(&self, code: Code) -> Fault {
        let what = match code {
            Code::TooManyFractionDigits => format!("has more digits after the point than {} keeps", type_name(self.data_type)),
            Code::IntegerOutOfRange | Code::DecimalOutOfRange => format!("is out of the range of {}", type_name(self.data_type)),
            _ => format!("is not {}", type_name(self.data_type)),
        };
        Fault::new(code, what)
    }
}

/// Names a value that is no finite number.
fn not_finite(raw: Raw<'_>) -> Option<String> {
    let name = match raw {
        Raw::Float(value) if value.is_nan() => "NaN",
        Raw::Float(value) if value.is_infinite() => "infinite",
        Raw::Text(bytes) => {
            let word = bytes.strip_prefix(b"-").or_else(|| bytes.strip_prefix(b"+")).unwrap_or(bytes);
            let is = |words: &[&str]| words.iter().any(|w| word.eq_ignore_ascii_case(w.as_bytes()));
            match () {
                () if is(&["nan"]) => "NaN",
                () if is(&["inf", "infinity", "\u{221e}"]) => "infinite",
                () => return None,
            }
        }
        _ => return None,
    };
    Some(format!("is {name}, and only finite numbers are taken (nullValues can make it null)"))
}

/// Whether a value is written as a number, of whatever size.
fn is_number(raw: Raw<'_>) -> bool {
    match raw {
        Raw::Text(bytes) | Raw::Number(bytes) => {
            bytes.iter().any(u8::is_ascii_digit) && std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<f64>().is_ok())
        }
        Raw::Integer(_) | Raw::Decimal(..) | Raw::Float(_) => true,
        _ => false,
    }
}

fn iso<T>(reading: &Reading, parse: impl FnOnce() -> Option<T>) -> Option<T> {
    if reading.iso_first { parse() } else { None }
}

#[inline]
fn run<N: Number>(checks: &[NumberCheck<N>], value: N, faults: &mut Vec<Fault>) {
    for check in checks {
        faults.extend(check.fault(value));
    }
}
