//! Two suppliers, each a real HTTP service on loopback, and the shop's client to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use selfheal::registry::{Counter, DeclareError, Family, Group, Histogram, Registry, Text};
use selfheal::track::{Outcome, Tracker, TrackerKind};

/// How a supplier behaves; set by the chaos monkey.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
pub(crate) enum Mood {
    Well = 0,
    Slow = 1,
    Failing = 2,
}

/// One supplier's service.
#[derive(Default)]
pub(crate) struct Supplier {
    mood: AtomicU8,
}

impl Supplier {
    pub(crate) fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::Relaxed);
    }

    /// Serves `/stock/{sku}` on a free port of loopback and returns the address.
    async fn serve(self: Arc<Self>) -> std::io::Result<String> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let app = Router::new()
            .route("/stock/{sku}", get(stock))
            .with_state(self);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(base)
    }
}

async fn stock(
    State(supplier): State<Arc<Supplier>>,
    Path(sku): Path<String>,
) -> (StatusCode, String) {
    match supplier.mood.load(Ordering::Relaxed) {
        mood if mood == Mood::Failing as u8 => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the warehouse burns".to_owned(),
        ),
        mood => {
            if mood == Mood::Slow as u8 {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            (StatusCode::OK, format!("{}", 10 + sku.len() % 90))
        }
    }
}

/// Why the stock of an article is not known.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(crate) enum SupplierError {
    #[error("the supplier did not answer in time")]
    Timeout,
    #[error("the supplier could not be reached")]
    Connection,
    #[error("the supplier answered with an error")]
    Status,
}

impl SupplierError {
    fn error_type(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Status => "status",
        }
    }
}

/// The metrics of calls to suppliers: a group of the application's own.
pub(crate) struct SupplierMetrics {
    calls: Family<Counter, [Text; 2]>,
    duration: Family<Histogram, [Text; 1]>,
}

impl Group for SupplierMetrics {
    const NAME: &'static str = "supplier";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            calls: registry
                .counter(
                    "supplier_calls_total",
                    "Calls to suppliers, by how they ended",
                )
                .labels(["supplier", "result"])?,
            duration: registry
                .histogram(
                    "supplier_call_duration_seconds",
                    "Time a call to a supplier took",
                )
                .labels(["supplier"])?,
        })
    }
}

struct SupplierCall(&'static str);

impl TrackerKind for SupplierCall {
    type Metrics = SupplierMetrics;

    fn record(&self, metrics: &SupplierMetrics, outcome: Outcome<'_>, took: Duration) {
        let result = match outcome {
            Outcome::Error(error_type) => error_type,
            outcome => outcome.status(),
        };
        metrics.calls.inc(&[self.0, result]);
        metrics.duration.observe(&[self.0], took.as_secs_f64());
    }
}

/// The shop's side: knows both suppliers and asks the one in use.
pub(crate) struct Suppliers {
    client: Client<HttpConnector, Body>,
    known: [(&'static str, String, Arc<Supplier>); 2],
    in_use: AtomicUsize,
}

/// A supplier that takes longer than this is of no use to a customer who waits.
const PATIENCE: Duration = Duration::from_millis(400);

/// The time between two probes.
const PROBE_EVERY: Duration = Duration::from_millis(250);

/// The most bytes of an answer that are read.
const ANSWER: usize = 1024;

impl Suppliers {
    /// Starts both suppliers.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let (north, south) = (Arc::<Supplier>::default(), Arc::<Supplier>::default());
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            known: [
                ("north", Arc::clone(&north).serve().await?, north),
                ("south", Arc::clone(&south).serve().await?, south),
            ],
            in_use: AtomicUsize::new(0),
        })
    }

    /// The supplier in use, for the chaos monkey.
    pub(crate) fn in_use(&self) -> (&'static str, Arc<Supplier>) {
        let (name, _, supplier) = &self.known[self.in_use.load(Ordering::Relaxed) % 2];
        (name, Arc::clone(supplier))
    }

    /// All suppliers work again; nothing is broken any more.
    pub(crate) fn calm(&self) {
        for (_, _, supplier) in &self.known {
            supplier.set(Mood::Well);
        }
    }

    /// How many pieces of an article there are, by the supplier in use.
    pub(crate) async fn stock(&self, sku: &str) -> Result<u32, SupplierError> {
        let (name, base, _) = &self.known[self.in_use.load(Ordering::Relaxed) % 2];
        let tracker = Tracker::start(SupplierCall(name));
        let answer = tokio::time::timeout(PATIENCE, self.ask(base, sku)).await;
        tracker.result(answer.unwrap_or(Err(SupplierError::Timeout)), |error| {
            error.error_type()
        })
    }

    /// Asks the supplier in use again and again, so that one that fails is noticed while no
    /// customer asks.
    pub(crate) async fn probe(self: Arc<Self>) {
        loop {
            // The outcome is counted.
            let _ = self.stock("apple").await;
            tokio::time::sleep(PROBE_EVERY).await;
        }
    }

    /// Switches to the other supplier: the action when one is of no use. Done twice, it
    /// changes nothing the second time.
    pub(crate) fn turn_from(&self, supplier: &str) {
        let other = self.known.iter().position(|(name, ..)| *name != supplier);
        self.in_use
            .store(other.unwrap_or_default(), Ordering::Relaxed);
    }

    async fn ask(&self, base: &str, sku: &str) -> Result<u32, SupplierError> {
        let request = Request::get(format!("{base}/stock/{sku}"))
            .body(Body::empty())
            .map_err(|_| SupplierError::Connection)?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|_| SupplierError::Connection)?;
        if response.status() != StatusCode::OK {
            return Err(SupplierError::Status);
        }
        let body = Limited::new(response.into_body(), ANSWER)
            .collect()
            .await
            .map_err(|_| SupplierError::Connection)?;
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        text.trim().parse().map_err(|_| SupplierError::Status)
    }
}
