//! The faults and heals, read from the shop's own metrics page.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::load::{self, Tally};
use crate::timeline::Broken;

/// The memory of the process, in MB, once a second.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Vec<f64>>);

impl Memory {
    /// Reads it from the shop's own page until it is dropped with its task.
    pub(crate) async fn watch(&self, address: SocketAddr) {
        loop {
            if let Some(page) = load::fetch(address, "/metrics").await {
                let bytes = sum(&page, "process_resident_memory_bytes", "");
                let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                samples.push(bytes / 1e6);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// It grows while caches, connections and histories fill, and is flat after that.
    fn print(&self) {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
        let (third, all) = (samples.len() / 3, samples.len());
        let parts = [0..third, third..2 * third, 2 * third..all];
        let [one, two, three] = parts.map(|part| samples.get(part).map_or(0.0, highest));
        let (start, end) = (samples.first(), samples.last());
        println!(
            "\nmemory: {:.1} MB at the start, {:.1} MB at the end; at most {one:.1} MB in the first \
             third of the time, {two:.1} MB in the second, {three:.1} MB in the last",
            start.copied().unwrap_or_default(),
            end.copied().unwrap_or_default(),
        );
    }
}

/// Prints the summary; whether all that was broken was found and healed and the numbers add up.
pub(crate) async fn print(
    address: SocketAddr,
    broken: &Broken,
    tally: &Tally,
    memory: &Memory,
) -> bool {
    let Some(page) = load::fetch(address, "/metrics").await else {
        println!("the metrics page cannot be read");
        return false;
    };
    tally.print();
    memory.print();
    println!(
        "\n{:<10} {:>7} {:>9} {:>7} {:>9}  by",
        "component", "broken", "detected", "healed", "attempts"
    );
    let mut well = true;
    let parts = [
        ("config", "restore"),
        ("mailer", "restart"),
        ("supplier", "fail_over"),
    ];
    let mut faults = 0.0;
    for (component, action) in parts {
        let count = broken.count(component) as f64;
        let label = format!("component=\"{component}\"");
        let detected = sum(&page, "shop_healing_issues_detected_total", &label);
        let by = format!("action=\"{action}\"");
        let healed = sum(&page, "shop_healing_success_total", &by);
        let attempts = sum(&page, "shop_healing_attempts_total", &by);
        println!("{component:<10} {count:>7} {detected:>9} {healed:>7} {attempts:>9}  {action}");
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
    well && adds_up(&page)
}

/// Whether every observation, issue and attempt on the page is counted once on either side.
fn adds_up(page: &str) -> bool {
    let sides: [(&str, &[&str], &[&str]); 3] = [
        (
            "observations",
            &["observations_total"],
            &["observation_results_total"],
        ),
        (
            "issues",
            &["issues_opened_total", "issues_restored_total"],
            &["issues_closed_total", "issues_open"],
        ),
        (
            "attempts",
            &["attempts_started_total"],
            &["attempts_finished_total", "attempts_running"],
        ),
    ];
    let all = |names: &[&str]| -> f64 {
        let each = names
            .iter()
            .map(|name| sum(page, &format!("shop_healing_{name}"), ""));
        each.sum()
    };
    let mut fine = true;
    for (what, left, right) in sides {
        let (left, right) = (all(left), all(right));
        if (left - right).abs() > 0.0 {
            fine = false;
            println!("the numbers of {what} do not add up: {left} ≠ {right}");
        }
    }
    if fine {
        println!("the numbers add up: observations, issues and attempts");
    }
    fine
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
        // Not `sum()`, which is -0 without series.
        .fold(0.0, |sum, value| sum + value)
}
