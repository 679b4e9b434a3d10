//! Paths of the endpoints that are in each other's way.

use selfheal::config::Config;

use super::reported;

#[test]
fn the_metrics_are_not_where_the_page_has_something() {
    for (text, path) in [
        ("metrics.path = '/events'", "/events"),
        ("metrics.path = '/federate'", "/federate"),
        ("metrics.path = '/page.css'", "/page.css"),
        ("metrics.path = '/api/status'", "/api/status"),
        ("metrics.path = '/selfheal/events'", "/selfheal/events"),
        (
            "metrics.path = '/ops/federate'\nserver.page_path = '/ops'",
            "/ops/federate",
        ),
    ] {
        let expected = format!(
            "metrics.path (line 1): `{path}` is the path of another endpoint; \
             choose another, such as `/metrics`"
        );
        assert_eq!(reported(Config::from_toml_str(text)), [expected]);
    }
    for text in [
        "metrics.path = '/selfheal/metrics'",
        "metrics.path = '/eventsource'",
        "metrics.path = '/ops/events'",
    ] {
        Config::from_toml_str(text).unwrap();
    }
}

/// The settings that the README shows for the listener, with files that are there.
#[test]
fn the_listener_of_the_readme_is_a_configuration() {
    let readme = include_str!("../../README.md");
    let block = readme.split("```toml\n[server]\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("scrape");
    std::fs::write(&token, "t0ken\n").unwrap();
    let block = block.replace("/run/secrets/scrape", token.to_str().unwrap());
    let config = Config::from_toml_str(&format!("[server]\n{block}")).unwrap();
    let server = config.server;
    assert_eq!(server.siblings.len(), 2);
    assert!(server.control && server.tls.is_some() && server.allow_non_loopback);
}
