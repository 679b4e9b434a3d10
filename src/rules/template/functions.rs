//! The table of template functions.

use std::cmp::Ordering;
use std::sync::Arc;

use super::asking::Asking;
use super::error::TemplateError;
use super::humanize::{go_duration, humanize, humanize_1024, humanize_duration, in_range, short};
use super::printf::{print, printf};
use super::text::{html, js, strip_domain, strip_port, title, url_query};
use super::value::Value;
use crate::rules::duration::parse_duration;
use crate::util::nearest;

/// A function: its name, its number of arguments, and its implementation.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    least: usize,
    most: usize,
    call: Call,
}

type Call = fn(&mut Asking<'_>, &[Value]) -> Result<Value, String>;

const ANY: usize = usize::MAX;

const fn function(name: &'static str, takes: (usize, usize), call: Call) -> Function {
    let (least, most) = takes;
    Function {
        name,
        least,
        most,
        call,
    }
}

static FUNCTIONS: [Function; 49] = [
    // From Go.
    function("and", (1, ANY), |_, args| Ok(last_or(args, false))),
    function("or", (1, ANY), |_, args| Ok(last_or(args, true))),
    function("not", (1, 1), |_, args| Ok(Value::Bool(!args[0].is_true()))),
    function("eq", (2, ANY), |_, args| {
        let mut others = args[1..].iter();
        let found = others.try_fold(false, |found, other| {
            Ok::<_, String>(found || equal(&args[0], other)?)
        });
        found.map(Value::Bool)
    }),
    function("ne", (2, 2), |_, args| {
        Ok(Value::Bool(!equal(&args[0], &args[1])?))
    }),
    function("lt", (2, 2), |_, args| compare(args, Ordering::is_lt)),
    function("le", (2, 2), |_, args| compare(args, Ordering::is_le)),
    function("gt", (2, 2), |_, args| compare(args, Ordering::is_gt)),
    function("ge", (2, 2), |_, args| compare(args, Ordering::is_ge)),
    function("len", (1, 1), |_, args| length(&args[0])),
    function("index", (1, ANY), |_, args| {
        args[1..]
            .iter()
            .try_fold(args[0].clone(), |of, at| index(&of, at))
    }),
    function("slice", (1, 3), |_, args| slice(args)),
    function("print", (0, ANY), |_, args| Ok(Value::text(print(args)))),
    function("println", (0, ANY), |_, args| {
        let shown: Vec<_> = args.iter().map(Value::shown).collect();
        Ok(Value::text(shown.join(" ") + "\n"))
    }),
    function("printf", (1, ANY), |_, args| {
        let format = text(&args[0])?;
        printf(&format, &args[1..]).map(Value::text)
    }),
    function("html", (0, ANY), |_, args| {
        Ok(Value::text(html(&print(args))))
    }),
    function("js", (0, ANY), |_, args| Ok(Value::text(js(&print(args))))),
    function("urlquery", (0, ANY), |_, args| {
        Ok(Value::text(url_query(&print(args))))
    }),
    // From Prometheus.
    function("query", (1, 1), |asking, args| {
        asking.query(&text(&args[0])?)
    }),
    function("first", (1, 1), |_, args| match &args[0] {
        Value::List(found) => found
            .first()
            .cloned()
            .ok_or_else(|| "the query found nothing".to_owned()),
        other => Err(wrong(other, "the result of a query")),
    }),
    function("label", (2, 2), |_, args| match &args[1] {
        Value::Found(found) => Ok(Value::Labels(Arc::clone(&found.labels)).entry(&text(&args[0])?)),
        other => Err(wrong(other, "one series")),
    }),
    function("value", (1, 1), |_, args| match &args[0] {
        Value::Found(found) => Ok(Value::Float(found.value)),
        other => Err(wrong(other, "one series")),
    }),
    function("strvalue", (1, 1), |_, args| match &args[0] {
        Value::Found(found) => Ok(Value::Labels(Arc::clone(&found.labels)).entry("__value__")),
        other => Err(wrong(other, "one series")),
    }),
    function("sortByLabel", (2, 2), |_, args| {
        let name = text(&args[0])?;
        let Value::List(found) = &args[1] else {
            return Err(wrong(&args[1], "the result of a query"));
        };
        let key = |value: &Value| match value {
            Value::Found(found) => Value::Labels(Arc::clone(&found.labels))
                .entry(&name)
                .shown(),
            _ => String::new(),
        };
        let mut sorted = found.to_vec();
        sorted.sort_by_cached_key(key);
        Ok(Value::List(sorted.into()))
    }),
    function("args", (0, ANY), |_, args| {
        let named = args.iter().enumerate();
        let named = named.map(|(i, value)| (Arc::from(format!("arg{i}")), value.clone()));
        Ok(Value::Named(named.collect()))
    }),
    function("reReplaceAll", (3, 3), |_, args| {
        let (pattern, with, of) = (text(&args[0])?, text(&args[1])?, text(&args[2])?);
        let replaced = regex(&pattern)?.replace_all(&of, &*with).into_owned();
        Ok(Value::text(replaced))
    }),
    function("match", (2, 2), |_, args| {
        let (pattern, of) = (text(&args[0])?, text(&args[1])?);
        Ok(Value::Bool(regex(&pattern)?.is_match(&of)))
    }),
    function("safeHtml", (1, 1), |_, args| {
        Ok(Value::Text(text(&args[0])?))
    }),
    function("title", (1, 1), |_, args| {
        Ok(Value::text(title(&text(&args[0])?)))
    }),
    function("toUpper", (1, 1), |_, args| {
        Ok(Value::text(text(&args[0])?.to_uppercase()))
    }),
    function("toLower", (1, 1), |_, args| {
        Ok(Value::text(text(&args[0])?.to_lowercase()))
    }),
    function("stripPort", (1, 1), |_, args| {
        Ok(Value::text(strip_port(&text(&args[0])?)))
    }),
    function("stripDomain", (1, 1), |_, args| {
        Ok(Value::text(strip_domain(&text(&args[0])?)))
    }),
    function("urlQueryEscape", (1, 1), |_, args| {
        Ok(Value::text(url_query(&text(&args[0])?)))
    }),
    function("graphLink", (1, 1), |_, args| Ok(link(&text(&args[0])?, 0))),
    function("tableLink", (1, 1), |_, args| Ok(link(&text(&args[0])?, 1))),
    function("humanize", (1, 1), |_, args| {
        Ok(Value::text(humanize(float(&args[0])?)))
    }),
    function("humanize1024", (1, 1), |_, args| {
        Ok(Value::text(humanize_1024(float(&args[0])?)))
    }),
    function("humanizeDuration", (1, 1), |_, args| {
        Ok(Value::text(humanize_duration(float(&args[0])?)))
    }),
    function("humanizePercentage", (1, 1), |_, args| {
        Ok(Value::text(format!("{}%", short(float(&args[0])? * 100.0))))
    }),
    function("humanizeTimestamp", (1, 1), |_, args| {
        let seconds = float(&args[0])?;
        Ok(if seconds.is_finite() {
            Value::text(super::number::go_time(in_range(seconds)?))
        } else {
            Value::text(short(seconds))
        })
    }),
    function("toTime", (1, 1), |_, args| {
        let seconds = float(&args[0])?;
        if !seconds.is_finite() {
            return Err("the number is not a time".to_owned());
        }
        in_range(seconds).map(Value::Time)
    }),
    function("toDuration", (1, 1), |_, args| {
        Ok(Value::text(go_duration(float(&args[0])?)))
    }),
    function("now", (0, 0), |asking, _| {
        Ok(Value::Float(asking.data.now as f64 / 1_000.0))
    }),
    function("parseDuration", (1, 1), |_, args| {
        let written = text(&args[0])?;
        let parsed = parse_duration(&written);
        let parsed = parsed.ok_or_else(|| format!("{written:?} is not a duration"))?;
        Ok(Value::Float(parsed.as_secs_f64()))
    }),
    function("pathPrefix", (0, 0), |asking, _| {
        Ok(Value::text(path(&asking.data.external_url)))
    }),
    function("externalURL", (0, 0), |asking, _| {
        Ok(Value::Text(Arc::clone(&asking.data.external_url)))
    }),
    // Templates of rules have no callable values, and no other file is read.
    function("call", (1, ANY), |_, _| {
        Err("there is no function to call".to_owned())
    }),
    function("tmpl", (2, 2), |_, _| {
        Err("rules have no other templates".to_owned())
    }),
];

/// Finds the function of this name.
pub(super) fn find(name: &str, at: usize) -> Result<&'static Function, TemplateError> {
    if let Some(found) = FUNCTIONS.iter().find(|function| function.name == name) {
        return Ok(found);
    }
    let hint = match nearest(name, FUNCTIONS.iter().map(|function| function.name)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "use one of Prometheus' template functions".to_owned(),
    };
    let problem = format!("there is no function `{name}`");
    Err(TemplateError::new(at, problem, hint))
}

