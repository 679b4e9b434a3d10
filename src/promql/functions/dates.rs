//! Date functions, in UTC, of seconds since 1970.

use crate::promql::error::QueryError;
use crate::promql::eval::{Args, Value};
use crate::promql::value::InstantSample;
use crate::util::civil;

const DAY: i64 = 86_400;

#[derive(Clone, Copy)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// The date of a day since 1970-01-01.
fn date(days: i64) -> Date {
    let (year, month, day) = civil(days);
    Date { year, month, day }
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A part of the time of each number, or of the current time.
fn part(args: &mut Args<'_, '_>, part: impl Fn(i64) -> i64) -> Result<Value, QueryError> {
    let vector = if args.call.arguments.is_empty() {
        vec![InstantSample::unlabelled(args.time as f64 / 1_000.0)]
    } else {
        args.vector(0)?
    };
    args.eval.floats(args.node.at, vector, |value| {
        #[expect(clippy::cast_possible_truncation, reason = "bounded before")]
        let seconds = value.clamp(-1e15, 1e15) as i64;
        if value.is_nan() {
            f64::NAN
        } else {
            part(seconds) as f64
        }
    })
}

macro_rules! parts {
    ($($name:ident: |$seconds:ident| $value:expr;)*) => {
        $(pub(super) fn $name(args: &mut Args<'_, '_>) -> Result<Value, QueryError> {
            part(args, |$seconds| $value)
        })*
    };
}

parts! {
    minute: |seconds| seconds.rem_euclid(3_600) / 60;
    hour: |seconds| seconds.rem_euclid(DAY) / 3_600;
    // 1970-01-01 was a Thursday.
    day_of_week: |seconds| (seconds.div_euclid(DAY) + 4).rem_euclid(7);
    day_of_month: |seconds| date(seconds.div_euclid(DAY)).day;
    day_of_year: |seconds| {
        let Date { year, month, day } = date(seconds.div_euclid(DAY));
        (1..month).map(|month| days_of(year, month)).sum::<i64>() + day
    };
    days_in_month: |seconds| {
        let Date { year, month, .. } = date(seconds.div_euclid(DAY));
        days_of(year, month)
    };
    month: |seconds| date(seconds.div_euclid(DAY)).month;
    year: |seconds| date(seconds.div_euclid(DAY)).year;
}
