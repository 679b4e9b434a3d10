//! The lines before the series of a family: HELP, TYPE and UNIT.

use crate::catalog::{Kind, MetricDef};
use crate::encode::escaping::NameOf;
use crate::encode::format::Syntax;
use crate::encode::labels::quoted;
use crate::encode::names::Names;
use crate::util::escape;

/// Writes the metadata of one family under its exposed name, and returns its name and kind in the
/// format.
pub(super) fn write<'a>(
    buf: &mut Vec<u8>,
    syntax: Syntax,
    names: &Names<'_>,
    name: &'a str,
    def: &MetricDef,
) -> (&'a str, Kind) {
    if syntax == Syntax::OpenMetrics {
        let (family, kind) = openmetrics(names, name, def.kind);
        let shown = quoted(family, NameOf::Metric);
        help(buf, &shown, &def.help, true);
        line(buf, "TYPE", &shown, kind.as_openmetrics());
        if let Some(unit) = def.unit
            && !matches!(kind, Kind::Info | Kind::StateSet)
            // OpenMetrics requires the unit at the very end, even of a name that kept its `_total`.
            && !family.ends_with("_total")
            && unit.ends(family)
        {
            line(buf, "UNIT", &shown, unit.as_str());
        }
        (family, kind)
    } else {
        let shown = quoted(name, NameOf::Metric);
        help(buf, &shown, &def.help, false);
        line(buf, "TYPE", &shown, def.kind.as_text());
        (name, def.kind)
    }
}

/// The name of the family and its kind in OpenMetrics, where `_total` and `_info` are suffixes of
/// the samples. A name that breaks the rules of its kind, or that without the suffix is another
/// family's, is kept whole, with a kind without rules: so nothing is lost and no two families share
/// a name. A state set also needs a name that is valid for a label.
fn openmetrics<'a>(names: &Names<'_>, name: &'a str, kind: Kind) -> (&'a str, Kind) {
    let (suffix, otherwise) = match kind {
        Kind::Counter => ("_total", Kind::Unknown),
        Kind::Info => ("_info", Kind::Gauge),
        Kind::StateSet if name.contains(':') => return (name, Kind::Gauge),
        _ => return (name, kind),
    };
    match name.strip_suffix(suffix) {
        Some(stem)
            if !stem.is_empty()
                && !names.has(stem)
                && (kind == Kind::Counter || !names.has(&format!("{stem}_total"))) =>
        {
            (stem, kind)
        }
        _ => (name, otherwise),
    }
}

fn help(buf: &mut Vec<u8>, name: &str, help: &str, quotes: bool) {
    if !help.is_empty() {
        line(buf, "HELP", name, &escape::help(help, quotes));
    }
}

fn line(buf: &mut Vec<u8>, word: &str, name: &str, rest: &str) {
    for part in ["# ", word, " ", name, " ", rest, "\n"] {
        buf.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use crate::encode::{Format, append};
    use crate::registry::Registry;

    /// Prometheus rejects the whole page for a unit that is not the end of the family's name.
    #[test]
    fn a_counter_that_must_keep_its_suffix_has_no_unit() {
        let registry = Registry::new();
        registry.gauge("uptime_seconds", "Up").build().unwrap();
        registry
            .float_counter("uptime_seconds_total", "Up")
            .build()
            .unwrap();
        let mut page = Vec::new();
        append(&registry.scrape(), Format::OPEN_METRICS, &mut page);
        let page = String::from_utf8(page).unwrap();
        assert!(
            page.contains("# TYPE uptime_seconds_total unknown\n"),
            "{page}"
        );
        assert!(page.contains("# UNIT uptime_seconds seconds\n"), "{page}");
        assert!(!page.contains("# UNIT uptime_seconds_total"), "{page}");
    }
}
