//! Merges pages of several processes: each family once, each series with its `instance`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::ask::Answer;
use crate::util::{Printable, SampleLine, escape, head_line};

const UP: &str = "selfheal_sibling_up";
const TOOK: &str = "selfheal_sibling_scrape_duration_seconds";

/// The suffixes of samples' names after that of their family.
const ENDS: [&str; 7] = [
    "", "_bucket", "_sum", "_count", "_total", "_created", "_info",
];

/// The label with the process of a series.
const INSTANCE: &str = "instance";

/// A family of all pages.
#[derive(Default)]
struct Family<'a> {
    help: Option<&'a str>,
    kind: Option<&'a str>,
    /// The samples, with the number of the page of each.
    samples: Vec<(usize, SampleLine<'a>)>,
}

/// Writes the pages in the text format 0.0.4, in which a missing end does no harm: invalid lines,
/// and families whose type differs from another page's, are dropped, with a comment.
pub(super) fn write(answers: &[Answer], out: &mut dyn Write) -> io::Result<()> {
    let mut comments = String::new();
    let mut families: BTreeMap<&str, Family<'_>> = BTreeMap::new();
    let mut up = vec![false; answers.len()];
    for (nth, answer) in answers.iter().enumerate() {
        let text = answer.page.as_ref().map_err(Clone::clone);
        let text = text.and_then(|page| {
            std::str::from_utf8(page).map_err(|_| "its page is not UTF-8".to_owned())
        });
        match text {
            Ok(text) => {
                up[nth] = true;
                read(text, nth, &mut families, |why| {
                    // Writing to a string cannot fail.
                    let _ = writeln!(comments, "# {}: {why}", Printable(&answer.instance));
                });
            }
            Err(why) => {
                let (instance, why) = (Printable(&answer.instance), Printable(&why));
                let _ = writeln!(comments, "# {instance}: {why}");
            }
        }
    }
    out.write_all(comments.as_bytes())?;
    let instances = answers.iter().map(|answer| answer.instance.as_str());
    let instances: Vec<&str> = instances.collect();
    let mut line = String::new();
    for (name, family) in &families {
        for (keyword, text) in [("HELP", family.help), ("TYPE", family.kind)] {
            if let Some(text) = text {
                writeln!(out, "# {keyword} {name} {text}")?;
            }
        }
        for (nth, sample) in &family.samples {
            line.clear();
            write_sample(
                sample,
                instances.get(*nth).copied().unwrap_or_default(),
                &mut line,
            );
            out.write_all(line.as_bytes())?;
        }
    }
    let ours = |name: &str, help: &str, values: &dyn Fn(usize) -> f64, out: &mut dyn Write| {
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (nth, instance) in instances.iter().enumerate() {
            let _ = write!(text, "{name}{{{INSTANCE}=\"");
            escape::label_value(&mut text, instance);
            let _ = writeln!(text, "\"}} {}", values(nth));
        }
        out.write_all(text.as_bytes())
    };
    let took = |nth: usize| answers[nth].took.as_secs_f64();
    let help = "Time until the process of this instance answered, or until the timeout";
    ours(TOOK, help, &took, out)?;
    let is_up = |nth: usize| f64::from(u8::from(up[nth]));
    let help = "Whether the process of this instance answered with its metrics: 1, or 0";
    ours(UP, help, &is_up, out)
}

/// Adds the content of a page, and records in `left_out` what is dropped.
fn read<'a>(
    text: &'a str,
    nth: usize,
    families: &mut BTreeMap<&'a str, Family<'a>>,
    mut left_out: impl FnMut(&str),
) {
    let (mut current, mut taken, mut none) = ("", true, 0_usize);
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let Some((keyword, name, rest)) = head_line(comment) else {
                continue;
            };
            if !may_have(name) {
                none += 1;
                continue;
            }
            if name != current {
                (current, taken) = (name, true);
            }
            let family = families.entry(name).or_default();
            if keyword == "HELP" {
                family.help = family.help.or(rest);
            } else if *family.kind.get_or_insert(rest.unwrap_or("untyped"))
                != rest.unwrap_or("untyped")
            {
                taken = false;
                left_out(&format!("{name} has another kind elsewhere"));
            }
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        match sample_of(line) {
            // A sample without a header is its own family.
            Some(sample) if !is_of(&sample, current) => {
                (current, taken) = (sample.name, true);
                let family = families.entry(current).or_default();
                family.samples.push((nth, sample));
            }
            Some(sample) if taken => {
                let family = families.entry(current).or_default();
                family.samples.push((nth, sample));
            }
            Some(_) => {}
            None => none += 1,
        }
    }
    if none > 0 {
        left_out(&format!("{none} lines are not in the text format"));
    }
}

/// Whether a page may have a family of this name: a plain one, and not ours.
fn may_have(name: &str) -> bool {
    escape::is_plain(name, escape::NameOf::Metric) && ![UP, TOOK].contains(&name)
}

/// Parses a line of the format 0.0.4.
fn sample_of(line: &str) -> Option<SampleLine<'_>> {
    let sample = SampleLine::split(line)?;
    sample.value()?;
    let mut words = sample.rest.split(' ').skip(1);
    let time = words.next().is_none_or(|time| time.parse::<i64>().is_ok());
    (time && words.next().is_none() && may_have(sample.name)).then_some(sample)
}

fn is_of(sample: &SampleLine<'_>, family: &str) -> bool {
    let end = sample.name.strip_prefix(family);
    end.is_some_and(|end| ENDS.contains(&end))
}

/// Writes a sample as a series of `instance`. An existing label of that name is renamed, as
/// Prometheus does.
fn write_sample(sample: &SampleLine<'_>, instance: &str, out: &mut String) {
    let _ = write!(out, "{}{{{INSTANCE}=\"", sample.name);
    escape::label_value(out, instance);
    out.push('"');
    let has = |name: &str| escape::labels(sample.labels).any(|(label, _)| label == name);
    if has(INSTANCE) {
        let mut other = format!("exported_{INSTANCE}");
        while has(&other) {
            other.insert_str(0, "exported_");
        }
        for (label, value) in escape::labels(sample.labels) {
            let label = if label == INSTANCE { &other } else { label };
            let _ = write!(out, ",{label}=\"{value}\"");
        }
    } else if !sample.labels.is_empty() {
        out.push(',');
        out.push_str(sample.labels);
    }
    let _ = writeln!(out, "}} {}", sample.rest);
}
