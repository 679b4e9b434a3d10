//! The labels that every library is given.

use std::hint::black_box;

pub(crate) const NAMES: [&str; 3] = ["method", "route", "status"];
pub(crate) const STATUSES: [&str; 5] = ["200", "201", "404", "500", "503"];
pub(crate) const ROUTES: usize = 50;

/// The upper bounds of the histograms.
pub(crate) const BOUNDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// By how much the bounds of native buckets grow at the most; schema 3 for everybody.
pub(crate) const NATIVE_GROWTH: f64 = 1.1;

/// The trace that exemplars name.
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// One method, 50 routes and 5 statuses, in an order that no branch predictor knows by heart.
pub(crate) struct Requests {
    pub(crate) method: &'static str,
    pub(crate) routes: Vec<String>,
    pub(crate) statuses: [&'static str; 5],
    order: [(u8, u8); 250],
}

impl Requests {
    pub(crate) fn new() -> Self {
        let mut order = [(0, 0); 250];
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for (at, slot) in (0_u8..).zip(&mut order) {
            *slot = (at / 5, at % 5);
        }
        for at in (1..order.len()).rev() {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            order.swap(at, (random >> 33) as usize % (at + 1));
        }
        black_box(Self {
            method: "GET",
            routes: (0..ROUTES).map(route).collect(),
            statuses: STATUSES,
            order,
        })
    }

    /// Calls `record` with the positions of route and status, `times` times.
    #[inline]
    pub(crate) fn each(&self, times: u64, mut record: impl FnMut(usize, usize)) {
        let mut left = times;
        while left > 0 {
            let round = left.min(self.order.len() as u64);
            for (route, status) in &self.order[..usize::try_from(round).unwrap()] {
                record(usize::from(*route), usize::from(*status));
            }
            left -= round;
        }
    }
}

pub(crate) fn route(at: usize) -> String {
    format!("/api/v1/orders/{at:02}/items")
}

/// Values to observe, spread over all buckets.
pub(crate) struct Values(Vec<f64>);

impl Values {
    pub(crate) fn new() -> Self {
        let spread = |n: u32| f64::from(n * 7919 % 1024) / 100.0;
        black_box(Self((0..1024).map(spread).collect()))
    }

    /// Calls `observe` with a value, `times` times.
    #[inline]
    pub(crate) fn each(&self, times: u64, mut observe: impl FnMut(f64)) {
        let mut left = times;
        while left > 0 {
            let round = left.min(self.0.len() as u64);
            for value in &self.0[..usize::try_from(round).unwrap()] {
                observe(*value);
            }
            left -= round;
        }
    }
}

/// Labels for many series: 60 bytes each once they are rendered.
pub(crate) mod many {
    pub(crate) const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
    pub(crate) const NAMES: [&str; 3] = ["method", "route", "customer"];
    pub(crate) const ROUTES: usize = 50;
    pub(crate) const CUSTOMERS: usize = 5_000;

    #[derive(Clone, Copy)]
    pub(crate) struct Series {
        pub(crate) method: usize,
        pub(crate) route: usize,
        pub(crate) customer: usize,
    }

    pub(crate) fn route(at: usize) -> String {
        format!("/api/v1/orders/{at:02}")
    }

    pub(crate) fn customer(at: usize) -> String {
        format!("c-{at:07}")
    }

    /// The texts of all labels, made once.
    pub(crate) struct Texts {
        pub(crate) routes: Vec<String>,
        pub(crate) customers: Vec<String>,
        /// How many series after each other have the same customer.
        each: usize,
    }

    impl Texts {
        /// Texts that come again and again: a customer has a series for each method and route.
        pub(crate) fn shared() -> Self {
            Self::new(CUSTOMERS, METHODS.len() * ROUTES)
        }

        /// Each of `count` series has a customer of its own.
        pub(crate) fn of_their_own(count: usize) -> Self {
            Self::new(count, 1)
        }

        fn new(customers: usize, each: usize) -> Self {
            Self {
                routes: (0..ROUTES).map(route).collect(),
                customers: (0..customers).map(customer).collect(),
                each,
            }
        }

        pub(crate) fn series(&self, count: usize) -> impl Iterator<Item = Series> {
            (0..count).map(|at| Series {
                method: at % METHODS.len(),
                route: at / METHODS.len() % ROUTES,
                customer: at / self.each % self.customers.len(),
            })
        }

        pub(crate) fn of(&self, series: Series) -> [&str; 3] {
            [
                METHODS[series.method],
                &self.routes[series.route],
                &self.customers[series.customer],
            ]
        }
    }
}
