//! Recognizes the variables that Kubernetes sets for each Service of a namespace ("service links").
//!
//! For a Service named `selfheal` or `selfheal-…` they have the prefix of this crate. They are
//! recognized by name and value, and are not settings:
//!
//! | variable | value |
//! |---|---|
//! | `…_SERVICE_HOST` | an IP address |
//! | `…_SERVICE_PORT`, `…_SERVICE_PORT_NAME` | a port |
//! | `…_PORT`, `…_PORT_9898_TCP` | `tcp://10.0.0.1:9898` |
//! | `…_PORT_9898_TCP_PROTO`, `…_PORT`, `…_ADDR` | `tcp`, `9898`, an IP address |

use std::net::IpAddr;

use super::env::SEPARATOR;

/// The protocols of a port in Kubernetes.
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Whether a variable is a service link; `rest` is its name without the prefix of this crate.
pub(super) fn is_service_link(rest: &str, value: &str) -> bool {
    // With two keys, the second one may have any name, such as that of a label.
    if rest.trim_start_matches('_').contains(SEPARATOR) {
        return false;
    }
    let words: Vec<&str> = rest.split('_').collect();
    match words[..] {
        [.., "SERVICE", "HOST"] => is_address(value),
        [.., "PORT", port, protocol, "ADDR"] if is_of(port, protocol) => is_address(value),
        [.., "PORT", port, protocol, "PORT"] if is_of(port, protocol) => value == port,
        [.., "PORT", port, protocol, "PROTO"] if is_of(port, protocol) => {
            value.eq_ignore_ascii_case(protocol)
        }
        [.., "PORT", port, protocol] if is_of(port, protocol) => is_url(value),
        [.., "PORT"] if is_url(value) => true,
        _ => words.windows(2).any(|pair| pair == ["SERVICE", "PORT"]) && is_port(value),
    }
}

fn is_of(port: &str, protocol: &str) -> bool {
    is_port(port) && PROTOCOLS.contains(&protocol)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Whether the text is a URL such as `tcp://10.0.0.1:9898`.
fn is_url(text: &str) -> bool {
    let known = |protocol: &str| {
        let mut protocols = PROTOCOLS.iter();
        protocols.any(|known| known.eq_ignore_ascii_case(protocol))
    };
    text.split_once("://").is_some_and(|(protocol, place)| {
        let place = place.rsplit_once(':');
        known(protocol) && place.is_some_and(|(host, port)| !host.is_empty() && is_port(port))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_services_are_known() {
        for (rest, value) in [
            ("PORT", "tcp://10.0.0.1:9898"),
            ("PORT", "tcp://[fd00::1]:9898"),
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_HOST", "fd00::1"),
            ("SERVICE_PORT", "9898"),
            ("SERVICE_PORT_HTTP", "9898"),
            ("SERVICE_PORT_HTTP_METRICS", "9898"),
            ("PORT_9898_TCP", "tcp://10.0.0.1:9898"),
            ("PORT_53_UDP", "udp://10.0.0.1:53"),
            ("PORT_9898_TCP_PROTO", "tcp"),
            ("PORT_9898_TCP_PORT", "9898"),
            ("PORT_9898_TCP_ADDR", "10.0.0.1"),
            ("SERVER_PORT", "tcp://10.0.0.1:9898"),
            ("SERVER_SERVICE_PORT", "9898"),
            // Services named `selfheal-service`, `selfheal-metrics-v2` and `selfheal--x`.
            ("SERVICE_PORT", "tcp://10.0.0.1:9898"),
            ("METRICS_V2_PORT_9898_SCTP_ADDR", "10.0.0.1"),
            ("_X_SERVICE_HOST", "10.0.0.1"),
        ] {
            assert!(is_service_link(rest, value), "{rest}={value}");
        }
    }

    #[test]
    fn settings_and_slips_are_none() {
        for (rest, value) in [
            ("PORT", "9898"),
            ("PORT", "http://10.0.0.1:9898"),
            ("SERVER_PORT", "9898"),
            ("SERVICE_HOST", "example"),
            ("SERVICE_PORT", "http"),
            ("PORT_9898_TCP_PORT", "80"),
            ("GLOBAL_LABELS__SERVICE_HOST", "10.0.0.1"),
            ("SERVICE__LABELS__DB_PORT", "tcp://10.0.0.1:5432"),
            ("SERVER__LISTEN", "10.0.0.1:9898"),
        ] {
            assert!(!is_service_link(rest, value), "{rest}={value}");
        }
    }
}
