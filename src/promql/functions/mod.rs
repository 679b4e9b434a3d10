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

use super::error::QueryError;
use super::eval::{Eval, Notes, Value, Window};
use super::parse::{Call, Node};
use super::query::QueryType;
use super::value::PointValue;

/// A function of a series' samples in a range.
pub(crate) type WindowFunction = fn(&Window<'_>, &mut Notes<'_>) -> Option<PointValue>;

/// A function of arbitrary arguments; the node is the call.
pub(crate) type GeneralFunction = fn(&mut Eval<'_>, &Node, &Call, i64) -> Result<Value, QueryError>;

/// How a function is applied.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// To each number of an instant vector; the metric's name is dropped.
    Float(fn(f64) -> f64),
    /// To each series of a range.
    Window {
        function: WindowFunction,
        keeps_name: bool,
    },
    General(GeneralFunction),
}

pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) returns: QueryType,
    pub(crate) run: Run,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn float(name: &'static str, function: fn(f64) -> f64) -> Function {
    Function {
        name,
        returns: QueryType::Vector,
        run: Run::Float(function),
    }
}

const fn window(name: &'static str, function: WindowFunction) -> Function {
    Function {
        name,
        returns: QueryType::Vector,
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
        returns: QueryType::Vector,
        run: Run::Window {
            function,
            keeps_name: true,
        },
    }
}

const fn vector(name: &'static str, function: GeneralFunction) -> Function {
    Function {
        name,
        returns: QueryType::Vector,
        run: Run::General(function),
    }
}

const fn scalar(name: &'static str, function: GeneralFunction) -> Function {
    Function {
        name,
        returns: QueryType::Scalar,
        run: Run::General(function),
    }
}

/// Sorted by name.
const FUNCTIONS: &[Function] = &[
    float("abs", f64::abs),
    vector("absent", presence::absent),
    vector("absent_over_time", presence::absent_over_time),
    float("acos", f64::acos),
    float("acosh", f64::acosh),
    float("asin", f64::asin),
    float("asinh", f64::asinh),
    float("atan", f64::atan),
    float("atanh", f64::atanh),
    window("avg_over_time", over_time::avg),
    float("ceil", f64::ceil),
    window("changes", rate::changes),
    vector("clamp", math::clamp),
    vector("clamp_max", math::clamp_max),
    vector("clamp_min", math::clamp_min),
    float("cos", f64::cos),
    float("cosh", f64::cosh),
    window("count_over_time", over_time::count),
    vector("day_of_month", dates::day_of_month),
    vector("day_of_week", dates::day_of_week),
    vector("day_of_year", dates::day_of_year),
    vector("days_in_month", dates::days_in_month),
    float("deg", f64::to_degrees),
    window("delta", rate::delta),
    window("deriv", regression::deriv),
    window(
        "double_exponential_smoothing",
        regression::double_exponential_smoothing,
    ),
    scalar("end", rest::end),
    float("exp", f64::exp),
    picks("first_over_time", over_time::first),
    float("floor", f64::floor),
    vector("histogram_avg", histograms::histogram_avg),
    vector("histogram_count", histograms::histogram_count),
    vector("histogram_fraction", histograms::histogram_fraction),
    vector("histogram_quantile", histograms::histogram_quantile),
    vector("histogram_quantiles", histograms::histogram_quantiles),
    vector("histogram_stddev", histograms::histogram_stddev),
    vector("histogram_stdvar", histograms::histogram_stdvar),
    vector("histogram_sum", histograms::histogram_sum),
    vector("hour", dates::hour),
    window("idelta", rate::idelta),
    window("increase", rate::increase),
    window("irate", rate::irate),
    vector("label_join", labels::label_join),
    vector("label_replace", labels::label_replace),
    picks("last_over_time", over_time::last),
    float("ln", f64::ln),
    float("log10", f64::log10),
    float("log2", f64::log2),
    window("mad_over_time", over_time::mad),
    scalar("max_of", math::max_of),
    window("max_over_time", over_time::max),
    scalar("min_of", math::min_of),
    window("min_over_time", over_time::min),
    vector("minute", dates::minute),
    vector("month", dates::month),
    scalar("pi", rest::pi),
    window("predict_linear", regression::predict_linear),
    window("present_over_time", over_time::present),
    window("quantile_over_time", over_time::quantile),
    float("rad", f64::to_radians),
    scalar("range", rest::range),
    window("rate", rate::rate),
    window("resets", rate::resets),
    vector("round", math::round),
    scalar("scalar", rest::scalar),
    float("sgn", math::sgn),
    float("sin", f64::sin),
    float("sinh", f64::sinh),
    vector("sort", sort::sort),
    vector("sort_by_label", sort::sort_by_label),
    vector("sort_by_label_desc", sort::sort_by_label_desc),
    vector("sort_desc", sort::sort_desc),
    float("sqrt", f64::sqrt),
    scalar("start", rest::start),
    window("stddev_over_time", over_time::stddev),
    window("stdvar_over_time", over_time::stdvar),
    scalar("step", rest::step),
    window("sum_over_time", over_time::sum),
    float("tan", f64::tan),
    float("tanh", f64::tanh),
    scalar("time", rest::time),
    vector("timestamp", rest::timestamp),
    window("ts_of_first_over_time", over_time::ts_of_first),
    window("ts_of_last_over_time", over_time::ts_of_last),
    window("ts_of_max_over_time", over_time::ts_of_max),
    window("ts_of_min_over_time", over_time::ts_of_min),
    vector("vector", rest::vector),
    vector("year", dates::year),
];

/// The quantile of a classic histogram, given as bounds and cumulative counts.
pub(crate) fn classic_quantile(q: f64, buckets: &mut Vec<(f64, f64)>) -> f64 {
    classic::quantile(q, buckets).0
}

pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let at = FUNCTIONS.binary_search_by(|function| function.name.cmp(name));
    FUNCTIONS.get(at.ok()?)
}

#[cfg(test)]
#[test]
fn the_table_is_sorted() {
    assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
}
