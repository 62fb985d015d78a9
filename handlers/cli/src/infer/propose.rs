//! From profiles to proposals: a type for every column, and what the format must say so that the types can be read.

use std::collections::BTreeSet;

use super::formats::Reads;
use super::profile::{NULLS, Profile};
use super::shape::{Shape, Shapes};
use super::sure;

/// Fewer rows than this are too few to promise anything.
const MANY_ROWS: u64 = 20;

/// The type of a column, as a contract writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Uuid,
    Boolean,
    Integer { bits: u8 },
    Double,
    Decimal { precision: u8, scale: u8 },
    Date { format: Option<String> },
    Timestamp { zoned: bool, format: Option<String> },
    Time { format: Option<String> },
    Json,
}

/// A column as proposed.
#[derive(Debug)]
pub(crate) struct Column {
    /// Name in the lake.
    pub(crate) name: String,
    /// Name in the file.
    pub(crate) source: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) unique: bool,
    /// How sure the type is, in percent.
    pub(crate) sure: u8,
    /// What was seen, for a comment.
    pub(crate) seen: String,
    /// What a person should look at.
    pub(crate) doubts: Vec<String>,
}

/// What a text format must say so that values are read as proposed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Spelling {
    pub(crate) nulls: BTreeSet<&'static str>,
    /// The empty text stands among typed values of JSON and means null there (in CSV it always does).
    pub(crate) empty_is_null: bool,
    pub(crate) decimal_comma: bool,
    pub(crate) thousands: Option<char>,
    pub(crate) booleans: BTreeSet<&'static str>,
    pub(crate) trim: bool,
    /// Some column has dates that only a day before the month explains.
    pub(crate) day_first: bool,
    /// Some column has dates that only a month before the day explains.
    pub(crate) month_first: bool,
}

/// A column that was seen, before anything is proposed for it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) source: String,
    pub(crate) profile: Profile,
    /// Known already (JSON objects, Parquet types).
    pub(crate) known: Option<Kind>,
}

/// Proposes a type for every column of a text; the doubts are those about the file as a whole.
pub(crate) fn text(seen: Vec<Seen>, names: Vec<String>) -> (Vec<Column>, Spelling, Vec<String>) {
    let mut doubts = Vec::new();
    let mut spelling = number_marks(&seen, &mut doubts);
    spelling.nulls = null_spellings(&seen, &spelling);
    (spelling.day_first, spelling.month_first) = orders(&seen);
    let columns: Vec<Column> = seen.into_iter().zip(names).map(|(seen, name)| column(seen, name, &mut spelling)).collect();
    (columns, spelling, doubts)
}

/// Which marks numbers are written with, over all columns.
fn number_marks(seen: &[Seen], doubts: &mut Vec<String>) -> Spelling {
    let shapes = || seen.iter().filter(|s| s.profile.values > 0 && s.known.is_none()).map(|s| s.profile.shapes);
    let any = |test: &dyn Fn(Shapes) -> bool| shapes().any(test);
    let plain = |s: Shapes| s.has(Shape::Point) || s.has(Shape::Float);
    let grouped = |s: Shapes| s.has(Shape::OtherGroups) || s.has(Shape::OtherGroupsComma);
    let others = seen.iter().filter(|s| s.profile.values > 0 && s.known.is_none()).find_map(|s| s.profile.group_mark);
    let comma = any(&|s| {
        !plain(s)
            && (s.has(Shape::Comma) || s.has(Shape::PointGroups) || s.has(Shape::OtherGroupsComma))
            && !s.has(Shape::CommaGroups)
            && !s.has(Shape::OtherGroups)
    });
    let groups = any(&|s| !plain(s) && s.has(Shape::CommaGroups) && !s.has(Shape::Comma));
    let either = any(&|s| !plain(s) && s.has(Shape::CommaGroups) && s.has(Shape::Comma));
    let point_needed = any(&|s| plain(s) && !s.has(Shape::Integer));
    let mut spelling = Spelling::default();
    if let Some(mark) = others.filter(|_| any(&|s| grouped(s) && !plain(s) && !s.has(Shape::Comma))) {
        spelling.decimal_comma = comma && !point_needed;
        spelling.thousands = Some(mark);
    } else if comma && !groups && !point_needed {
        spelling.decimal_comma = true;
        spelling.thousands = any(&|s| s.has(Shape::PointGroups) && !s.has(Shape::Comma)).then_some('.');
    } else if groups && !comma {
        spelling.thousands = Some(',');
    } else if either && !comma {
        spelling.thousands = Some(',');
        doubts.push("numbers such as 1,234 are read as 1234 (thousands); if the comma is a decimal mark, set `decimal: \",\"` and remove `thousands`".to_owned());
    } else if comma {
        doubts.push("some numbers have a decimal comma and others a point: those with a comma stay text".to_owned());
    }
    spelling
}

