//! Names of types: what ODCS `physicalType` and a pipeline's `cast` may say.

use crate::code::Code;
use crate::contract::DataType;
use crate::reader::shorten;
use crate::suggest::did_you_mean;

/// Most digits a decimal can have (128 bits).
const MAX_PRECISION: u8 = 38;

/// What a physical type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Physical {
    /// Text of at most so many characters.
    Text {
        max_length: Option<u64>,
    },
    /// Text that is a UUID.
    Uuid,
    Boolean,
    Integer {
        bits: u8,
    },
    Float {
        bits: u8,
    },
    Decimal {
        precision: u8,
        scale: i8,
    },
    Date,
    /// `None` where the name does not say whether there is a zone.
    Timestamp {
        zoned: Option<bool>,
    },
    Time,
    Json,
}

impl Physical {
    /// The type alone, where nothing else is known.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text { .. } | Self::Uuid => DataType::Text,
            Self::Boolean => DataType::Boolean,
            Self::Integer { bits } => DataType::Integer { bits },
            Self::Float { bits } => DataType::Float { bits },
            Self::Decimal { precision, scale } => DataType::Decimal { precision, scale },
            Self::Date => DataType::Date,
            Self::Timestamp { zoned } => DataType::Timestamp { zoned: zoned == Some(true) },
            Self::Time => DataType::Time,
            Self::Json => DataType::Json,
        }
    }
}

/// Names without arguments, for suggestions.
const NAMES: &[&str] = &[
    "string",
    "text",
    "varchar",
    "char",
    "nvarchar",
    "uuid",
    "boolean",
    "bool",
    "tinyint",
    "smallint",
    "int",
    "integer",
    "bigint",
    "long",
    "real",
    "float",
    "double",
    "decimal",
    "numeric",
    "date",
    "timestamp",
    "timestamptz",
    "datetime",
    "time",
    "json",
];

/// Reads a type's name; the error is a code and what is wrong.
pub(crate) fn parse(text: &str) -> Result<Physical, (Code, String)> {
    let lower = text.trim().to_lowercase();
    let (name, arguments) = split(&lower).ok_or_else(|| unknown(text))?;
    let count = arguments.len();
    let physical = match name.as_str() {
        "string" | "text" | "varchar" | "char" | "nvarchar" | "nchar" | "character" | "character varying" | "varchar2" | "nvarchar2"
            if count <= 1 =>
        {
            Physical::Text { max_length: length(text, arguments.first().map(String::as_str))? }
        }
        "decimal" | "numeric" | "number" | "dec" => return decimal(text, &arguments),
        // The precision of these says how many digits of a second's fraction there are: never more than microseconds.
        "timestamp" if count <= 1 => Physical::Timestamp { zoned: None },
        "datetime" | "datetime2" | "timestamp_ntz" | "timestamp without time zone" if count <= 1 => {
            Physical::Timestamp { zoned: Some(false) }
        }
        "timestamptz" | "timestamp_tz" | "timestamp_ltz" | "timestamp with time zone" | "datetimeoffset" if count <= 1 => {
            Physical::Timestamp { zoned: Some(true) }
        }
        "time" | "time without time zone" if count <= 1 => Physical::Time,
        _ if count > 0 => return Err(unknown(text)),
        "uuid" | "uniqueidentifier" => Physical::Uuid,
        "boolean" | "bool" | "bit" => Physical::Boolean,
        "tinyint" | "byte" => Physical::Integer { bits: 8 },
        "smallint" | "short" | "int2" | "int16" => Physical::Integer { bits: 16 },
        "int" | "integer" | "int4" | "int32" => Physical::Integer { bits: 32 },
        "bigint" | "long" | "int64" => Physical::Integer { bits: 64 },
        "int8" => {
            let message = "`int8` is 8 bits in some systems and 8 bytes in others; write `tinyint` or `bigint`";
            return Err((Code::PhysicalType, message.to_owned()));
        }
        "real" | "float" | "float4" | "float32" => Physical::Float { bits: 32 },
        "double" | "double precision" | "float8" | "float64" => Physical::Float { bits: 64 },
        "date" => Physical::Date,
        "json" | "jsonb" | "variant" | "object" | "array" | "struct" | "map" => Physical::Json,
        _ => return Err(unknown(text)),
    };
    Ok(physical)
}

