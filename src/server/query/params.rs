//! The parameters of a request: from its URL, and from the form of a POST.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;

use super::fault::Fault;
use crate::promql::{METRIC_NAME, MatchOp, Matcher, Query, Selection};
use crate::rules::parse_duration;
use crate::util::from_rfc_3339;

/// The limit of series, labels and values in a response.
pub(super) const LISTED: usize = 10_000;

/// The size limit of a form: an expression may be a page of text.
const LONGEST: usize = 1 << 20;

/// The limit of selectors in a request.
const SELECTORS: usize = 64;

/// The default time range of listed series.
const RECENT: i64 = 3_600_000;

pub(super) struct Params(Vec<(String, String)>);

/// The body of a form has the deadline of any request.
impl<S: Sync> FromRequest<S> for Params {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let (head, body) = request.into_parts();
        let address = head.uri.query().unwrap_or_default().as_bytes();
        let mut pairs: Vec<_> = form_urlencoded::parse(address).into_owned().collect();
        if head.method == http::Method::POST {
            let long = |_| Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "the form is too long");
            let form = to_bytes(body, LONGEST).await.map_err(long)?;
            pairs.extend(form_urlencoded::parse(&form).into_owned());
        }
        Ok(Self(pairs))
    }
}

impl Params {
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, Fault> {
        let missing = || Fault::bad(format!("`{name}` is missing"));
        self.get(name).ok_or_else(missing)
    }

    /// The requested limit of a list; zero or none means the largest allowed.
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        let Some(text) = self.get("limit") else {
            return Ok(LISTED);
        };
        match text.parse() {
            Ok(0) => Ok(LISTED),
            Ok(limit) => Ok(usize::min(limit, LISTED)),
            Err(_) => Err(Fault::bad("`limit` is not a whole number")),
        }
    }

    /// A time in milliseconds since 1970, given in seconds or in RFC 3339 format.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let seconds = text
            .parse::<f64>()
            .ok()
            .filter(|seconds| seconds.is_finite());
        let time = match seconds {
            #[allow(clippy::cast_possible_truncation, reason = "saturates at the limits")]
            Some(seconds) => Some((seconds * 1e3).round() as i64),
            None => from_rfc_3339(text),
        };
        let fault = || {
            Fault::bad(format!(
                "`{name}` is neither seconds since 1970 nor a time such as 2026-01-31T12:00:00Z"
            ))
        };
        time.ok_or_else(fault).map(Some)
    }

    /// A duration, given in seconds or as `1m30s`.
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, Fault> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let seconds = text.parse::<f64>().ok();
        let duration = match seconds {
            Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            None => parse_duration(text),
        };
        let fault = || Fault::bad(format!("`{name}` is not a duration such as 15 or 1m30s"));
        duration.ok_or_else(fault).map(Some)
    }

    /// The selected series: those of each `match[]`, or all.
    pub(super) fn selections(&self, now: i64) -> Result<Vec<Selection>, Fault> {
        let until = self.time("end")?.unwrap_or(now);
        let after = self.time("start")?.unwrap_or(until.saturating_sub(RECENT));
        let mut lists: Vec<Arc<[Matcher]>> = Vec::new();
        for text in self.all("match[]") {
            let query = Query::parse(text)?;
            let before = lists.len();
            lists.extend(query.selectors().map(Arc::from));
            if lists.len() != before + 1 || lists.len() > SELECTORS {
                return Err(Fault::bad(format!(
                    "each `match[]` must be a selector such as up{{job=\"shop\"}}, and there can \
                     be at most {SELECTORS}"
                )));
            }
        }
        if lists.is_empty() {
            let any = Matcher::new(METRIC_NAME, MatchOp::NotEqual, "");
            let any = any.map_err(|error| Fault::bad(error.to_string()))?;
            lists.push(Arc::from([any]));
        }
        let selection = |matchers| Selection::newest(matchers, after.saturating_sub(1), until);
        Ok(lists.into_iter().map(selection).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_of_rfc_3339() {
        let read = |text: &str| {
            let params = Params(vec![("time".to_owned(), text.to_owned())]);
            params.time("time").ok().flatten()
        };
        for (text, want) in [
            ("1435781430.781", Some(1_435_781_430_781)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2015-07-01T20:10:30.781Z", Some(1_435_781_430_781)),
            ("2015-07-01T22:10:30.781+02:00", Some(1_435_781_430_781)),
            ("2024-02-29T00:00:00-00:30", Some(1_709_166_600_000)),
            ("NaN", None),
            ("2015-13-01T00:00:00Z", None),
            ("2015-07-01", None),
            ("é", None),
            ("2015-07-01T00:00:00é", None),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
    }
}
