//! What stands before the series of a family: HELP, TYPE and UNIT.

use super::format::Syntax;
use crate::catalog::{Kind, MetricDef};
use crate::registry::Scrape;
use crate::util::escape;

/// Writes the metadata of one family under its exposed name.
pub(super) fn write(
    buf: &mut Vec<u8>,
    syntax: Syntax,
    scrape: &Scrape,
    name: &str,
    def: &MetricDef,
) {
    match syntax {
        Syntax::Text => {
            help(buf, name, &def.help, false);
            line(buf, "TYPE", name, def.kind.as_text());
        }
        Syntax::OpenMetrics => {
            let (family, kind) = openmetrics(scrape, name, def.kind);
            help(buf, family, &def.help, true);
            line(buf, "TYPE", family, kind.as_openmetrics());
            if let Some(unit) = def.unit
                && kind != Kind::Info
                && unit.ends(family)
            {
                line(buf, "UNIT", family, unit.as_str());
            }
        }
    }
}

/// The name of the family and its kind in OpenMetrics, where `_total` and `_info` are suffixes
/// of the samples. A name that breaks the rules of its kind, or that is another family's without
/// the suffix, stays whole, with a kind that has no rules: so nothing is lost and no two
/// families share a name.
fn openmetrics<'a>(scrape: &Scrape, name: &'a str, kind: Kind) -> (&'a str, Kind) {
    let there = |name: &str| {
        let families = scrape.families();
        families
            .binary_search_by(|family| family.name().cmp(name))
            .is_ok()
    };
    let (suffix, otherwise) = match kind {
        Kind::Counter => ("_total", Kind::Unknown),
        Kind::Info => ("_info", Kind::Gauge),
        _ => return (name, kind),
    };
    match name.strip_suffix(suffix) {
        Some(stem)
            if !stem.is_empty()
                && !there(stem)
                && (kind == Kind::Counter || !there(&format!("{stem}_total"))) =>
        {
            (stem, kind)
        }
        _ => (name, otherwise),
    }
}

fn help(buf: &mut Vec<u8>, name: &str, help: &str, quotes: bool) {
    if !help.is_empty() {
        let mut text = String::with_capacity(help.len());
        escape::help(&mut text, help, quotes);
        line(buf, "HELP", name, &text);
    }
}

fn line(buf: &mut Vec<u8>, word: &str, name: &str, rest: &str) {
    for part in ["# ", word, " ", name, " ", rest, "\n"] {
        buf.extend_from_slice(part.as_bytes());
    }
}
