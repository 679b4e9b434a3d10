//! The storefront with the monitoring stack that it wrote itself, and a real Prometheus with that
//! configuration.

use std::path::Path;

use tempfile::TempDir;

use super::support::child::{Example, command};
use super::support::prometheus::Prometheus;

/// The name of the service in the configuration, and of its job.
pub(super) const JOB: &str = "storefront";
/// The token of the scrapes and of the webhook.
const TOKEN: &str = "open-sesame";

/// A storefront, and the folder with its stack.
pub(super) struct Served {
    pub(super) shop: Example,
    folder: TempDir,
}

impl Served {
    /// Starts one that is scraped every second, whose windows are short.
    pub(super) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().display().to_string();
        let mut arguments = vec!["--listen", "127.0.0.1:0", "--assets", &out];
        arguments.extend(flags);
        let mut command = command("storefront", &arguments);
        command
            .env("SELFHEAL_SERVER__BEARER_TOKEN", TOKEN)
            .env("SELFHEAL_ASSETS__SCRAPE_INTERVAL", "1s")
            .env("SELFHEAL_ASSETS__WINDOW", "10s");
        let shop = Example::listening(&mut command);
        let served = Self { shop, folder };
        // The secrets that the generated files name.
        for (path, secret) in [
            ("prometheus/secrets/scrape-token", TOKEN),
            ("alertmanager/secrets/webhook-token", TOKEN),
        ] {
            let path = served.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, secret).unwrap();
        }
        served
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts what only the test knows in the place of what a container has.
    pub(super) fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.path().join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in\n{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// A Prometheus with the generated configuration, which has scraped the storefront.
    pub(super) fn prometheus(&self) -> Prometheus {
        let server = Prometheus::with_config(&self.path().join("prometheus/prometheus.yml"));
        server.wait_until_up(JOB);
        server
    }
}
