use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::registry::{Gauge, Registry};

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
    /// The bits of the seconds; NaN before the first request has ended.
    latency: AtomicU64,
}

/// The share that one request has in the latency: a step is seen to 63 % after so many requests.
const SHARE: f64 = 1.0 / 16.0;

impl Load {
    /// The requests whose response body has not ended, and the sessions that have not.
    #[must_use]
    #[inline]
    pub fn in_flight(&self) -> i64 {
        self.0.in_flight.get()
    }

    /// The time that the last requests took from their head to the end of the response body, as a
    /// moving average in which each has one sixteenth; `None` before the first has ended. Sessions
    /// are not in it, and of a layer with a sample rate the sample alone.
    ///
    /// Where several requests end at one moment, one of them may be left out.
    #[must_use]
    #[inline]
    pub fn latency(&self) -> Option<Duration> {
        let seconds = f64::from_bits(self.0.latency.load(Ordering::Relaxed));
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// What counts the requests in flight.
    pub(super) fn gauge(&self) -> Gauge {
        self.0.in_flight.clone()
    }

    /// A request has ended, after so many seconds.
    #[inline]
    pub(super) fn took(&self, seconds: f64) {
        let before = f64::from_bits(self.0.latency.load(Ordering::Relaxed));
        let after = if before.is_nan() {
            seconds
        } else {
            before + (seconds - before) * SHARE
        };
        self.0.latency.store(after.to_bits(), Ordering::Relaxed);
    }
}

impl Default for Load {
    fn default() -> Self {
        let own = Registry::new();
        Self(Arc::new(Inner {
            in_flight: own.gauge("requests_in_flight", "Requests").build_or_skip(),
            latency: AtomicU64::new(f64::NAN.to_bits()),
        }))
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
    use crate::util::Clock;

    #[tokio::test]
    async fn requests_count_from_their_head_to_the_end_of_their_body() {
        let (clock, hand) = Clock::manual();
        let load = Load::default();
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
        let mut ask = async |seconds: u64| {
            let request = Request::new(Empty::<bytes::Bytes>::new());
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(load.in_flight(), 1, "its body is still to come");
            hand.advance(Duration::from_secs(seconds));
            response.into_body().collect().await.unwrap();
            assert_eq!(load.in_flight(), 0);
            load.latency().unwrap().as_secs_f64()
        };
        assert!(
            (ask(1).await - 1.0).abs() < 1e-9,
            "the first counts in full"
        );
        assert!(
            (ask(17).await - 2.0).abs() < 1e-9,
            "a later one has its share"
        );
        for _ in 0..200 {
            ask(4).await;
        }
        assert!((ask(4).await - 4.0).abs() < 1e-3, "it follows");
    }
}
