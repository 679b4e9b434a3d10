//! Whether the application is ready for traffic, as it says itself.

use std::future::IntoFuture;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Selfheal;
use super::health::Health;
use crate::health::{Check, Fact};

/// The part of the application in the readiness of the service.
///
/// | state | `/readyz` |
/// |---|---|
/// | no server was handed over | 503 where `service.wait_until_serving` is set, else 200 |
/// | all run that ever ran at once | 200 |
/// | fewer run | 503 |
///
/// Whatever the state, a reason of [`Selfheal::set_not_ready`] is 503.
pub(super) struct Application(Mutex<State>);

struct State {
    /// Whether it is not ready before it has said that it is.
    waits: bool,
    /// Whether the endpoints have a listener of their own, which answers without the application.
    apart: bool,
    reason: Option<String>,
    /// How many of its servers run.
    running: usize,
    /// The most that ran at once.
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

    /// The endpoints have a listener of their own.
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
                "the application does not serve yet: `service.wait_until_serving` is set, and \
                 `Selfheal::serving` was not called",
            )
        } else if state.running < state.most {
            Check::failed(format!("of the application, {}", state.ended()))
        } else {
            Check::passed()
        }
    }

    /// What the report says of its servers.
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

/// A server that runs, until this is dropped.
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
    /// Runs a server of the application: from the first poll on the service is ready, and once
    /// the server has ended, in whatever way, `/readyz` is 503 and says so. The output is that of
    /// the server.
    ///
    /// With [`Service::wait_until_serving`](crate::config::Service::wait_until_serving) the service
    /// is not ready before. Without it, a service whose endpoints have a
    /// [listener](Self::listen) of their own is ready as soon as that listens, which is earlier
    /// than the application does.
    ///
    /// An application with several servers hands over each: it is not ready while fewer run than
    /// ran before. One that is started again, as by [`supervise`](Self::supervise), is ready
    /// again. A server that is no future says by [`set_not_ready`](Self::set_not_ready) when it
    /// serves, `None`, and when it has ended.
    ///
    /// Dropping the future drops the server, which has then ended.
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

    /// Sets why the service wants no traffic, which `/readyz` then answers with 503; `None` for
    /// no reason, which also ends the wait of
    /// [`Service::wait_until_serving`](crate::config::Service::wait_until_serving). Default: no
    /// reason. The service is ready if healing, shutdown and the state of
    /// [`serving`](Self::serving) do not say otherwise either.
    pub fn set_not_ready(&self, reason: Option<&str>) {
        self.inner.health.application.set_reason(reason);
    }
}
