//! The stack without containers: a service, a real Prometheus with the generated configuration and
//! rules, and a real Alertmanager with the generated routes, which delivers to the service.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use selfheal::Selfheal;
use selfheal::config::Assets;
use selfheal::groups::Incident;
use serde_json::Value;

use super::queries::quick;
use super::support::process::Process;
use super::support::prometheus::{Prometheus, listening, program};

const START: Duration = Duration::from_secs(60);
/// Room for the waits of the routes, ten seconds each, on a slow machine.
const DELIVERY: Duration = Duration::from_secs(60);

/// Hands on the body of each request; ends with the test.
fn receiver() -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/alerts", listener.local_addr().unwrap());
    let (sender, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(body(stream.unwrap())).is_err() {
                return;
            }
        }
    });
    (url, bodies)
}

fn body(stream: TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.into_inner().write_all(answer.as_bytes()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn alertmanager(config: &Path, data: &Path) -> (Process, String) {
    let process = Process::spawn(
        Command::new(program("SELFHEAL_ALERTMANAGER"))
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", data.display()))
            .args([
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
                "--log.format=logfmt",
            ]),
    );
    let address = process.wait_for_line(START, "the address it listens on", listening);
    (process, address.to_string())
}

/// Waits for a delivery about an alert that has a status.
fn delivered(bodies: &mpsc::Receiver<Value>, alert: &str, status: &str) -> Value {
    loop {
        let body = bodies.recv_timeout(DELIVERY);
        let body = body.unwrap_or_else(|_| panic!("{alert} is not delivered as {status}"));
        let alerts = body["alerts"].as_array().unwrap();
        let of = alerts
            .iter()
            .find(|of| of["labels"]["alertname"] == alert && of["status"] == status);
        if let Some(of) = of {
            return of.clone();
        }
    }
}

#[test]
#[ignore = "needs a real Prometheus and Alertmanager; run tests/all.sh assets"]
fn an_alert_goes_by_a_real_alertmanager_and_resolves_when_the_fault_is_healed() {
    let heal = Selfheal::new(quick(Assets::new())).unwrap();
    let listener = heal.listen().unwrap();
    let (webhook, bodies) = receiver();
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let assets = || {
        Assets::new()
            .webhook(webhook.clone())
            .target(listener.address().to_string())
    };
    let write = |assets| {
        Selfheal::new(quick(assets))
            .unwrap()
            .write_assets(folder.path())
            .unwrap()
    };
    write(assets());
    let routes = folder.path().join("alertmanager/alertmanager.yml");
    let (_manager, address) = alertmanager(&routes, data.path());
    write(assets().alertmanager(address));
    let server = Prometheus::with_config(&folder.path().join("prometheus/prometheus.yml"));
    server.wait_until_up("shop");

    let incident = Incident::start_in(heal.registry(), "critical");
    let alert = delivered(&bodies, "CriticalIncident", "firing");
    assert_eq!(
        alert["annotations"]["summary"],
        "1 critical incident(s) in shop"
    );
    assert_eq!(
        alert["annotations"]["runbook_url"],
        "runbooks/CriticalIncident.md"
    );
    assert_eq!(alert["labels"]["severity"], "critical");
    incident.success();
    delivered(&bodies, "CriticalIncident", "resolved");
}
