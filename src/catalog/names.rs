//! The rules for names, from the Prometheus data model and OpenMetrics 1.0.
//!
//! Each function returns the problem, phrased to follow the name: `"…" <problem>`.

use std::borrow::Cow;

use super::{Kind, MetricDef};

/// The maximum size of a metric or label name in bytes. Neither format sets a limit; a longer name
/// is a mistake, and would be repeated on every line of the exposition.
pub const MAX_NAME: usize = 200;

/// The suffixes that the exposition itself adds to the parts of a histogram or a summary.
const RESERVED: [&str; 4] = ["_bucket", "_count", "_sum", "_created"];

/// The suffixes of the samples that a family of this kind owns besides its own name, in every
/// format, whether written or not. The `_created` of OpenMetrics is not among them: it gives way to
/// any family of that name.
fn parts(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Histogram => &["_bucket", "_sum", "_count"],
        Kind::Summary => &["_sum", "_count"],
        Kind::Counter | Kind::Gauge | Kind::Info | Kind::StateSet | Kind::Unknown => &[],
    }
}

/// The names of a family's samples other than its own.
pub(crate) fn samples(name: &str, kind: Kind) -> impl Iterator<Item = String> {
    parts(kind).iter().map(move |part| format!("{name}{part}"))
}

/// The family, among those known to `kind_of`, that has this name or owns a sample of it:
/// `job_seconds` for `job_seconds_count`, if it is a histogram, and the other way round.
pub(crate) fn owner(
    name: &str,
    kind: Kind,
    kind_of: impl Fn(&str) -> Option<Kind>,
) -> Option<Cow<'_, str>> {
    if kind_of(name).is_some() {
        return Some(Cow::Borrowed(name));
    }
    let has_part = |part: &&str| {
        let stem = name.strip_suffix(*part)?;
        let has = kind_of(stem).is_some_and(|kind| parts(kind).contains(part));
        has.then_some(Cow::Borrowed(stem))
    };
    let whole = parts(Kind::Histogram).iter().find_map(has_part);
    whole.or_else(|| {
        let mut samples = samples(name, kind);
        samples
            .find(|sample| kind_of(sample).is_some())
            .map(Cow::Owned)
    })
}

/// Checks the name of a metric by the rules of its definition.
fn metric_of(def: &MetricDef) -> Result<(), &'static str> {
    if def.utf8 {
        utf8(&def.name)
    } else {
        metric(&def.name)
    }
}

/// Checks the name of a label by the rules of its metric's definition.
pub(crate) fn label_of(def: &MetricDef, name: &str) -> Result<(), &'static str> {
    if def.utf8 {
        utf8(name)?;
        free(name)
    } else {
        label(name)
    }
}

/// Checks a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`. The colon is reserved for recording rules.
pub fn metric(name: &str) -> Result<(), &'static str> {
    if name.contains(':') {
        return Err("contains a colon, which is reserved for recording rules");
    }
    word(name)
}

/// Checks a label name: `[a-zA-Z_][a-zA-Z0-9_]*`, not starting with `__`, which Prometheus
/// reserves, and neither `le` nor `quantile`, which the exposition writes.
pub fn label(name: &str) -> Result<(), &'static str> {
    word(name)?;
    free(name)
}

/// Checks that a label name is not reserved.
fn free(name: &str) -> Result<(), &'static str> {
    if name.starts_with("__") {
        return Err("starts with two underscores, which Prometheus reserves");
    }
    if name == "le" || name == "quantile" {
        return Err("is written by the exposition of histograms and summaries");
    }
    Ok(())
}

