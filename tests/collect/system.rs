use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use selfheal::collect::{self, Disk, MAX_MOUNTS, Network, SystemSample};
use selfheal::registry::Registry;
use selfheal::util::Clock;

use crate::number;

fn sample(used: u64) -> SystemSample {
    let mut sample = SystemSample::default();
    sample.cpu_usage_percent = Some(12.5);
    sample.memory_used_bytes = Some(used);
    sample.memory_total_bytes = Some(200);
    sample.disks = vec![Disk {
        mount: "/data \"1\"".to_owned(),
        free_bytes: 30,
        total_bytes: 40,
    }];
    sample.networks = vec![Network {
        interface: "eth0".to_owned(),
        received_bytes: 7,
        transmitted_bytes: 8,
    }];
    sample
}

#[test]
fn a_sample_is_exposed_until_the_next_is_due() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let mut used = 50;
    let mut sampler = collect::system(&registry, &clock)
        .unwrap()
        .interval(Duration::from_secs(10))
        .source(move || {
            used += 50;
            sample(used)
        });
    assert_eq!(number(&registry, "system_memory_used_bytes"), None);

    let due = sampler.refresh(clock.now());
    assert_eq!(due - clock.now(), Duration::from_secs(10));
    let mount = |name: &str| number(&registry, &format!(r#"{name}{{mount="/data \"1\""}}"#));
    let interface = |name: &str| number(&registry, &format!(r#"{name}{{interface="eth0"}}"#));
    for (figure, want) in [
        (number(&registry, "system_cpu_usage_percent"), 12.5),
        (number(&registry, "system_memory_used_bytes"), 100.0),
        (number(&registry, "system_memory_total_bytes"), 200.0),
        (number(&registry, "system_memory_percent"), 50.0),
        (
            number(&registry, "system_sample_timestamp_seconds"),
            clock.unix_seconds(),
        ),
        (mount("system_disk_free_bytes"), 30.0),
        (mount("system_disk_total_bytes"), 40.0),
        (mount("system_disk_percent"), 25.0),
        (interface("system_network_receive_bytes_total"), 7.0),
        (interface("system_network_transmit_bytes_total"), 8.0),
    ] {
        assert_eq!(figure, Some(want));
    }

    hand.advance(Duration::from_secs(9));
    assert_eq!(sampler.refresh(clock.now()), due);
    assert_eq!(number(&registry, "system_memory_used_bytes"), Some(100.0));
    hand.advance(Duration::from_secs(1));
    sampler.refresh(clock.now());
    assert_eq!(number(&registry, "system_memory_used_bytes"), Some(150.0));

    drop(sampler);
    assert_eq!(number(&registry, "system_memory_used_bytes"), None);
}

#[test]
fn a_new_sampler_takes_over_and_the_old_one_leaves_its_sample_alone() {
    let registry = Registry::new();
    let clock = Clock::system();
    let mut old = collect::system(&registry, &clock)
        .unwrap()
        .source(|| sample(1));
    let mut new = collect::system(&registry, &clock)
        .unwrap()
        .source(|| sample(2));
    old.refresh(clock.now());
    new.refresh(clock.now());
    drop(old);
    assert_eq!(number(&registry, "system_memory_used_bytes"), Some(2.0));
}

#[test]
fn too_many_mounts_are_cut_and_it_is_said() {
    let registry = Registry::new();
    let clock = Clock::system();
    let mut sampler = collect::system(&registry, &clock).unwrap().source(|| {
        let mut sample = SystemSample::default();
        sample.disks.extend((0..MAX_MOUNTS + 5).map(|n| Disk {
            mount: format!("/{n}"),
            free_bytes: 0,
            total_bytes: 0,
        }));
        sample
    });
    sampler.refresh(clock.now());
    let scrape = registry.gather();
    let free = scrape
        .iter()
        .find(|f| f.def.name == "system_disk_free_bytes");
    assert_eq!(free.unwrap().series.len(), MAX_MOUNTS);
    assert!(
        scrape.iter().all(|f| f.def.name != "system_disk_percent"),
        "a share of nothing is none"
    );
    assert_eq!(
        number(&registry, r#"selfheal_system_omitted{what="mount"}"#),
        Some(5.0)
    );
}

/// A disk that was unplugged has no figure, rather than its last one.
#[test]
fn a_disk_that_vanishes_takes_its_series_with_it() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let mut asked = 0;
    let mut sampler = collect::system(&registry, &clock)
        .unwrap()
        .interval(Duration::from_secs(10))
        .source(move || {
            asked += 1;
            let mut sample = sample(100);
            sample.disks[0].mount = "/".to_owned();
            let usb = |free_bytes, total_bytes| Disk {
                mount: "/usb".to_owned(),
                free_bytes,
                total_bytes,
            };
            match asked {
                1 => sample.disks.push(usb(1, 2)),
                // A disk without any figures.
                2 => sample.disks.push(usb(0, 0)),
                3 => {}
                _ => sample.disks.clear(),
            }
            sample
        });
    let of = |mount: &str, name: &str| number(&registry, &format!("{name}{{mount=\"{mount}\"}}"));
    for (usb, percent, root) in [
        (Some(2.0), Some(50.0), Some(40.0)),
        (Some(0.0), None, Some(40.0)),
        (None, None, Some(40.0)),
        (None, None, None),
    ] {
        sampler.refresh(clock.now());
        hand.advance(Duration::from_secs(10));
        assert_eq!(of("/usb", "system_disk_total_bytes"), usb);
        assert_eq!(of("/usb", "system_disk_percent"), percent);
        assert_eq!(of("/", "system_disk_total_bytes"), root);
    }
}

#[test]
fn a_source_that_panics_leaves_the_sample_before() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let mut calls = 0;
    let mut sampler = collect::system(&registry, &clock).unwrap().source(move || {
        calls += 1;
        assert!(calls == 1, "broken");
        sample(1)
    });
    sampler.refresh(clock.now());
    hand.advance(Duration::from_secs(3600));
    sampler.refresh(clock.now());
    assert_eq!(number(&registry, "system_memory_used_bytes"), Some(1.0));
    let age = clock.unix_seconds() - number(&registry, "system_sample_timestamp_seconds").unwrap();
    assert_eq!(age, 3600.0, "it can be seen that it is old");
}

/// A source that says when it is asked and answers when it is let.
fn slow() -> (
    impl FnMut() -> SystemSample + Send,
    Receiver<()>,
    Sender<u64>,
) {
    let (asked, was_asked) = channel();
    let (answer, answers) = channel();
    let source = move || {
        // Both ends are dropped with the test; the thread then ends by itself.
        let _ = asked.send(());
        sample(answers.recv().unwrap_or_default())
    };
    (source, was_asked, answer)
}

#[test]
fn a_source_that_hangs_does_not_hold_up_a_scrape() {
    let registry = Registry::new();
    let (source, was_asked, answer) = slow();
    let handle = collect::system(&registry, &Clock::system())
        .unwrap()
        .interval(Duration::ZERO)
        .source(source)
        .spawn()
        .unwrap();
    was_asked.recv().unwrap();
    // The source hangs from here on; a scrape that waited for it would never return.
    assert_eq!(number(&registry, "system_memory_used_bytes"), None);
    answer.send(1).unwrap();
    was_asked.recv().unwrap();
    assert_eq!(
        number(&registry, "system_memory_used_bytes"),
        Some(1.0),
        "the last sample, while the next one hangs"
    );
    // Dropping the handle does not wait for it either.
    drop(handle);
    answer.send(2).unwrap();
    assert!(
        was_asked.recv().is_err(),
        "the thread ended instead of asking again"
    );
    assert_eq!(number(&registry, "system_memory_used_bytes"), None);
}

#[test]
fn this_machine_has_plausible_figures() {
    let registry = Registry::new();
    let (clock, hand) = Clock::manual();
    let mut sampler = collect::system(&registry, &clock).unwrap();
    sampler.refresh(clock.now());
    assert_eq!(
        number(&registry, "system_cpu_usage_percent"),
        None,
        "a share of time takes two looks"
    );
    hand.advance(Duration::from_secs(5));
    sampler.refresh(clock.now());
    for name in ["system_cpu_usage_percent", "system_memory_percent"] {
        let percent = number(&registry, name).unwrap();
        assert!((0.0..=100.0).contains(&percent), "{name} {percent}");
    }
    let total = number(&registry, "system_memory_total_bytes").unwrap();
    assert!(total > f64::from(1 << 24), "{total}");
}
