use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::registry::{Gauge, Registry};
use crate::util::Clock;

/// The load of a service, for layers that reject requests under overload: two values that are read
/// in a few nanoseconds, cheap enough for each request. Clones are cheap and share the values.
///
/// Recorded by layers built with [`HttpLayerBuilder::load`](super::HttpLayerBuilder::load); several
/// may share one. Requests that a layer excludes are not included.
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

/// On a cache line of its own, since each request writes to it at its end.
#[repr(align(64))]
struct Inner {
    /// A handle of a private registry, which is never scraped.
    in_flight: Gauge,
    /// The bits of the seconds as of `at`; NaN before the first request has ended.
    latency: AtomicU64,
    /// When the last request ended, in milliseconds of the clock.
    at: AtomicU64,
    clock: Clock,
}

/// The weight of one request in the latency: after 16 requests a step is reflected to 63 %.
const SHARE: f64 = 1.0 / 16.0;

/// The time constant, in seconds, of the latency's decay while no request ends. A balancer with
/// Finagle's peak EWMA uses 10; half of that is longer than a pause between requests of an
/// overloaded service, and lets it recover in seconds.
const DECAY: f64 = 5.0;

impl Load {
    /// Creates it without requests; the latency decays by the time of `clock`. [`Default`] uses the
    /// system clock.
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

    /// The number of requests whose response body has not ended, and of open sessions.
    #[must_use]
    #[inline]
    pub fn in_flight(&self) -> i64 {
        self.0.in_flight.get()
    }

    /// The latency of requests, from the head to the end of the response body, as an exponentially
    /// weighted moving average; `None` before the first has ended. Each request has a weight of one
    /// sixteenth. Sessions do not count; with a sample rate, only sampled requests do.
    ///
    /// While no request ends, it decays by `exp(-t / 5 s)`, to half in 3.5 s: a layer that rejects
    /// all requests while it is high starts to accept some again, and values from before a pause
    /// count less in the average after it (a moving average for unevenly spaced series, as in A.
    /// Eckner, *Algorithms for Unevenly Spaced Time Series*; decayed on reading, as in Finagle's
    /// peak EWMA). It also decays while requests hang, since none ends: they are [in
    /// flight](Self::in_flight).
    ///
    /// If several requests end at the same moment, one may be lost.
    #[must_use]
    #[inline]
    pub fn latency(&self) -> Option<Duration> {
        let seconds = f64::from_bits(self.0.latency.load(Ordering::Relaxed));
        Duration::try_from_secs_f64(seconds * self.left(self.0.clock.coarse_millis())).ok()
    }

    /// The gauge of requests in flight.
    pub(super) fn gauge(&self) -> Gauge {
        self.0.in_flight.clone()
    }

    /// Records a request that has ended after this many seconds.
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

    /// The factor by which the latency has decayed.
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