/// Checks the suffix that a metric of `kind` must or must not have.
pub fn suffix(kind: Kind, name: &str) -> Result<(), &'static str> {
    match kind {
        Kind::Counter if !name.ends_with("_total") => {
            Err("is a counter and does not end in _total")
        }
        Kind::Counter if name == "_total" => Err("has nothing before _total"),
        Kind::Info if name == "_info" => Err("has nothing before _info"),
        Kind::Gauge | Kind::Histogram | Kind::Info | Kind::StateSet if name.ends_with("_total") => {
            Err("ends in _total, which is for counters")
        }
        Kind::Info if !name.ends_with("_info") => {
            Err("is an info metric and does not end in _info")
        }
        Kind::StateSet if name.ends_with("_info") => {
            Err("ends in _info, which is for info metrics")
        }
        Kind::Gauge | Kind::Histogram | Kind::StateSet
            if RESERVED.iter().any(|suffix| name.ends_with(suffix)) =>
        {
            Err("ends in _bucket, _count, _sum or _created, which the exposition adds")
        }
        _ => Ok(()),
    }
}

/// Checks bucket bounds: at least one, finite, strictly increasing, at most 256.
pub fn buckets(bounds: &[f64]) -> Result<(), &'static str> {
    if bounds.is_empty() {
        return Err("has no buckets");
    }
    if bounds.len() > 256 {
        return Err("has more than 256 buckets");
    }
    if bounds.iter().any(|bound| !bound.is_finite()) {
        return Err("has a bucket that is not a finite number (+Inf is always added)");
    }
    if bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err("has buckets that are not strictly increasing");
    }
    Ok(())
}

/// Checks a definition except for its labels.
pub(crate) fn definition(def: &MetricDef) -> Result<(), &'static str> {
    metric_of(def)?;
    suffix(def.kind, &def.name)?;
    if def.unit.is_some() && def.kind == Kind::StateSet {
        return Err("ends in a unit, but a state set has none");
    }
    if def.unit.is_some() && def.kind == Kind::Info {
        return Err("has a unit, but an info metric has none");
    }
    if let Some(unit) = def.unit
        && !unit.ends(&def.name)
    {
        return Err("does not end in its unit");
    }
    if let Some(native) = def.native {
        if def.kind != Kind::Histogram {
            return Err("has native buckets but is not a histogram");
        }
        native.check()?;
    }
    // A histogram with native buckets needs no classic ones.
    if def.kind == Kind::Histogram && (def.native.is_none() || !def.buckets.is_empty()) {
        buckets(&def.buckets)?;
    }
    Ok(())
}

/// Checks a name of any characters except the delimiters of rendered labels.
fn utf8(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.contains(|c: char| c.is_control() || "\",={}\\:".contains(c)) {
        return Err("has a control character or one of \" , = { } \\ :");
    }
    if name.len() > MAX_NAME {
        return Err("is longer than 200 bytes");
    }
    Ok(())
}