/// Whether some column's dates have the day first for sure, and whether some have the month first. Both at once say nothing.
fn orders(seen: &[Seen]) -> (bool, bool) {
    let is_certain = |day_first: bool| {
        seen.iter().filter(|s| s.profile.values > 0).any(|s| {
            let all: Vec<String> = [Reads::Date, Reads::Timestamp].into_iter().flat_map(|r| s.profile.formats.reading(r)).collect();
            let slashed = |f: &&String| !f.starts_with('y') && !f.contains("MMM");
            !all.is_empty()
                && all.iter().filter(slashed).count() == all.len()
                && all.iter().all(|f| (f.find('d') < f.find('M')) == day_first)
        })
    };
    match (is_certain(true), is_certain(false)) {
        (true, true) => (false, false),
        found => found,
    }
}

fn is_number(shapes: Shapes, spelling: &Spelling) -> bool {
    let is_grouped = |comma: Shape, other: Shape| match spelling.thousands {
        None => false,
        Some('.' | ',') => shapes.has(comma),
        Some(_) => shapes.has(other),
    };
    if spelling.decimal_comma {
        shapes.has(Shape::Integer) || shapes.has(Shape::Comma) || is_grouped(Shape::PointGroups, Shape::OtherGroupsComma)
    } else {
        shapes.has(Shape::Float) || shapes.has(Shape::Point) || is_grouped(Shape::CommaGroups, Shape::OtherGroups)
    }
}

fn is_typed(shapes: Shapes, spelling: &Spelling) -> bool {
    let others = [
        Shape::TrueFalse,
        Shape::YesNo,
        Shape::YN,
        Shape::TF,
        Shape::Date,
        Shape::Instant,
        Shape::WallClock,
        Shape::Timestamp,
        Shape::Time,
        Shape::ClockTime,
        Shape::Uuid,
    ];
    is_number(shapes, spelling) || others.into_iter().any(|shape| shapes.has(shape))
}

/// A spelling means null if it stands among values that all have a type.
fn null_spellings(seen: &[Seen], spelling: &Spelling) -> BTreeSet<&'static str> {
    let telling = |s: &&Seen| s.profile.values > 0 && s.known.is_none() && is_typed(s.profile.shapes, spelling);
    seen.iter().filter(telling).flat_map(|s| s.profile.suspects.keys().copied()).filter(|null| NULLS.contains(null)).collect()
}

fn column(seen: Seen, name: String, spelling: &mut Spelling) -> Column {
    let Seen { source, profile, known } = seen;
    let mut doubts = Vec::new();
    let kind = known.unwrap_or_else(|| kind(&profile, spelling, &mut doubts));
    let nulls = profile.nulls(&spelling.nulls);
    if kind != Kind::Text && profile.padded {
        spelling.trim = true;
    }
    if kind == Kind::Text {
        let turned: Vec<&str> = profile.suspects.keys().copied().filter(|null| spelling.nulls.contains(null)).collect();
        if !turned.is_empty() && profile.values > 0 {
            doubts.push(format!("{} is read as null here too, since it means null in other columns", turned.join(" and ")));
        }
    }
    let has_values = profile.rows > nulls;
    let required = has_values && nulls == 0;
    if required && profile.rows < MANY_ROWS {
        doubts.push(format!("required after only {} rows", profile.rows));
    }
    if !has_values {
        doubts.push("no value was seen: the type is a guess".to_owned());
    }
    let mut sure = sure::after(profile.values);
    if !doubts.is_empty() && kind != Kind::Text {
        sure = sure.min(70);
    }
    let key_like = matches!(kind, Kind::Text | Kind::Uuid | Kind::Integer { .. });
    let named_like_key = ["id", "key", "uuid", "guid", "code"].iter().any(|end| name == *end || name.ends_with(&format!("_{end}")));
    let candidate = required && key_like && profile.is_unique();
    let unique = candidate && profile.rows >= MANY_ROWS && (named_like_key || kind == Kind::Uuid);
    if candidate && !unique && profile.rows >= MANY_ROWS {
        doubts.push("no value stands twice: `unique: true` or `primaryKey: true` may be right".to_owned());
    }
    let seen = describe(&profile, &kind, nulls);
    Column { name, source, kind, required, unique, sure, seen, doubts }
}

