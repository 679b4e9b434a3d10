//! Rules and queries of this process beside the programs of Prometheus: promtool asks the query API,
//! a server evaluates the same rules on the same service, and an Alertmanager delivers alerts.
#![cfg(all(feature = "rules", feature = "server"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod alertmanager;
mod beside_prometheus;
mod fuzzed;
mod promtool;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use selfheal::config::{HealingPolicy, Server};
use selfheal::server::Listener;
use selfheal::{Config, Selfheal};
use tokio::runtime::Runtime;

/// A process with endpoints on a free port.
struct Served {
    heal: Selfheal,
    listener: Listener,
    /// Healing runs on it. It ends last.
    _runtime: Runtime,
}

impl Served {
    fn start(change: impl FnOnce(Config) -> Config) -> Self {
        let runtime = Runtime::new().unwrap();
        let mut policy = HealingPolicy::default();
        policy.settle = Duration::from_millis(100);
        let server = Server::new().listen("127.0.0.1:0".parse().unwrap());
        let config = change(Config::new().server(server).healing(policy));
        let heal = {
            let _inside = runtime.enter();
            Selfheal::new(config).unwrap()
        };
        let listener = heal.listen().unwrap();
        Self {
            heal,
            listener,
            _runtime: runtime,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener.address())
    }
}
