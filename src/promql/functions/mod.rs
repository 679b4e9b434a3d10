//! The table of all functions. The parser checks their signatures.

#![expect(
    clippy::unnecessary_wraps,
    reason = "functions of the table have its types"
)]

mod classic;
mod dates;
mod histograms;
mod labels;
mod math;
mod over_time;
mod presence;
mod rate;
mod regression;
mod rest;
mod sort;

use super::error::{Place, QueryError};
use super::eval::{Function, GeneralFunction, Run, WindowFunction};
use super::parse::Parsed;
pub(crate) use presence::absent_labels;

const fn float(name: &'static str, function: fn(f64) -> f64) -> Function {
    Function {
        name,
        run: Run::Float(function),
    }
}

const fn window(name: &'static str, function: WindowFunction) -> Function {
    Function {
        name,
        run: Run::Window {
            function,
            keeps_name: false,
        },
    }
}

/// A function that returns one of the range's values, so that the metric's name is kept.
const fn picks(name: &'static str, function: WindowFunction) -> Function {
    Function {
        name,
        run: Run::Window {
            function,
            keeps_name: true,
        },
    }
}

const fn general(name: &'static str, function: GeneralFunction) -> Function {
    Function {
        name,
        run: Run::General(function),
    }
}

/// Sorted by name.
const FUNCTIONS: &[Function] = &[
    float("abs", f64::abs),
    general("absent", presence::absent),
    general("absent_over_time", presence::absent_over_time),
    float("acos", f64::acos),
    float("acosh", f64::acosh),
    float("asin", f64::asin),
    float("asinh", f64::asinh),
    float("atan", f64::atan),
    float("atanh", f64::atanh),
    window("avg_over_time", over_time::avg),
    float("ceil", f64::ceil),
    window("changes", rate::changes),
    general("clamp", math::clamp),
    general("clamp_max", math::clamp_max),
    general("clamp_min", math::clamp_min),
    float("cos", f64::cos),
    float("cosh", f64::cosh),
    window("count_over_time", over_time::count),
    general("day_of_month", dates::day_of_month),
    general("day_of_week", dates::day_of_week),
    general("day_of_year", dates::day_of_year),
    general("days_in_month", dates::days_in_month),
    float("deg", f64::to_degrees),
    window("delta", rate::delta),
    window("deriv", regression::deriv),
    window(
        "double_exponential_smoothing",
        regression::double_exponential_smoothing,
    ),
    general("end", rest::end),
    float("exp", f64::exp),
    picks("first_over_time", over_time::first),
    float("floor", f64::floor),
    general("histogram_avg", histograms::histogram_avg),
    general("histogram_count", histograms::histogram_count),
    general("histogram_fraction", histograms::histogram_fraction),
    general("histogram_quantile", histograms::histogram_quantile),
    general("histogram_quantiles", histograms::histogram_quantiles),
    general("histogram_stddev", histograms::histogram_stddev),
    general("histogram_stdvar", histograms::histogram_stdvar),
    general("histogram_sum", histograms::histogram_sum),
    general("hour", dates::hour),
    window("idelta", rate::idelta),
    window("increase", rate::increase),
    window("irate", rate::irate),
    general("label_join", labels::label_join),
    general("label_replace", labels::label_replace),
    picks("last_over_time", over_time::last),
    float("ln", f64::ln),
    float("log10", f64::log10),
    float("log2", f64::log2),
    window("mad_over_time", over_time::mad),
    general("max_of", math::max_of),
    window("max_over_time", over_time::max),
    general("min_of", math::min_of),
    window("min_over_time", over_time::min),
    general("minute", dates::minute),
    general("month", dates::month),
    general("pi", rest::pi),
    window("predict_linear", regression::predict_linear),
    window("present_over_time", over_time::present),
    window("quantile_over_time", over_time::quantile),
    float("rad", f64::to_radians),
    general("range", rest::range),
    window("rate", rate::rate),
    window("resets", rate::resets),
    general("round", math::round),
    general("scalar", rest::scalar),
    float("sgn", math::sgn),
    float("sin", f64::sin),
    float("sinh", f64::sinh),
    general("sort", sort::sort),
    general("sort_by_label", sort::sort_by_label),
    general("sort_by_label_desc", sort::sort_by_label_desc),
    general("sort_desc", sort::sort_desc),
    float("sqrt", f64::sqrt),
    general("start", rest::start),
    window("stddev_over_time", over_time::stddev),
    window("stdvar_over_time", over_time::stdvar),
    general("step", rest::step),
    window("sum_over_time", over_time::sum),
    float("tan", f64::tan),
    float("tanh", f64::tanh),
    general("time", rest::time),
    general("timestamp", rest::timestamp),
    window("ts_of_first_over_time", over_time::ts_of_first),
    window("ts_of_last_over_time", over_time::ts_of_last),
    window("ts_of_max_over_time", over_time::ts_of_max),
    window("ts_of_min_over_time", over_time::ts_of_min),
    general("vector", rest::vector),
    general("year", dates::year),
];

/// The quantile of a classic histogram, given as bounds and cumulative counts.
pub(crate) fn classic_quantile(q: f64, buckets: &mut Vec<(f64, f64)>) -> f64 {
    classic::quantile(q, buckets).0
}

/// The functions that an expression calls, in the order of the calls.
pub(crate) fn called(text: &str, parsed: &Parsed) -> Result<Box<[&'static Function]>, QueryError> {
    let calls = parsed.calls.iter().map(|(name, at)| {
        find(name).ok_or_else(|| QueryError::Syntax {
            place: Place::of(text, *at),
            message: format!("the function {name:?} is not supported"),
        })
    });
    calls.collect()
}

fn find(name: &str) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name));
    FUNCTIONS.get(at.ok()?)
}

#[cfg(test)]
#[test]
fn the_table_is_sorted() {
    assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
}
