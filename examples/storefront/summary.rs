//! What was broken and healed, read from the shop's own metrics page.

use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;

use selfheal::healing::check_page;

use crate::chaos::Broken;
use crate::load::{self, Tally};

/// Prints the summary; whether all that was broken was found and healed and the books balance.
pub(crate) async fn print(address: SocketAddr, broken: &Broken, tally: &Tally) -> bool {
    let Some(page) = load::fetch(address, "/metrics").await else {
        println!("the metrics page cannot be read");
        return false;
    };
    println!(
        "\nrequests: {} sent, {} served, {} failed, {} left out",
        tally.sent.load(Relaxed),
        tally.served.load(Relaxed),
        tally.failed.load(Relaxed),
        tally.left_out.load(Relaxed),
    );
    println!("\n{:<10} {:>7} {:>9}", "component", "broken", "detected");
    let mut well = true;
    let parts = [
        ("config", &broken.config),
        ("mailer", &broken.mailer),
        ("supplier", &broken.supplier),
    ];
    let mut faults = 0.0;
    for (component, count) in parts {
        let count = count.load(Relaxed) as f64;
        let label = format!("component=\"{component}\"");
        let detected = sum(&page, "shop_healing_issues_detected_total", &label);
        println!("{component:<10} {count:>7} {detected:>9}");
        faults += count;
        well &= detected >= count;
    }
    let closed = |outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        sum(&page, "shop_healing_issues_closed_total", &label)
    };
    let (healed, resolved) = (closed("healed"), closed("self_resolved"));
    let open = sum(&page, "shop_healing_issues_open", "");
    println!(
        "\nhealed {healed}, self-resolved {resolved}, exhausted {}, still open {open}",
        closed("exhausted")
    );
    well &= healed + resolved >= faults && open == 0.0;
    match check_page(&page, "shop") {
        Ok(()) => println!("the books balance: observations, issues and attempts add up"),
        Err(faults) => {
            well = false;
            for fault in faults {
                println!("the books do not balance: {fault}");
            }
        }
    }
    well
}

/// The sum of the series of `name` whose labels contain `label`.
fn sum(page: &str, name: &str, label: &str) -> f64 {
    page.lines()
        .filter(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['{', ' ']))
                && line.contains(label)
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
