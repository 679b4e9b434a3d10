//! What the shop heals by its `alerts.yml`: the rules that its Prometheus server has, too.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use selfheal::healing::{Context, HealError, Issue, Risk};
use selfheal::rules::AlertState;
use selfheal::{Rules, Selfheal};

use crate::supplier::Suppliers;

/// The rules, which are written into the shop's folder as its catalogue is.
pub(crate) const ALERTS_YML: &str = include_str!("alerts.yml");

/// The alert by which the shop turns to its other supplier.
const UNUSABLE: &str = "SupplierUnusable";

/// When an alert that was acted on began to be pending and to fire, in milliseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct Acted {
    pub(crate) pending: i64,
    pub(crate) firing: i64,
}

/// The alerts that were acted on.
pub(crate) type ActedOn = Arc<Mutex<Vec<Acted>>>;

/// When the supplier in use fails or is too slow, the shop turns to the other one. Whether that has
/// helped is decided by the same expression, on calls of after that.
pub(crate) fn heal_by_alerts(
    heal: &Selfheal,
    file: &Path,
    suppliers: &Arc<Suppliers>,
) -> Result<ActedOn, Box<dyn Error>> {
    let rules = heal.rules(file).target("job", "shop").install()?;
    println!("{}", rules.report());
    let acted = ActedOn::default();
    let (known, noted, suppliers) = (rules.clone(), Arc::clone(&acted), Arc::clone(suppliers));
    rules
        .on(UNUSABLE)
        .component("supplier")
        .run("fail_over", move |_: Context, issue: Issue| {
            note(&known, &noted);
            // The alert's labels name it.
            let mut labels = issue.evidence.iter();
            if let Some((_, supplier)) = labels.find(|(name, _)| *name == "supplier") {
                suppliers.turn_from(supplier);
            }
            println!("shop: turned to supplier {}", suppliers.in_use().0);
            async { Ok::<(), HealError>(()) }
        })
        .plan(|plan| plan.risk(Risk::Reversible))
        .install()?;
    Ok(acted)
}

/// Remembers since when the alert that is acted on exists.
fn note(rules: &Rules, acted: &ActedOn) {
    let mut firing = rules.alerts();
    firing.retain(|alert| {
        alert.labels.get("alertname") == Some(UNUSABLE) && alert.state == AlertState::Firing
    });
    let newest = firing.iter().max_by_key(|alert| alert.active_at);
    if let Some((alert, fired_at)) = newest.and_then(|alert| Some((alert, alert.fired_at?))) {
        let mut acted = acted.lock().unwrap_or_else(PoisonError::into_inner);
        acted.push(Acted {
            pending: alert.active_at,
            firing: fired_at,
        });
    }
}
