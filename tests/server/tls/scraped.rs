//! A real Prometheus scrapes over TLS.

use std::time::Duration;

use selfheal::config::{Secret, Server};
use selfheal::{Config, Selfheal};

use super::authority::Authority;
use crate::ANY;
use crate::support::eventually;
use crate::support::prometheus::Prometheus;

/// An application that asks for a password, and one that asks for a certificate; beside each, a
/// scraper that does not have it.
#[test]
#[ignore = "needs a real Prometheus server: run `tests/all.sh prometheus`"]
fn a_real_prometheus_scrapes_with_a_password_and_with_a_certificate() {
    let authority = Authority::new();
    let server = Server::new().listen(ANY);
    let password = server
        .clone()
        .tls(authority.server())
        .basic_auth("prometheus", Secret::new("correct horse"));
    let certificate = server.tls(authority.server().client_ca(authority.path("ca.pem")));
    let applications = [password, certificate].map(|server| {
        let heal = Selfheal::new(Config::new().server(server)).unwrap();
        let orders = heal.registry().counter("orders_total", "Orders");
        orders.build().unwrap().add(3);
        let listener = heal.listen().unwrap();
        (heal, listener)
    });
    let file = |name| authority.path(name).display().to_string();
    let alone = format!("tls_config: {{ca_file: '{}'}}", file("ca.pem"));
    let with_certificate = format!(
        "tls_config: {{ca_file: '{}', cert_file: '{}', key_file: '{}'}}",
        file("ca.pem"),
        file("client.pem"),
        file("client.key"),
    );
    let auth = "basic_auth: {username: prometheus, password: 'correct horse'}";
    let [by_password, by_certificate] = [0, 1].map(|nth: usize| applications[nth].1.address());
    let prometheus = Prometheus::builder()
        .job_with("password", by_password, &["scheme: https", &alone, auth])
        .job_with("no_password", by_password, &["scheme: https", &alone])
        .job_with(
            "certificate",
            by_certificate,
            &["scheme: https", &with_certificate],
        )
        .job_with("no_certificate", by_certificate, &["scheme: https", &alone])
        .job("plain", by_certificate)
        .start();
    for job in ["password", "certificate"] {
        prometheus.wait_until_up(job);
        let orders = format!("orders_total{{job={job:?}}}");
        assert_eq!(prometheus.value(&orders), Some(3.0), "{job}");
    }
    for job in ["no_password", "no_certificate", "plain"] {
        eventually(
            Duration::from_secs(30),
            &format!("{job} is refused"),
            || match prometheus.value(&format!("up{{job={job:?}}}")) {
                Some(0.0) => Ok(()),
                other => Err(format!("{other:?}")),
            },
        );
    }
}