fn kind(profile: &Profile, spelling: &mut Spelling, doubts: &mut Vec<String>) -> Kind {
    let has = |shape| profile.shapes.has(shape);
    if profile.values == 0 {
        return Kind::Text;
    }
    if profile.shapes == Shapes::NONE {
        if let Some((shape, others)) = profile.nearly() {
            doubts.push(format!(
                "{others} of {} values are no {}, all others are: text, until they are corrected",
                profile.values,
                shape.name()
            ));
        }
        return Kind::Text;
    }
    if has(Shape::Integer) {
        if has(Shape::Date) && profile.values >= MANY_ROWS {
            doubts.push("every value could also be a date written yyyyMMdd".to_owned());
        }
        if profile.numbers == Some((0.0, 1.0)) {
            doubts.push("only 0 and 1: perhaps a boolean".to_owned());
        }
        let widest = profile.numbers.map_or(0.0, |(low, high)| low.abs().max(high.abs()));
        return Kind::Integer { bits: if widest < f64::from(i32::MAX) { 32 } else { 64 } };
    }
    if is_number(profile.shapes, spelling) {
        return number(profile, doubts);
    }
    for (shape, words) in
        [(Shape::TrueFalse, ["true", "false"]), (Shape::YesNo, ["yes", "no"]), (Shape::YN, ["y", "n"]), (Shape::TF, ["t", "f"])]
    {
        if has(shape) {
            if shape != Shape::TrueFalse && profile.is_constant() {
                doubts.push(format!("every value is the same word: perhaps `{}` or `{}` is no boolean", words[0], words[1]));
                return Kind::Text;
            }
            spelling.booleans.extend(words);
            return Kind::Boolean;
        }
    }
    for (reads, shape) in [(Reads::Date, Shape::Date), (Reads::Timestamp, Shape::Timestamp), (Reads::Time, Shape::ClockTime)] {
        let native = match reads {
            Reads::Date => None,
            Reads::Timestamp if has(Shape::Instant) => Some(Kind::Timestamp { zoned: true, format: None }),
            Reads::Timestamp => has(Shape::WallClock).then_some(Kind::Timestamp { zoned: false, format: None }),
            Reads::Time => has(Shape::Time).then_some(Kind::Time { format: None }),
        };
        if native.is_some() {
            return native.unwrap_or(Kind::Text);
        }
        if has(shape) {
            return formatted(profile, reads, spelling, doubts);
        }
    }
    if has(Shape::Uuid) { Kind::Uuid } else { Kind::Text }
}

/// Dates and times in one format, if there is one for all values.
fn formatted(profile: &Profile, reads: Reads, spelling: &Spelling, doubts: &mut Vec<String>) -> Kind {
    let all: Vec<String> = profile.formats.reading(reads).collect();
    let order = |format: &str| [format.find('M'), format.find('d')];
    let Some(first) = all.first() else {
        doubts.push("dates and times in several formats: text, as one column has one format".to_owned());
        return Kind::Text;
    };
    let rival = all.iter().find(|format| {
        let ([m, d], [first_m, first_d]) = (order(format), order(first));
        (m < d) != (first_m < first_d)
    });
    let month_first = rival.filter(|_| spelling.month_first);
    let format = month_first.unwrap_or(first).clone();
    if let Some(rival) = rival.filter(|_| month_first.is_none() && !spelling.day_first) {
        doubts.push(format!("day and month cannot be told apart: {format} is a guess, {rival} fits as well"));
    }
    let format = Some(format).filter(|format| format != "yyyy-MM-dd");
    match reads {
        Reads::Date => Kind::Date { format },
        Reads::Timestamp => Kind::Timestamp { zoned: false, format },
        Reads::Time => Kind::Time { format },
    }
}

