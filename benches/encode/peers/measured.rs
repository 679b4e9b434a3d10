use measured::metric::histogram::Thresholds;
use measured::text::BufferedTextEncoder;
use measured::{CounterVec, HistogramVec, LabelGroup, MetricGroup};
use selfheal_benches::measured_label;

use crate::series::{self, BOUNDS, CUSTOMERS, METHODS, ROUTES, Series, observations};
use crate::{Library, Render};

pub(crate) const LIBRARY: Library = Library {
    name: "measured",
    counters,
    histograms,
};

measured_label!(Method, METHODS.len(), |at| METHODS[at].to_owned());
measured_label!(Route, ROUTES, series::route);
measured_label!(Customer, CUSTOMERS, series::customer);

#[derive(Clone, Copy, LabelGroup)]
#[label(set = LabelsSet)]
struct Labels {
    method: Method,
    route: Route,
    customer: Customer,
}

#[derive(MetricGroup)]
struct Counters {
    /// Requests served
    http_requests_total: CounterVec<LabelsSet>,
}

#[derive(MetricGroup)]
struct Histograms {
    /// Requests served
    http_request_duration_seconds: HistogramVec<LabelsSet, { BOUNDS.len() }>,
}

fn labels(series: Series) -> Labels {
    Labels {
        method: Method(series.method),
        route: Route(series.route),
        customer: Customer(series.customer),
    }
}

fn counters(count: usize) -> Render {
    let group = Counters {
        http_requests_total: CounterVec::with_label_set(LabelsSet::new()),
    };
    for series in series::series(count) {
        group
            .http_requests_total
            .inc_by(labels(series), series.value);
    }
    render(move |encoder| group.collect_group_into(encoder).unwrap())
}

fn histograms(count: usize) -> Render {
    let thresholds = Thresholds::with_buckets(BOUNDS);
    let family = HistogramVec::with_label_set_and_metadata(LabelsSet::new(), thresholds);
    for series in series::series(count) {
        observations().for_each(|value| family.observe(labels(series), value));
    }
    let group = Histograms {
        http_request_duration_seconds: family,
    };
    render(move |encoder| group.collect_group_into(encoder).unwrap())
}

fn render(collect: impl Fn(&mut BufferedTextEncoder) + 'static) -> Render {
    let mut encoder = BufferedTextEncoder::new();
    Box::new(move || {
        collect(&mut encoder);
        encoder.finish().len()
    })
}
