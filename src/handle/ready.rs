//! The readiness of the application as it reports it.

use std::future::IntoFuture;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Selfheal;
use super::health::Health;
use crate::health::{Check, Fact};

/// The application's state for the readiness of the service.
///
/// | state | `/readyz` |
/// |---|---|
/// | no server was given to `serving` | 503 if `service.wait_until_serving` is set, else 200 |
/// | as many run as ever ran at once | 200 |
/// | fewer run | 503 |
///
/// In every state, a reason set by [`Selfheal::set_not_ready`] gives 503.
pub(super) struct Application(Mutex<State>);

struct State {
    /// Whether the service is not ready until the application reports ready.
    waits: bool,
    /// Whether the endpoints have their own listener, which answers without the application.
    apart: bool,
    reason: Option<String>,
    /// The number of its servers that run.
    running: usize,
    /// The largest number that ran at once.
    most: usize,
}

impl Application {
    pub(super) fn new(waits: bool) -> Self {
        Self(Mutex::new(State {
            waits,
            apart: false,
            reason: None,
            running: 0,
            most: 0,
        }))
    }

    /// Records that the endpoints have their own listener.
    #[cfg(feature = "server")]
    pub(super) fn is_apart(&self) {
        self.0.lock().apart = true;
    }

    pub(super) fn ready(&self) -> Check {
        let state = self.0.lock();
        if let Some(reason) = &state.reason {
            Check::failed(reason.as_str())
        } else if state.waits {
            Check::failed(
                "the application does not serve yet: `service.wait_until_serving` is set and \
                 `Selfheal::serving` was not called",
            )
        } else if state.running < state.most {
            Check::failed(format!("of the application, {}", state.ended()))
        } else {
            Check::passed()
        }
    }

    /// The servers' fact for the report.
    pub(super) fn fact(&self) -> Option<Fact> {
        let state = self.0.lock();
        let value = match (state.running, state.most) {
            (0, 0) if state.waits => "not started".to_owned(),
            (0, 0) if state.apart => "not watched, see `Selfheal::serving`".to_owned(),
            (0, 0) => return None,
            (running, most) if running < most => state.ended(),
            _ => "runs".to_owned(),
        };
        Some(Fact::new("application server", value))
    }

    fn set_reason(&self, reason: Option<&str>) {
        let mut state = self.0.lock();
        state.reason = reason.map(str::to_owned);
        if reason.is_none() {
            state.waits = false;
        }
    }
}

impl State {
    fn ended(&self) -> String {
        match self.most {
            1 => "the server has ended".to_owned(),
            most => format!("{} of {most} servers have ended", most - self.running),
        }
    }
}

/// A running server; dropping it ends it.
struct Running(Arc<Health>);

impl Running {
    fn new(health: &Arc<Health>) -> Self {
        let mut state = health.application.0.lock();
        state.waits = false;
        state.running += 1;
        state.most = state.most.max(state.running);
        Self(Arc::clone(health))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.application.0.lock().running -= 1;
    }
}

impl Selfheal {
    /// Runs a server of the application: the service is ready from the first poll on, and once the
    /// server has ended for any reason, `/readyz` answers 503 and reports it. Returns the output of
    /// the server.
    ///
    /// With [`Service::wait_until_serving`](crate::config::Service::wait_until_serving) the service
    /// is not ready before. Without it, a service whose endpoints have their own
    /// [listener](Self::listen) is ready once that listens, possibly before the application does.
    ///
    /// Wrap each of several servers: the service is not ready while fewer run than before. A
    /// restarted server, as by [`supervise`](Self::supervise), makes it ready again. For a server
    /// that is not a future, call [`set_not_ready`](Self::set_not_ready) with `None` when it serves
    /// and with a reason when it has ended.
    ///
    /// Dropping the future drops the server, which then counts as ended.
    ///
    /// ```no_run
    /// # async fn main_of_the_shop() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, routing::get};
    /// use selfheal::config::{Config, Service};
    ///
    /// let heal = selfheal::install(
    ///     Config::new().service(Service::new("shop").wait_until_serving(true)),
    /// )?;
    /// let _endpoints = heal.listen()?; // 127.0.0.1:9898; `/readyz` is 503
    /// let app: Router = Router::new().route("/", get(|| async { "the shop" }));
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// heal.serving(axum::serve(listener, app)).await?; // 200, as long as this runs
    /// # Ok(())
    /// # }
    /// ```
    pub async fn serving<S: IntoFuture>(&self, server: S) -> S::Output {
        let _running = Running::new(&self.inner.health);
        server.into_future().await
    }

    /// Sets the reason for which the service is not ready, so that `/readyz` answers 503; `None`
    /// removes it and ends the wait of
    /// [`Service::wait_until_serving`](crate::config::Service::wait_until_serving). Default: none.
    /// Healing, shutdown and [`serving`](Self::serving) can still make the service not ready.
    pub fn set_not_ready(&self, reason: Option<&str>) {
        self.inner.health.application.set_reason(reason);
    }
}