/// A fixed number of digits after the mark is an amount (exact); anything else is a measurement.
fn number(profile: &Profile, doubts: &mut Vec<String>) -> Kind {
    let Some((fewest, most)) = profile.fraction_digits else { return Kind::Double };
    let fixed = fewest == most && (1..=6).contains(&most) && profile.values >= MANY_ROWS;
    let grouped = !profile.shapes.has(Shape::Float);
    if !fixed && !grouped {
        return Kind::Double;
    }
    let scale = most.min(18) as u8;
    let needed = profile.whole_digits + u32::from(scale) + 2;
    let precision = [9, 18, 38].into_iter().find(|p| *p >= needed);
    match precision {
        Some(precision) => {
            let precision = precision as u8;
            if fixed {
                doubts.push(format!("always {most} digits after the mark: an exact decimal({precision},{scale})"));
            }
            Kind::Decimal { precision, scale }
        }
        None => Kind::Double,
    }
}

fn describe(profile: &Profile, kind: &Kind, nulls: u64) -> String {
    let mut parts = Vec::new();
    match kind {
        Kind::Integer { .. } | Kind::Double | Kind::Decimal { .. } => {
            if let Some((low, high)) = profile.numbers {
                parts.push(if low < high { format!("{low} to {high}") } else { format!("always {low}") });
            }
        }
        Kind::Date { format: None } | Kind::Timestamp { format: None, .. } | Kind::Time { format: None } => {
            if let Some((low, high)) = &profile.texts {
                parts.push(if low < high { format!("{low} to {high}") } else { format!("always {low}") });
            }
        }
        Kind::Text => {
            if let Some((low, high)) = profile.chars {
                parts.push(if low < high { format!("{low} to {high} characters") } else { format!("{low} characters") });
            }
            if let Some(values) = profile.few_values() {
                parts.push(format!("only {}", values.join(", ")));
            }
        }
        Kind::Date { .. } | Kind::Timestamp { .. } | Kind::Time { .. } | Kind::Boolean | Kind::Uuid | Kind::Json => {}
    }
    if nulls > 0 {
        parts.push(format!("{nulls} of {} null", profile.rows));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn propose(columns: &[(&str, &[&str])]) -> (Vec<Column>, Spelling) {
        let seen = columns
            .iter()
            .map(|(name, values)| {
                let mut profile = Profile::default();
                for value in *values {
                    profile.value(value, false);
                }
                Seen { source: (*name).to_owned(), profile, known: None }
            })
            .collect();
        let names = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let (columns, spelling, _) = text(seen, names);
        (columns, spelling)
    }

    #[test]
    fn na_means_null_because_it_stands_among_numbers() {
        let (columns, spelling) = propose(&[("delay", &["1", "NA", "3"]), ("country", &["NA", "DE", "FR"])]);
        assert_eq!(spelling.nulls, BTreeSet::from(["NA"]));
        assert_eq!(columns[0].kind, Kind::Integer { bits: 32 });
        assert!(!columns[0].required && !columns[1].required);
        assert!(columns[1].doubts.iter().any(|d| d.contains("read as null here too")), "{:?}", columns[1].doubts);
    }

    #[test]
    fn na_stays_text_where_nothing_says_otherwise() {
        let (columns, spelling) = propose(&[("country", &["NA", "DE", "FR"])]);
        assert!(spelling.nulls.is_empty());
        assert_eq!((columns[0].kind.clone(), columns[0].required), (Kind::Text, true));
    }

    #[test]
    fn decimal_commas_are_found_over_all_columns() {
        let (columns, spelling) = propose(&[("price", &["1,5", "22,25"]), ("total", &["1.234,5", "7,25"]), ("n", &["1", "2"])]);
        assert!(spelling.decimal_comma);
        assert_eq!(spelling.thousands, Some('.'));
        assert!(columns.iter().all(|c| c.kind != Kind::Text), "{columns:?}");
    }

    #[test]
    fn wide_integers_are_wide() {
        let (columns, _) = propose(&[("small", &["1", "2147483000"]), ("big", &["1", "2147483648"])]);
        assert_eq!((columns[0].kind.clone(), columns[1].kind.clone()), (Kind::Integer { bits: 32 }, Kind::Integer { bits: 64 }));
    }

    #[test]
    fn words_of_booleans_are_noted() {
        let (columns, spelling) = propose(&[("a", &["Yes", "no"]), ("b", &["T", "F"])]);
        assert!(columns.iter().all(|c| c.kind == Kind::Boolean));
        assert_eq!(spelling.booleans, BTreeSet::from(["yes", "no", "t", "f"]));
    }
}
