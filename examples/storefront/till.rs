//! The till, which jams: an incident that the alerts of the generated stack know, and of
//! which the Alertmanager of the fleet notifies the shop.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use selfheal::Selfheal;
use selfheal::groups::Incident;
use selfheal::healing::{Context, HealError, Issue, Risk};

/// The alert that is generated for critical incidents (`heal.write_assets`).
const ALERT: &str = "CriticalIncident";

/// Where orders are paid.
#[derive(Default)]
pub(crate) struct Till {
    /// The incident that is open while it is jammed.
    jammed: Mutex<Option<Incident>>,
}

impl Till {
    /// Jams it: a critical incident.
    pub(crate) fn jam(&self) {
        self.with(|jammed| {
            jammed.get_or_insert_with(|| Incident::start("critical"));
        });
        println!("chaos: the till is jammed");
    }

    pub(crate) fn is_jammed(&self) -> bool {
        self.with(|jammed| jammed.is_some())
    }

    /// Frees it. Done twice, it changes nothing the second time.
    fn free(&self) {
        if let Some(incident) = self.with(Option::take) {
            incident.success();
            println!("shop: the till is free");
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Option<Incident>) -> T) -> T {
        work(&mut self.jammed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Frees the till when an Alertmanager delivers the alert. Whether that has helped is decided by its
/// next delivery: that the alert is over.
pub(crate) fn heal_by_alertmanager(
    heal: &Selfheal,
    till: &Arc<Till>,
) -> Result<(), Box<dyn Error>> {
    let till = Arc::clone(till);
    heal.alertmanager()?
        .on(ALERT)
        .component("till")
        .run("free_till", move |_: Context, _: Issue| {
            till.free();
            async { Ok::<(), HealError>(()) }
        })
        .plan(|plan| plan.risk(Risk::Reversible))
        .install()?;
    Ok(())
}
