//! All faults are refused at once, before anything is written.

use selfheal::assets::AssetsError;
use selfheal::config::{Assets, ConfigError, Objective};
use selfheal::{Config, Selfheal};

use super::shop;

#[test]
fn every_fault_of_the_section_is_said_with_its_path() {
    let text = "
namespace = '1st'
[assets]
scrape_interval = '1m'
window = '90s'
targets = ['localhost']
webhook = 'localhost:9898'
retention_size = 'much'
email = 'ops@example.org'
kubernetes_namespace = 'My Stack'
[assets.objective.a]
percent = 100.1
[assets.objective.b]
percent = 100
seconds = -1
";
    let Err(ConfigError::Invalid(faults)) = Config::from_toml_str(text) else {
        panic!("nothing of it is right");
    };
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    for part in [
        "namespace (line 2): `1st` cannot start a metric's name",
        "assets.window (line 5): 90s is shorter than two scrape intervals of 1m; a rate needs two samples",
        "assets.targets[0] (line 6): `localhost` does not have this form; write it as `host:port`",
        "assets.webhook (line 7): `localhost:9898` does not have this form; write it as `https://host/path`",
        "assets.retention_size (line 8): `much` does not have this form; write it as `50GB`",
        "assets.smarthost (line 3): there is an e-mail address but no mail server",
        "assets.kubernetes_namespace (line 10): `My Stack` does not have this form",
        "assets.objective.a.percent (line 12): 100.1 is not above 0 and below 100; give a share such as 99.9",
        "assets.objective.b.percent (line 14): 100 is not above 0 and below 100",
        "assets.objective.b.seconds (line 15): -1 is not a time in seconds",
    ] {
        assert!(
            said.iter().any(|fault| fault.starts_with(part)),
            "{part} in {said:#?}"
        );
    }
    assert_eq!(said.len(), 10, "{said:#?}");
}

#[test]
fn an_objective_needs_a_bucket_that_ends_there_and_labels_that_there_are() {
    let assets = Assets::new()
        .objective("fast", Objective::new(99.0).seconds(0.2))
        .objective("orders", Objective::new(99.0).selector("route=\"/orders\""))
        .objective("whole", Objective::new(99.0).selector("path=\"/orders\""))
        .objective("broken", Objective::new(99.0).selector("path="));
    let heal = Selfheal::new(shop().assets(assets)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let Err(AssetsError::Invalid(faults)) = heal.write_assets(folder.path()) else {
        panic!("three of the four are wrong");
    };
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(
        said[0].starts_with("assets.objective.broken.selector: "),
        "{said:#?}"
    );
    assert_eq!(
        said[1],
        "assets.objective.fast.seconds: 0.2 is not a bucket bound of `http_request_duration_seconds`; \
         give one of 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, or add it to `http.buckets`"
    );
    assert_eq!(
        said[2],
        "assets.objective.orders.selector: `shop_http_requests_total` has no label `route`; \
         name labels of the metric, or leave it out"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is written"
    );
}
