//! The head of a request, through a proxy or not.

use axum::Router;
use axum::routing::get;
use selfheal::http::{HttpLayer, HttpLayerBuilder, HttpNames, Scheme};
use selfheal::registry::Registry;

use crate::wire::{Server, counted, lines, request, request2};

async fn server(set_up: impl FnOnce(HttpLayerBuilder) -> HttpLayerBuilder) -> Server {
    let registry = Registry::new();
    let layer = set_up(HttpLayer::builder(&registry)).build().unwrap();
    let routes = Router::new().route("/", get(|| async { "hello" }));
    Server::serve(registry, routes.layer(layer)).await
}

/// The scheme under which a request with this header is recorded.
async fn scheme(scheme: Scheme, header: &str, value: &str) -> String {
    let server = server(|layer| layer.names([HttpNames::OpenTelemetry]).scheme(scheme)).await;
    let asked = format!(
        "GET / HTTP/1.1\r\nhost: shop.test\r\n{header}: {value}\r\nconnection: close\r\n\r\n"
    );
    assert!(server.say(asked).await.ends_with("hello"));
    let all = lines(&server.registry);
    let active = "http_server_active_requests{GET ";
    let line = all.iter().find_map(|line| line.strip_prefix(active));
    line.unwrap().trim_end_matches("} 0").to_owned()
}

#[tokio::test]
async fn the_scheme_that_a_trusted_proxy_names() {
    let x = "X-Forwarded-Proto";
    for (trusted, header, value, recorded) in [
        (Scheme::default(), x, "https", "http"),
        (Scheme::default(), "Forwarded", "proto=https", "http"),
        (Scheme::XForwardedProto, x, "https", "https"),
        (Scheme::XForwardedProto, x, "gopher", "http"),
        (Scheme::XForwardedProto, "Forwarded", "proto=https", "http"),
        (Scheme::Forwarded, "Forwarded", "proto=https", "https"),
        (Scheme::Forwarded, "Forwarded", "\"", "http"),
        (Scheme::Forwarded, x, "https", "http"),
        (Scheme::Https, x, "http", "https"),
    ] {
        assert_eq!(scheme(trusted, header, value).await, recorded, "{value}");
    }
}

/// In HTTP/2 every request has a scheme, and a proxy may forward another.
#[tokio::test]
async fn the_scheme_of_a_request_in_http2() {
    let set_up = |layer: HttpLayerBuilder| {
        let layer = layer.names([HttpNames::OpenTelemetry]);
        layer.scheme(Scheme::XForwardedProto)
    };
    let server = server(set_up).await;
    let mut client = server.client2().await;
    let mut forwarded = request2("/");
    let https = "https".parse().unwrap();
    forwarded.headers_mut().insert("x-forwarded-proto", https);
    client.send_request(forwarded).await.unwrap();
    client.send_request(request2("/")).await.unwrap();
    let lines = lines(&server.registry);
    for scheme in ["http", "https"] {
        let line = format!("http_server_request_duration_seconds{{GET {scheme} / 200  2}} 1");
        assert!(lines.contains(&line), "{lines:#?}");
    }
}

#[tokio::test]
async fn labels_from_anything_of_the_head_have_declared_values_only() {
    let server = server(|layer| {
        layer
            .request_label_by("client", ["web", "ios"], |head| {
                head.headers.get("x-client")?.to_str().ok()
            })
            .request_label_by("query", ["yes"], |head| head.uri.query().map(|_| "yes"))
            .request_label("kind", ["a"], |_| Some("a"))
    })
    .await;
    let ask = async |path: &str, client: Option<&[u8]>| {
        let mut asked = request("GET", path);
        if let Some(client) = client {
            let client = client.try_into().unwrap();
            asked.headers_mut().insert("x-client", client);
        }
        let mut connection = server.client().await;
        connection.send_request(asked).await.unwrap();
    };
    ask("/", None).await;
    ask("/", Some(b"web")).await;
    ask("/?x=1", Some(b"ios")).await;
    ask("/", Some(b"\xff is no text")).await;
    for n in 0..50 {
        ask("/", Some(format!("made up {n}").as_bytes())).await;
    }
    let expected = [
        ("GET / 200   a", 2),
        ("GET / 200 web  a", 1),
        ("GET / 200 ios yes a", 1),
        ("GET / 200 other  a", 50),
    ];
    let expected = expected.map(|(labels, n)| (labels.to_owned(), n));
    assert_eq!(counted(&server.registry), expected.into());
}
