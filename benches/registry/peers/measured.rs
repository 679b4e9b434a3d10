use std::any::Any;
use std::hint::black_box;

use measured::metric::histogram::Thresholds;
use measured::{Counter, CounterVec, Histogram, LabelGroup};
use paracord::ParaCord;
use selfheal_benches::measured_label;

use crate::labels::{self, BOUNDS, Requests, STATUSES, many};
use crate::work::{Run, counting_on_two_threads, observing, observing_on_two_threads, timed};

measured_label!(Method, 1, |_| "GET".to_owned());
measured_label!(Route, labels::ROUTES, labels::route);
measured_label!(Status, STATUSES.len(), |at| STATUSES[at].to_owned());
measured_label!(AnyMethod, many::METHODS.len(), |at| {
    many::METHODS[at].to_owned()
});
measured_label!(AnyRoute, many::ROUTES, many::route);
measured_label!(Customer, many::CUSTOMERS, many::customer);

#[derive(Clone, Copy, LabelGroup)]
#[label(set = RequestSet)]
struct Request {
    method: Method,
    route: Route,
    status: Status,
}

/// New texts, of which it keeps each one once and counts by numbers.
#[derive(Clone, Copy, LabelGroup)]
#[label(set = TextSet)]
struct Texts<'a> {
    #[label(dynamic_with = ParaCord)]
    first: &'a str,
    #[label(dynamic_with = ParaCord)]
    second: &'a str,
    #[label(dynamic_with = ParaCord)]
    third: &'a str,
}

impl<'a> From<[&'a str; 3]> for Texts<'a> {
    fn from([first, second, third]: [&'a str; 3]) -> Self {
        Self {
            first,
            second,
            third,
        }
    }
}

fn text_set() -> TextSet {
    TextSet {
        first: ParaCord::default(),
        second: ParaCord::default(),
        third: ParaCord::default(),
    }
}

#[derive(Clone, Copy, LabelGroup)]
#[label(set = ManySet)]
struct Many {
    method: AnyMethod,
    route: AnyRoute,
    customer: Customer,
}

fn histogram() -> Histogram<{ BOUNDS.len() }> {
    Histogram::with_metadata(Thresholds::with_buckets(BOUNDS))
}

pub(crate) fn enums() -> Run {
    let family = CounterVec::with_label_set(RequestSet::new());
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            family.inc(Request {
                method: Method(0),
                route: Route(route),
                status: Status(status),
            });
        });
    })
}

pub(crate) fn texts() -> Run {
    let family = CounterVec::with_label_set(text_set());
    let requests = Requests::new();
    timed(move |times| {
        requests.each(times, |route, status| {
            family.inc(Texts::from([
                requests.method,
                &requests.routes[route],
                requests.statuses[status],
            ]));
        });
    })
}

pub(crate) fn observe() -> Run {
    let histogram = histogram();
    observing(move |value| histogram.get_metric().observe(value))
}

pub(crate) fn two_counters() -> Run {
    counting_on_two_threads(Counter::new(), |counter| {
        counter.get_metric().inc();
    })
}

pub(crate) fn two_histograms() -> Run {
    observing_on_two_threads(histogram(), |histogram, value| {
        histogram.get_metric().observe(value);
    })
}

pub(crate) fn create(texts: &many::Texts, count: usize) -> Box<dyn Any> {
    let family = CounterVec::with_label_set(text_set());
    for series in texts.series(count) {
        family.inc(black_box(Texts::from(texts.of(series))));
    }
    Box::new(family)
}

pub(crate) fn create_known(texts: &many::Texts, count: usize) -> Box<dyn Any> {
    let family = CounterVec::with_label_set(ManySet::new());
    for series in texts.series(count) {
        family.inc(black_box(Many {
            method: AnyMethod(series.method),
            route: AnyRoute(series.route),
            customer: Customer(series.customer),
        }));
    }
    Box::new(family)
}
