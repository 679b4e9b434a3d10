use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::registry::{Gauge, Registry};
use crate::util::Clock;

/// How busy a service is, for whoever refuses requests before it has too many: two figures that are
/// read in a few nanoseconds, as often as for each request. Cloning is cheap and gives the same
/// figures.
///
/// A layer keeps them that is built with [`HttpLayerBuilder::load`](super::HttpLayerBuilder::load);
/// several layers can share one. What a layer leaves alone is not in them.
///
/// ```
/// use std::time::Duration;
/// use selfheal::http::{HttpLayer, Load};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), selfheal::registry::DeclareError> {
/// let load = Load::default();
/// let layer = HttpLayer::builder(&Registry::new()).load(&load).build()?;
/// let is_too_much =
///     || load.in_flight() > 200 && load.latency() > Some(Duration::from_millis(500));
/// # assert!(!is_too_much());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Load(Arc<Inner>);

/// A cache line for what each request writes at its end.
#[repr(align(64))]
struct Inner {
    /// Of a registry of its own, which no one scrapes.
    in_flight: Gauge,
    /// The bits of the seconds as of `at`; NaN before the first request has ended.
    latency: AtomicU64,
    /// When the last request ended, in milliseconds of the clock.
    at: AtomicU64,
    clock: Clock,
}

/// The share that one request has in the latency: a step is seen to 63 % after so many requests.
const SHARE: f64 = 1.0 / 16.0;

/// In so many seconds without a request that ends, the latency falls to 1/e, 37 %. A balancer with
/// Finagle's peak EWMA takes 10; half of that is longer than a pause between requests that
/// overload a service, and has a service that was overloaded back in seconds.
const DECAY: f64 = 5.0;

impl Load {
    /// Figures of no request so far, whose latency falls with the time of `clock`. Default: that
    /// of the machine.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        let own = Registry::new();
        Self(Arc::new(Inner {
            in_flight: own.gauge("requests_in_flight", "Requests").build_or_skip(),
            latency: AtomicU64::new(f64::NAN.to_bits()),
            at: AtomicU64::new(0),
            clock,
        }))
    }

    /// The requests whose response body has not ended, and the sessions that have not.
    #[must_use]
    #[inline]
    pub fn in_flight(&self) -> i64 {
        self.0.in_flight.get()
    }

    /// The time that the last requests took from their head to the end of the response body, as an
    /// exponentially weighted moving average; `None` before the first has ended. Each request has
    /// one sixteenth. Sessions are not in it, and of a layer with a sample rate the sample alone.
    ///
    /// With no request that ends, it falls by `exp(-t / 5 s)`, to half in 3.5 s: who refuses all
    /// requests while it is high begins to let some in again, and what was before a pause counts
    /// for so much less in the average after it (the moving average of a series with uneven
    /// spacing, as in A. Eckner, *Algorithms for Unevenly Spaced Time Series*; read as Finagle's
    /// peak EWMA is). It falls while requests hang, too, for none of them ends: those are
    /// [in flight](Self::in_flight).
    ///
    /// Where several requests end at one moment, one of them may be left out.
    #[must_use]
    #[inline]
    pub fn latency(&self) -> Option<Duration> {
        let seconds = f64::from_bits(self.0.latency.load(Ordering::Relaxed));
        Duration::try_from_secs_f64(seconds * self.left(self.0.clock.coarse_millis())).ok()
    }

    /// What counts the requests in flight.
    pub(super) fn gauge(&self) -> Gauge {
        self.0.in_flight.clone()
    }

    /// A request has ended, after so many seconds.
    #[inline]
    pub(super) fn took(&self, seconds: f64) {
        let now = self.0.clock.coarse_millis();
        let before = f64::from_bits(self.0.latency.load(Ordering::Relaxed));
        let after = if before.is_nan() {
            seconds
        } else {
            seconds + (before - seconds) * (1.0 - SHARE) * self.left(now)
        };
        self.0.latency.store(after.to_bits(), Ordering::Relaxed);
        self.0.at.store(now, Ordering::Relaxed);
    }

    /// The share that is left of the latency.
    #[inline]
    fn left(&self, now: u64) -> f64 {
        match now.saturating_sub(self.0.at.load(Ordering::Relaxed)) {
            0 => 1.0,
            idle => (idle as f64 / (-1e3 * DECAY)).exp(),
        }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self::with_clock(Clock::default())
    }
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("in_flight", &self.in_flight())
            .field("latency", &self.latency())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use http_body_util::{BodyExt, Empty};
    use tower::{Layer, Service, ServiceExt, service_fn};

    use super::*;
    use crate::http::HttpLayer;

    #[tokio::test]
    async fn requests_count_from_their_head_to_the_end_of_their_body() {
        let (clock, hand) = Clock::manual();
        let load = Load::with_clock(clock.clone());
        let layer = HttpLayer::builder(&Registry::new())
            .clock(clock)
            .load(&load)
            .build()
            .unwrap()
            .generic();
        let mut service = layer.layer(service_fn(async |_| {
            Ok::<_, Infallible>(Response::new(String::from("hello")))
        }));
        assert_eq!((load.in_flight(), load.latency()), (0, None));
        let mut ask = async |millis: u64| {
            let request = Request::new(Empty::<bytes::Bytes>::new());
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(load.in_flight(), 1, "its body is still to come");
            hand.advance(Duration::from_millis(millis));
            response.into_body().collect().await.unwrap();
            assert_eq!(load.in_flight(), 0);
            1e3 * load.latency().unwrap().as_secs_f64()
        };
        assert!(
            (ask(1).await - 1.0).abs() < 1e-9,
            "the first counts in full"
        );
        assert!(
            (ask(17).await - 2.0).abs() < 0.1,
            "a later one has its share"
        );
        for _ in 0..200 {
            ask(4).await;
        }
        assert!((ask(4).await - 4.0).abs() < 1e-3, "it follows");
    }

    #[test]
    fn one_who_refuses_all_while_it_is_high_lets_some_in_again() {
        let (clock, hand) = Clock::manual();
        let load = Load::with_clock(clock);
        load.took(10.0);
        let high = Duration::from_millis(500);
        let mut refused = 0;
        while load.latency() > Some(high) && refused < 600 {
            refused += 1;
            hand.advance(Duration::from_millis(100));
        }
        // 5 s * ln(10 s / 0.5 s)
        assert_eq!(refused, 150);
        load.took(0.02);
        let left = load.latency().unwrap().as_secs_f64();
        assert!(left < 0.5, "{left}");
    }

    #[test]
    fn what_was_before_a_pause_counts_for_less() {
        let (clock, hand) = Clock::manual();
        let load = Load::with_clock(clock);
        let near = |seconds: f64| {
            let found = load.latency().unwrap().as_secs_f64();
            assert!((found - seconds).abs() < 1e-6, "{found}");
        };
        load.took(1.0);
        hand.advance(Duration::from_secs(5));
        near((-1.0_f64).exp());
        load.took(3.0);
        near(3.0 - 2.0 * 15.0 / 16.0 * (-1.0_f64).exp());
        hand.advance(Duration::from_secs(86_400));
        assert_eq!(load.latency(), Some(Duration::ZERO));
        load.took(3.0);
        near(3.0);
    }
}
