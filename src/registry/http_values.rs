//! Types of the crate `http` as label values.

use http::{Method, StatusCode};

use super::labels::LabelValue;
use crate::util::Verb;

/// The three digits.
impl LabelValue for StatusCode {
    type Key = Self;
    #[inline]
    fn visit(&self, visit: impl FnOnce(&str)) {
        visit(self.as_str());
    }
}

/// The name, if it is one of the nine methods of RFC 9110 and RFC 5789 or `QUERY`; any other is
/// `other`, since a client can send any word.
impl LabelValue for Method {
    type Key = Self;
    const VALUES: &'static [&'static str] = &Verb::NAMES;
    #[inline]
    fn index(&self) -> usize {
        Verb::of(self) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Counter, DeclareError, Family, Registry, Text};

    #[test]
    fn requests_are_labelled_by_what_they_have() -> Result<(), DeclareError> {
        let registry = Registry::new();
        let family: Family<Counter, (Method, StatusCode, Text, bool)> = registry
            .counter("calls_total", "")
            .labels(["method", "status", "peer", "cached"])?;
        let purge = Method::from_bytes(b"PURGE").unwrap();
        family.inc(&(Method::GET, StatusCode::NOT_FOUND, Some("a"), Some(true)));
        family.inc(&(&purge, StatusCode::OK, None::<&str>, None::<bool>));
        family.inc(&(Method::GET, StatusCode::NOT_FOUND, "a", true));
        let series = family.snapshot().series;
        let labels: Vec<&str> = series.iter().map(|one| &*one.labels).collect();
        assert_eq!(
            labels,
            [
                r#"method="GET",status="404",peer="a",cached="true""#,
                r#"method="other",status="200",peer="",cached="""#,
            ]
        );
        let closed: Family<Counter, (Method, bool)> = registry
            .counter("verbs_total", "")
            .labels(["method", "ok"])?;
        let closed = closed.start_at_zero();
        assert_eq!(closed.len(), 22);
        closed.inc(&(purge, None::<bool>));
        assert_eq!(closed.len(), 23);
        Ok(())
    }
}
