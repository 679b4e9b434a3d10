//! A real Prometheus server reads the same registry in every format and stores the same.

use selfheal::catalog::Native;
use selfheal::encode::{Encoding, Format, encode};
use selfheal::registry::{Registry, Text};

use crate::model::Model;
use crate::support::canned::Canned;
use crate::support::prometheus::Prometheus;

/// A few of each kind, with texts and numbers that formats write differently.
fn registry() -> Registry {
    let texts = ["", "plain", "a\\b\"c\nd", "Köln \u{1F980}", "{},= \t\r#"];
    let pair = |n: usize| (texts[n].to_owned(), texts[(n + 1) % texts.len()].to_owned());
    let numbers = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.5e-300,
        123_456_789.25,
    ];
    Model {
        help: "Help with \\ and \"quotes\"\nand lines".to_owned(),
        counters: (0..5).map(|n| (pair(n), 1_u64 << (10 * n))).collect(),
        gauges: (0..5).map(|n| (pair(n), numbers[n])).collect(),
        histograms: (0..5).map(|n| (pair(n), vec![0.1; n])).collect(),
        summaries: (0..5)
            .map(|n| (pair(n), (0.5, 0.75, 100.25, n as u64)))
            .collect(),
        unknown: (0..5).map(|n| (pair(n), numbers[4 - n])).collect(),
    }
    .registry()
}

fn served(registry: &Registry, format: Format, encoding: Encoding) -> Canned {
    let mut body = Vec::new();
    encode(&registry.scrape(), format, encoding, &mut body).unwrap();
    canned(&body, format, encoding)
}

fn canned(body: &[u8], format: Format, encoding: Encoding) -> Canned {
    let encoded = encoding
        .content_encoding()
        .map_or(String::new(), |encoding| {
            format!("content-encoding: {encoding}\r\n")
        });
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {}\r\n{encoded}content-length: {}\r\nconnection: close\r\n\r\n",
        format.content_type(),
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(body);
    Canned::new(answer)
}

/// Every series of a job but those that Prometheus adds, with its value, in an order of their own.
fn stored(server: &Prometheus, job: &str) -> Vec<String> {
    let names = "latency|level|orders|pause|zeta";
    let data = server.query(&format!("{{job=\"{job}\",__name__=~\"({names}).*\"}}"));
    let mut series: Vec<String> = data["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| {
            let mut labels = series["metric"].clone();
            for added in ["job", "instance"] {
                labels.as_object_mut().unwrap().remove(added);
            }
            // OpenMetrics requires a `.0`, the other formats have none, and this server keeps
            // bounds as sent.
            let labels = labels.to_string().replace(r#""le":"1.0""#, r#""le":"1""#);
            format!("{labels} {}", series["value"][1])
        })
        .collect();
    series.sort();
    series
}

#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn the_same_series_by_every_format() {
    let registry = registry();
    let ways = [
        ("text", Format::TEXT, Encoding::Identity),
        ("openmetrics", Format::OPEN_METRICS, Encoding::Identity),
        ("protobuf", Format::PROTOBUF, Encoding::Identity),
        #[cfg(feature = "gzip")]
        ("gzip", Format::TEXT, Encoding::Gzip),
    ];
    let mut builder = Prometheus::builder().native_histograms().exemplars();
    let mut servers = Vec::new();
    for (job, format, encoding) in ways {
        let server = served(&registry, format, encoding);
        builder = builder.job(job, server.address);
        servers.push(server);
    }
    let prometheus = builder.start();
    for (job, ..) in ways {
        prometheus.wait_until_up(job);
    }
    let text = stored(&prometheus, "text");
    // 5 counters, gauges and unknown; histograms of 5 buckets, summaries of 2 quantiles, each
    // with sum and count.
    assert_eq!(text.len(), 15 + 5 * 7 + 5 * 4, "{text:#?}");
    for (job, ..) in ways {
        assert_eq!(stored(&prometheus, job), text, "{job}");
    }
    let counter = "orders_total{job=\"text\",a=\"a\\\\b\\\"c\\nd\"}";
    assert_eq!(prometheus.value(counter), Some(f64::from(1 << 20)));
}

/// A family that is longer than a chunk, one that was whole when it was sent and one of which
/// series went meanwhile, so that a part of its message is filling.
#[test]
#[ignore = "needs a Prometheus server, which tests/all.sh brings"]
fn families_of_many_chunks_by_protobuf() {
    let registry = Registry::new();
    let family = |name: &'static str| {
        let family = registry.histogram(name, "").native(Native::default());
        family.labels::<[Text; 1]>(["n"]).unwrap()
    };
    let (whole, part) = (family("part_a_seconds"), family("part_b_seconds"));
    for n in 0..5_000 {
        whole.observe(&[n.to_string()], 1.0);
        part.observe(&[n.to_string()], 1.0);
    }
    let mut page = Vec::new();
    let name = b"part_b_seconds";
    let writer = Watched(&mut page, |bytes: &[u8]| {
        // Its message has started.
        if bytes.windows(name.len()).any(|part| part == name) {
            (2_000..5_000).for_each(|n| {
                part.remove(&[n.to_string()]);
            });
        }
    });
    encode(
        &registry.scrape(),
        Format::PROTOBUF,
        Encoding::Identity,
        writer,
    )
    .unwrap();
    let server = canned(&page, Format::PROTOBUF, Encoding::Identity);
    let builder = Prometheus::builder().native_histograms();
    let prometheus = builder.job("protobuf", server.address).start();
    prometheus.wait_until_up("protobuf");
    // Native buckets only, unless classic ones are requested.
    assert_eq!(prometheus.value("count(part_a_seconds)"), Some(5_000.0));
    let part = prometheus.value("count(part_b_seconds)").unwrap();
    assert!((2_000.0..5_000.0).contains(&part), "{part}");
}

/// Shows each part of a page before it is kept.
struct Watched<'a, F>(&'a mut Vec<u8>, F);

impl<F: FnMut(&[u8])> std::io::Write for Watched<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1(bytes);
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
