//! `/federate`: the newest sample of each selected series, as Prometheus serves it to another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::fault::Fault;
use super::params::{LISTED, Params};
use super::render;
use super::source::{Queries, QuerySource};
use crate::promql::{LabelSet, Selection};
use crate::server::answer::answer;
use crate::server::endpoints::Endpoints;
use crate::util::escape::{self, NameOf};
use crate::util::{millis, unix_millis};

/// A series without a sample in this time has ended, as for an instant query.
const LOOKBACK: Duration = Duration::from_secs(300);

/// The newest value of each series, by its name and labels, with its time.
type Newest = BTreeMap<String, BTreeMap<LabelSet, (f64, i64)>>;

pub(super) async fn federate(
    State(endpoints): State<Endpoints>,
    params: Params,
) -> Result<Response, Fault> {
    if params.all("match[]").next().is_none() {
        return Err(Fault::bad("no `match[]` is given"));
    }
    let now = unix_millis(endpoints.clock.wall());
    let mut selections = params.selections(now)?;
    let lookback = millis(LOOKBACK);
    for selection in &mut selections {
        (selection.after, selection.until) = (now.saturating_sub(lookback), now);
    }
    let page =
        Queries::of(endpoints.queries.as_ref())?.in_turn(move |source| newest(source, &selections));
    let text = page.await??;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(answer(StatusCode::OK, kind, text))
}

fn newest(source: &dyn QuerySource, selections: &[Selection]) -> Result<String, Fault> {
    let mut newest = Newest::new();
    let mut count = 0;
    for selection in selections {
        let read = source.select(selection, &mut |series| {
            // An ended series has a stale marker; a native histogram cannot be written as text.
            let last = series.samples.last().filter(|last| !last.value.is_stale());
            let last = last.and_then(|last| Some((last.value.as_float()?, last.time)));
            if let (Some(value), Some(name)) = (last, series.labels.name()) {
                let family = newest.entry(shown(name, NameOf::Metric)).or_default();
                count += usize::from(family.insert(series.labels.without_name(), value).is_none());
            }
            if count > LISTED {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        read.map_err(|error| Fault::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    }
    if count > LISTED {
        // A partial list would be taken for a complete one.
        let text = format!("more than {LISTED} series match; ask for less at a time");
        return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    Ok(text(&newest))
}

fn text(newest: &Newest) -> String {
    let mut out = String::new();
    for (name, series) in newest {
        // As Prometheus does, which stores no types of series. Writing cannot fail.
        let _ = writeln!(out, "# TYPE {name} untyped");
        for (labels, (value, time)) in series {
            let _ = write!(out, "{name}{{");
            let mut known = BTreeSet::new();
            for (label, value) in labels.iter() {
                let label = shown(label, NameOf::Label);
                if known.insert(label.clone()) {
                    let _ = write!(out, "{label}=\"");
                    escape::label_value(&mut out, value);
                    out.push_str("\",");
                }
            }
            if !known.contains("instance") {
                // So that `honor_labels` does not add the federating server's.
                out.push_str("instance=\"\"");
            }
            let _ = writeln!(out, "}} {} {time}", render::number(*value));
        }
    }
    out
}

/// A name as in the text format of a scrape.
fn shown(name: &str, of: NameOf) -> String {
    escape::underscores(name, of).into_owned()
}