fn unknown(text: &str) -> (Code, String) {
    let hint = did_you_mean(text, NAMES);
    let message = format!(
        "the type `{}` is unknown{hint}; expected string, varchar(n), boolean, tinyint, smallint, int, bigint, float, double, decimal(p,s), date, timestamp, timestamptz, time, uuid or json",
        shorten(text)
    );
    (Code::PhysicalType, message)
}

/// `character varying (10)` into `character varying` and `["10"]`; `timestamp(6) with time zone` likewise.
fn split(text: &str) -> Option<(String, Vec<String>)> {
    let Some((before, rest)) = text.split_once('(') else {
        return Some((words(text), Vec::new()));
    };
    let (inside, after) = rest.split_once(')')?;
    let arguments = inside.split(',').map(|a| a.trim().to_owned()).collect();
    Some((words(&format!("{before} {after}")), arguments))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn length(text: &str, argument: Option<&str>) -> Result<Option<u64>, (Code, String)> {
    match argument {
        None | Some("max") => Ok(None),
        Some(argument) => {
            // Oracle writes `varchar2(20 char)`.
            let digits = argument.strip_suffix("char").map_or(argument, str::trim_end);
            let length = digits.parse::<u64>().ok().filter(|n| *n > 0);
            length.map(Some).ok_or_else(|| (Code::PhysicalType, format!("expected a length of at least 1 in `{}`", shorten(text))))
        }
    }
}

fn decimal(text: &str, arguments: &[String]) -> Result<Physical, (Code, String)> {
    let wrong = |what: &str| (Code::DecimalDigits, format!("{what} in `{}`; write for example `decimal(15,2)`", shorten(text)));
    let (precision, scale) = match arguments {
        [precision] => (precision.parse::<u8>().ok(), Some(0)),
        [precision, scale] => (precision.parse::<u8>().ok(), scale.parse::<i8>().ok()),
        _ => return Err(wrong("expected the number of digits and how many of them stand after the point")),
    };
    let precision = precision.filter(|p| (1..=MAX_PRECISION).contains(p)).ok_or_else(|| wrong("expected 1 to 38 digits"))?;
    let scale =
        scale.filter(|s| (0..=precision as i8).contains(s)).ok_or_else(|| wrong("expected no more digits after the point than in all"))?;
    Ok(Physical::Decimal { precision, scale })
}

/// The name of a type as a contract's author knows it.
pub(crate) fn describe(data_type: DataType) -> String {
    match data_type {
        DataType::Text => "string".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Integer { bits } => format!("integer of {bits} bits"),
        DataType::Float { bits } => format!("number of {bits} bits"),
        DataType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        DataType::Date => "date (such as 2013-01-31)".to_owned(),
        DataType::Timestamp { zoned: true } => "timestamp with an offset (such as 2013-01-31T23:59:59Z)".to_owned(),
        DataType::Timestamp { zoned: false } => "timestamp without an offset (such as 2013-01-31T23:59:59)".to_owned(),
        DataType::Time => "time (such as 23:59:59)".to_owned(),
        DataType::Json => "object or array".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn types_of_many_systems_are_read() {
        for (text, expected) in [
            ("VARCHAR(20)", Physical::Text { max_length: Some(20) }),
            ("varchar2(20 CHAR)", Physical::Text { max_length: Some(20) }),
            ("character varying (7)", Physical::Text { max_length: Some(7) }),
            ("nvarchar(max)", Physical::Text { max_length: None }),
            ("decimal(15, 2)", Physical::Decimal { precision: 15, scale: 2 }),
            ("numeric(38)", Physical::Decimal { precision: 38, scale: 0 }),
            ("TINYINT", Physical::Integer { bits: 8 }),
            ("Double Precision", Physical::Float { bits: 64 }),
            ("timestamp(6) with time zone", Physical::Timestamp { zoned: Some(true) }),
            ("timestamp", Physical::Timestamp { zoned: None }),
            ("bit", Physical::Boolean),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_types_are_refused() {
        for text in ["", "varchr(3)", "varchar(0)", "varchar(3", "int(11)", "int8", "varchar(1,2)", "geography"] {
            assert_eq!(parse(text).unwrap_err().0, Code::PhysicalType, "{text}");
        }
        for text in ["decimal", "decimal(0)", "decimal(39,2)", "decimal(4,5)", "decimal(4,-1)", "decimal(a,b)", "decimal(1,2,3)"] {
            assert_eq!(parse(text).unwrap_err().0, Code::DecimalDigits, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,30}") {
            let _answer = parse(&text);
        }
    }
}
