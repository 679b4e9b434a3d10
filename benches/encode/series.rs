//! The series that every library is given: three labels, about 60 bytes of label text.

pub(crate) const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
pub(crate) const ROUTES: usize = 50;
pub(crate) const CUSTOMERS: usize = 500;
pub(crate) const NAMES: [&str; 3] = ["method", "route", "customer"];
pub(crate) const HELP: &str = "Requests served";

/// The upper bounds of the histograms.
pub(crate) const BOUNDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// One series by the positions of its labels.
#[derive(Clone, Copy)]
pub(crate) struct Series {
    pub(crate) method: usize,
    pub(crate) route: usize,
    pub(crate) customer: usize,
    /// The value of its counter.
    pub(crate) value: u64,
}

impl Series {
    pub(crate) fn labels(self) -> [String; 3] {
        [
            METHODS[self.method].to_owned(),
            route(self.route),
            customer(self.customer),
        ]
    }
}

pub(crate) fn route(at: usize) -> String {
    format!("/api/v1/orders/{at:02}")
}

pub(crate) fn customer(at: usize) -> String {
    format!("customer-{at:05}")
}

/// The first `count` series.
pub(crate) fn series(count: usize) -> impl Iterator<Item = Series> {
    (0..count).map(|at| Series {
        method: at % METHODS.len(),
        route: at / METHODS.len() % ROUTES,
        customer: at / (METHODS.len() * ROUTES) % CUSTOMERS,
        value: (at as u64).wrapping_mul(7919) % 1_000_000,
    })
}

/// The observations of each histogram.
pub(crate) fn observations() -> impl Iterator<Item = f64> {
    (1..=100_u32).map(|n| f64::from(n * n) / 1000.0)
}