impl Function {
    /// Calls it. A wrong number of arguments is no fault of the file: Prometheus accepts it, too.
    pub(super) fn run(&self, asking: &mut Asking<'_>, args: &[Value]) -> Result<Value, String> {
        let count = args.len();
        if (self.least..=self.most).contains(&count) {
            return (self.call)(asking, args);
        }
        let wanted = match (self.least, self.most) {
            (least, ANY) => format!("{least} or more"),
            (least, most) if least == most => format!("{least}"),
            (least, most) => format!("{least} to {most}"),
        };
        Err(format!("it takes {wanted} values, but gets {count}"))
    }
}

/// The result of `and` and `or` if no value before the last one decides.
fn last_or(args: &[Value], decides: bool) -> Value {
    let found = args.iter().find(|value| value.is_true() == decides);
    found.or(args.last()).cloned().unwrap_or(Value::Nil)
}

fn wrong(value: &Value, wanted: &str) -> String {
    format!("it takes {wanted}, not {}", value.kind())
}

fn text(value: &Value) -> Result<Arc<str>, String> {
    match value {
        Value::Text(text) => Ok(Arc::clone(text)),
        other => Err(wrong(other, "a text")),
    }
}

/// Converts a number, or the text of one.
fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Text(text) => text
            .parse()
            .map_err(|_| format!("{text:?} is not a number")),
        other => Err(wrong(other, "a number")),
    }
}

