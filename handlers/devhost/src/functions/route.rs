//! Route templates of HTTP triggers: `runs/{id}/rows/{*rest}`.

use std::fmt;

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter { name: String, optional: bool },
    CatchAll(String),
}

/// A parsed route, the prefix of host.json not included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RouteTemplate {
    text: String,
    segments: Vec<Segment>,
}

impl RouteTemplate {
    /// Reads a template; the error says what is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim_matches('/');
        let mut segments = Vec::new();
        let mut parts = trimmed.split('/').filter(|s| !s.is_empty()).peekable();
        while let Some(part) = parts.next() {
            let last = parts.peek().is_none();
            if !part.contains(['{', '}']) {
                segments.push(Segment::Literal(part.to_owned()));
                continue;
            }
            let inner = part
                .strip_prefix('{')
                .and_then(|p| p.strip_suffix('}'))
                .filter(|inner| !inner.contains(['{', '}']))
                .ok_or_else(|| format!("route segment \"{part}\": expected a literal or one {{parameter}}"))?;
            if inner.contains([':', '=']) {
                return Err(format!("route segment \"{part}\": constraints and defaults are not imitated"));
            }
            let (catch_all, inner) = match inner.trim_start_matches('*') {
                stripped if stripped.len() < inner.len() => (true, stripped),
                _ => (false, inner),
            };
            let (optional, name) = match inner.strip_suffix('?') {
                Some(name) => (true, name),
                None => (false, inner),
            };
            if name.is_empty() {
                return Err(format!("route segment \"{part}\": the parameter has no name"));
            }
            if (catch_all || optional) && !last {
                return Err(format!("route segment \"{part}\": expected it at the end of the route"));
            }
            segments.push(if catch_all {
                Segment::CatchAll(name.to_owned())
            } else {
                Segment::Parameter { name: name.to_owned(), optional }
            });
        }
        Ok(Self { text: trimmed.to_owned(), segments })
    }

    /// The parameters of a decoded path (without prefix), or `None` if the path is another's.
    pub(crate) fn matches(&self, path: &[String]) -> Option<Vec<(String, String)>> {
        let mut parameters = Vec::new();
        let mut rest = path.iter();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => {
                    rest.next().filter(|part| part.eq_ignore_ascii_case(literal))?;
                }
                Segment::Parameter { name, optional } => match rest.next() {
                    Some(part) => parameters.push((name.clone(), part.clone())),
                    None if *optional => {}
                    None => return None,
                },
                Segment::CatchAll(name) => {
                    let tail: Vec<&str> = rest.by_ref().map(String::as_str).collect();
                    parameters.push((name.clone(), tail.join("/")));
                }
            }
        }
        rest.next().is_none().then_some(parameters)
    }

    /// Literals beat parameters, parameters beat the rest: the smaller key is tried first.
    pub(crate) fn precedence(&self) -> Vec<u8> {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::Parameter { optional: false, .. } => 1,
                Segment::Parameter { optional: true, .. } => 2,
                Segment::CatchAll(_) => 3,
            })
            .collect()
    }

    /// Whether both match the same paths, whatever their parameters are called.
    pub(crate) fn same_shape(&self, other: &Self) -> bool {
        self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(|pair| match pair {
                (Segment::Literal(a), Segment::Literal(b)) => a.eq_ignore_ascii_case(b),
                (Segment::Parameter { .. }, Segment::Parameter { .. }) | (Segment::CatchAll(_), Segment::CatchAll(_)) => true,
                _ => false,
            })
    }
}

impl fmt::Display for RouteTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('/').filter(|s| !s.is_empty()).map(Into::into).collect()
    }

    #[test]
    fn matches_literals_parameters_and_the_rest() {
        let route = RouteTemplate::parse("runs/{id}/{*rest}").unwrap();
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        assert_eq!(route.matches(&path("Runs/7/a/b")), Some(pairs(&[("id", "7"), ("rest", "a/b")])));
        assert_eq!(route.matches(&path("runs/7")), Some(pairs(&[("id", "7"), ("rest", "")])));
        assert_eq!(route.matches(&path("runs")), None);
        assert_eq!(route.matches(&path("other/7")), None);
        let optional = RouteTemplate::parse("/runs/{id?}").unwrap();
        assert_eq!(optional.matches(&path("runs")), Some(vec![]));
        assert_eq!(optional.matches(&path("runs/1/2")), None);
    }

    #[test]
    fn refuses_what_it_would_misread() {
        for (wrong, part) in [
            ("a/{x", "one {parameter}"),
            ("a-{x}", "one {parameter}"),
            ("{x:int}", "constraints"),
            ("{*x}/b", "at the end"),
            ("{}", "no name"),
        ] {
            let error = RouteTemplate::parse(wrong).unwrap_err();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    #[test]
    fn shape_ignores_parameter_names() {
        let shape = |a: &str, b: &str| RouteTemplate::parse(a).unwrap().same_shape(&RouteTemplate::parse(b).unwrap());
        assert!(shape("runs/{id}", "RUNS/{name}"));
        assert!(!shape("runs/{id}", "runs/list"));
        assert!(!shape("runs/{id}", "runs/{*id}"));
    }
}