fn word(name: &str) -> Result<(), &'static str> {
    let mut bytes = name.bytes();
    match bytes.next() {
        None => return Err("is empty"),
        Some(first) if first.is_ascii_digit() => return Err("starts with a digit"),
        Some(first) if !is_word(first) => {
            return Err("has a character other than a-z, A-Z, 0-9 and _");
        }
        Some(_) => {}
    }
    if !bytes.all(is_word) {
        return Err("has a character other than a-z, A-Z, 0-9 and _");
    }
    if name.len() > MAX_NAME {
        return Err("is longer than 200 bytes");
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Native;

    #[test]
    fn a_name_has_one_owner_samples_and_all() {
        let families = [
            ("job_seconds", Kind::Histogram),
            ("rpc", Kind::Summary),
            ("a_sum", Kind::Gauge),
            ("b_bucket", Kind::Unknown),
        ];
        let owner = |name, kind| {
            let kind_of = |name: &str| Some(families.iter().find(|(known, _)| *known == name)?.1);
            owner(name, kind, kind_of).map(Cow::into_owned)
        };
        for (name, kind, want) in [
            ("job_seconds", Kind::Gauge, Some("job_seconds")),
            ("job_seconds_bucket", Kind::Gauge, Some("job_seconds")),
            ("job_seconds_sum", Kind::Histogram, Some("job_seconds")),
            ("job_seconds_count", Kind::Counter, Some("job_seconds")),
            ("job_seconds_created", Kind::Gauge, None),
            ("job_seconds_total", Kind::Counter, None),
            ("rpc_count", Kind::Gauge, Some("rpc")),
            ("rpc_bucket", Kind::Gauge, None),
            ("a", Kind::Histogram, Some("a_sum")),
            ("a", Kind::Summary, Some("a_sum")),
            ("a", Kind::Gauge, None),
            ("a_sum_count", Kind::Gauge, None),
            ("b", Kind::Histogram, Some("b_bucket")),
            ("b", Kind::Summary, None),
        ] {
            assert_eq!(owner(name, kind).as_deref(), want, "{name} {kind:?}");
        }
    }

    #[test]
    fn names_that_prometheus_takes() {
        for name in ["a", "_a", "http_requests_total", "A9"] {
            assert_eq!(metric(name), Ok(()), "{name}");
            assert_eq!(label(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_it_does_not() {
        for name in ["", "9a", "a-b", "a b", "ä", "a:b", "a\n"] {
            assert!(metric(name).is_err(), "{name:?}");
        }
        assert!(metric(&"a".repeat(201)).is_err());
        for name in ["__name__", "le", "quantile"] {
            assert!(label(name).is_err(), "{name}");
        }
    }

    #[test]
    fn names_in_utf8_where_the_definition_wants_them() {
        let checked =
            |name: &'static str| definition(&MetricDef::new(Kind::Gauge, name, "").utf8_names());
        let def = MetricDef::new(Kind::Gauge, "a", "");
        for name in ["a.b", "längd", "9", "a b", "🦀"] {
            assert_eq!(checked(name), Ok(()), "{name}");
            assert_eq!(label_of(&def.clone().utf8_names(), name), Ok(()), "{name}");
            assert!(definition(&MetricDef::new(Kind::Gauge, name, "")).is_err());
            assert!(label_of(&def, name).is_err());
        }
        for name in [
            "", "a\"", "a=b", "a,b", "{a", "a}", "a\\", "a\nb", "a\u{7f}", "a:b",
        ] {
            assert!(checked(name).is_err(), "{name:?}");
            assert!(label_of(&def.clone().utf8_names(), name).is_err());
        }
        for name in ["__name__", "le", "quantile"] {
            assert!(label_of(&def.clone().utf8_names(), name).is_err(), "{name}");
        }
        assert!(checked("queue.size_total").is_err(), "suffixes are as ever");
    }

    #[test]
    fn suffixes_by_kind() {
        assert!(suffix(Kind::Counter, "requests").is_err());
        assert!(suffix(Kind::Gauge, "requests_total").is_err());
        assert!(suffix(Kind::Histogram, "size_count").is_err());
        assert!(suffix(Kind::Info, "build").is_err());
        assert!(suffix(Kind::Info, "_info").is_err());
        for name in ["door_total", "door_info", "door_created"] {
            assert!(suffix(Kind::StateSet, name).is_err(), "{name}");
        }
        assert!(
            suffix(Kind::Summary, "anything_total").is_ok(),
            "handed through as it is"
        );
    }

    #[test]
    fn native_buckets_stand_beside_classic_ones_or_alone() {
        let mut def = MetricDef::new(Kind::Histogram, "a", "");
        assert_eq!(definition(&def), Err("has no buckets"));
        def.native = Some(Native::default());
        assert_eq!(definition(&def), Ok(()));
        def.buckets = vec![2.0, 1.0];
        assert!(
            definition(&def)
                .unwrap_err()
                .contains("strictly increasing")
        );
        def.buckets.clear();
        def.native = Some(Native::schema(9));
        assert!(definition(&def).unwrap_err().contains("schema"));
        def.kind = Kind::Gauge;
        assert!(definition(&def).unwrap_err().contains("not a histogram"));
    }

    #[test]
    fn bucket_bounds() {
        assert!(buckets(&[0.1, 1.0]).is_ok());
        for bad in [
            &[][..],
            &[1.0, 1.0],
            &[2.0, 1.0],
            &[f64::NAN],
            &[f64::INFINITY],
        ] {
            assert!(buckets(bad).is_err(), "{bad:?}");
        }
    }
}