fn regex(pattern: &str) -> Result<regex::Regex, String> {
    let built = regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build();
    built.map_err(|error| error.to_string())
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        #[expect(clippy::float_cmp, reason = "exact equality was requested")]
        (Value::Float(a), Value::Float(b)) => Ok(a == b),
        _ => Ok(order(a, b)? == Some(Ordering::Equal)),
    }
}

/// Compares two values of one type; `None` for NaN.
fn order(a: &Value, b: &Value) -> Result<Option<Ordering>, String> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(Some(a.cmp(b))),
        (Value::Float(a), Value::Float(b)) => Ok(a.partial_cmp(b)),
        (Value::Text(a), Value::Text(b)) => Ok(Some(a.cmp(b))),
        (a, b) => Err(format!(
            "{} and {} cannot be compared: write 1.0 instead of 1 to compare with a sample",
            a.kind(),
            b.kind()
        )),
    }
}

fn compare(args: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, String> {
    Ok(Value::Bool(order(&args[0], &args[1])?.is_some_and(holds)))
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(values) => values.len(),
        Value::Labels(labels) => labels.len(),
        Value::Named(entries) => entries.len(),
        other => return Err(wrong(other, "a text, a list or a map")),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn index(of: &Value, at: &Value) -> Result<Value, String> {
    match (of, at) {
        (Value::Labels(_) | Value::Named(_), Value::Text(name)) => Ok(of.entry(name)),
        (Value::List(values), Value::Int(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| values.get(at));
            found
                .cloned()
                .ok_or_else(|| format!("{at} is outside of the list"))
        }
        (Value::Text(text), Value::Int(at)) => {
            let found = usize::try_from(*at)
                .ok()
                .and_then(|at| text.as_bytes().get(at));
            let byte = found.ok_or_else(|| format!("{at} is outside of the text"))?;
            Ok(Value::Int(i64::from(*byte)))
        }
        (of, at) => Err(format!("{} has no index of {}", of.kind(), at.kind())),
    }
}

fn slice(args: &[Value]) -> Result<Value, String> {
    let whole = match &args[0] {
        Value::Text(text) => text.len(),
        Value::List(values) => values.len(),
        other => return Err(wrong(other, "a text or a list")),
    };
    let bound = |at: usize, default: usize| match args.get(at) {
        None => Ok(default),
        Some(Value::Int(bound)) => usize::try_from(*bound).map_err(|error| error.to_string()),
        Some(other) => Err(wrong(other, "whole numbers")),
    };
    let (from, to) = (bound(1, 0)?, bound(2, whole)?);
    let outside = || format!("{from}..{to} is outside of it");
    match &args[0] {
        Value::Text(text) => text.get(from..to).map(Value::text).ok_or_else(outside),
        Value::List(values) => {
            let part = values.get(from..to).ok_or_else(outside)?;
            Ok(Value::List(part.into()))
        }
        _ => Err(outside()),
    }
}

fn link(expression: &str, tab: u8) -> Value {
    let expression = url_query(expression);
    Value::text(format!("/graph?g0.expr={expression}&g0.tab={tab}"))
}

/// The path of a URL.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| &rest[at..])
}
