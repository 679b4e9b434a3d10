//! The metrics of the process, against this very process. One test and no other in this
//! program: what another one opened or started at the same time would be counted too.

#![cfg(target_os = "linux")]
#![allow(
    clippy::float_cmp,
    reason = "these are whole numbers, and the same one is meant"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use selfheal::collect;
use selfheal::registry::{Registry, Settings, ValueRef};
use selfheal::util::Clock;

const MEBIBYTE: usize = 1 << 20;
const SENT: usize = 200_000;

#[test]
fn figures_follow_what_the_process_does() {
    let mut settings = Settings::default();
    "shop".clone_into(&mut settings.namespace);
    // Figures are cached for a moment: each reading here comes long after the previous one.
    let (clock, hand) = Clock::manual();
    let registry = Registry::with_clock(settings, clock);
    collect::process(&registry).unwrap();
    collect::process(&registry).unwrap();
    let read = |name: &str| -> f64 {
        hand.advance(Duration::from_secs(1));
        // Standard names have no namespace.
        let scrape = registry.scrape();
        let mut families = scrape.families().iter();
        let family = families.find(|family| family.name() == name).unwrap();
        let mut found = None;
        family.each(&mut |labels, sample| match sample.value {
            ValueRef::Number(number) if labels.is_empty() => found = Some(number.as_f64()),
            other => panic!("{name}{{{labels}}} {other:?}"),
        });
        found.unwrap()
    };

    let open = read("process_open_fds");
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    assert_eq!(read("process_open_fds") - open, 1.0);
    drop(file);
    assert_eq!(read("process_open_fds"), open);
    assert!(read("process_max_fds") >= open);

    let threads = read("process_threads");
    let (stop, stopped) = channel::<()>();
    let waiting = std::thread::spawn(move || stopped.recv());
    assert_eq!(read("process_threads") - threads, 1.0);
    drop(stop);
    assert!(waiting.join().unwrap().is_err());

    let (resident, size) = (
        read("process_resident_memory_bytes"),
        read("process_virtual_memory_bytes"),
    );
    let memory = std::hint::black_box(vec![1_u8; 64 * MEBIBYTE]);
    assert!(read("process_resident_memory_bytes") - resident > 48.0 * MEBIBYTE as f64);
    assert!(read("process_virtual_memory_bytes") - size >= 64.0 * MEBIBYTE as f64);
    drop(memory);
    let most = read("process_virtual_memory_max_bytes");
    assert!(most >= size, "{most}");

    // Reading it takes CPU time itself; the number of readings is bounded.
    let cpu = read("process_cpu_seconds_total");
    let later = (0..100_000)
        .map(|_| read("process_cpu_seconds_total"))
        .inspect(|now| assert!(*now >= cpu, "a counter fell"))
        .find(|now| *now > cpu)
        .expect("CPU time passes");
    assert!(
        later - cpu < 60.0,
        "ticks taken for something else: {later}"
    );

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let start = read("process_start_time_seconds");
    let age = now.as_secs_f64() - start;
    assert!((-2.0..3600.0).contains(&age), "started {age} s ago");
    assert_eq!(
        read("process_start_time_seconds"),
        start,
        "it does not move"
    );

    let (received, transmitted) = (
        read("process_network_receive_bytes_total"),
        read("process_network_transmit_bytes_total"),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let sender = std::thread::spawn(move || client.write_all(&vec![0; SENT]));
    let mut back = Vec::new();
    server.read_to_end(&mut back).unwrap();
    sender.join().unwrap().unwrap();
    assert_eq!(back.len(), SENT);
    assert!(read("process_network_receive_bytes_total") - received >= SENT as f64);
    assert!(read("process_network_transmit_bytes_total") - transmitted >= SENT as f64);
}
