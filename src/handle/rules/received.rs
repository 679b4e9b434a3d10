//! Alerts delivered by an Alertmanager.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::metrics::DeliveryMetrics;
use super::source::{Live, Watchers};
use super::unwired::Unwired;
use super::{OnAlert, RulesError};
use crate::handle::Selfheal;
use crate::healing::{Healing, SuperviseError};
use crate::rules::{DeliveredAlert, Deliveries, Delivery, RuleAlert};
use crate::util::{Clock, unix_millis};

/// The key of the record in the journal.
const NAME: &str = "alertmanager";

/// The alerts delivered to one handle.
pub(in crate::handle) struct Received {
    healing: Healing,
    clock: Clock,
    deliveries: Mutex<Deliveries>,
    pub(super) watchers: Watchers,
    /// `None` if the application has another metric of that name.
    counted: Option<Arc<DeliveryMetrics>>,
}

/// Created on first use; deliveries before are not accepted.
#[derive(Default)]
pub(in crate::handle) struct Lazy(pub(super) Mutex<Option<Arc<Received>>>);

#[cfg_attr(docsrs, doc(cfg(feature = "rules")))]
impl Selfheal {
    /// Starts accepting the alerts that an Alertmanager delivers. Its configuration needs a
    /// receiver with the URL of the page followed by `api/alertmanager`,
    /// `http://127.0.0.1:9898/api/alertmanager`.
    ///
    /// Use it for alerts that this process cannot evaluate: on the whole fleet or other services.
    /// Alerts on its own series are raised sooner by [`rules`](Self::rules).
    ///
    /// Since they trigger actions, deliveries are accepted only with credentials
    /// ([`Server::bearer_token`](crate::config::Server::bearer_token)). A repeated or late delivery
    /// is recognised and changes nothing, also after a restart.
    ///
    /// A firing alert without an [action](Alertmanager::on) becomes an issue that is only reported,
    /// as for a rule file.
    ///
    /// ```no_run
    /// # use selfheal::{Selfheal, Config};
    /// # use selfheal::healing::{Context, HealError, Issue, Risk};
    /// # async fn drain(_: Context, _: Issue) -> Result<(), HealError> { Ok(()) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let heal = Selfheal::new(Config::new())?;
    /// heal.alertmanager()?
    ///     .on("ZoneUnreachable")
    ///     .run("drain", drain)
    ///     .plan(|plan| plan.risk(Risk::Reversible))
    ///     .install()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Healing cannot start here.
    pub fn alertmanager(&self) -> Result<Alertmanager, RulesError> {
        let healing = self.healing()?;
        let mut lazy = self.inner.received.0.lock();
        let known = lazy.as_ref().filter(|known| !known.healing.has_ended());
        let received = if let Some(received) = known {
            Arc::clone(received)
        } else {
            let received = self.receive(healing)?;
            *lazy = Some(Arc::clone(&received));
            received
        };
        let heal = self.clone();
        Ok(Alertmanager { heal, received })
    }

    fn receive(&self, healing: Healing) -> Result<Arc<Received>, RulesError> {
        let mut deliveries = Deliveries::default();
        if let Some(kept) = healing.remembered(NAME) {
            deliveries.restore(kept);
        }
        let received = Arc::new(Received {
            clock: self.clock().clone(),
            deliveries: Mutex::new(deliveries),
            watchers: Watchers::default(),
            counted: self.registry().group().ok(),
            healing,
        });
        let unwired = Unwired::new(&Live::Received(Arc::clone(&received)));
        let engine = received.healing.register(unwired);
        let engine = engine.map_err(SuperviseError::from)?;
        received.watchers.add(engine, None);
        Ok(received)
    }
}

impl Received {
    /// The time, in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        unix_millis(self.clock.wall())
    }

    pub(super) fn healing(&self) -> &Healing {
        &self.healing
    }

    /// The firing alerts.
    pub(super) fn firing(&self) -> Vec<RuleAlert> {
        self.deliveries.lock().firing(self.now())
    }

    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "called by the endpoints")
    )]
    pub(super) fn take(&self, alerts: Vec<DeliveredAlert>) -> Vec<Delivery> {
        let now = self.now();
        let (became, over) = {
            let mut deliveries = self.deliveries.lock();
            let became: Vec<_> = alerts
                .into_iter()
                .map(|alert| deliveries.take(alert, now))
                .collect();
            let over = became.contains(&Delivery::Resolved);
            (became, over.then(|| deliveries.kept()))
        };
        if let Some(counted) = &self.counted {
            counted.count(&became);
        }
        if let Some(kept) = over {
            // A closed journal, as at shutdown, keeps its previous state.
            let _ = self.healing.remember(NAME, kept);
        }
        let changed = |one: &Delivery| matches!(one, Delivery::Firing | Delivery::Resolved);
        if became.iter().any(changed) {
            self.watchers.hint();
        }
        became
    }
}

/// The alerts of an Alertmanager; see [`Selfheal::alertmanager`]. Clones are cheap; dropping it
/// changes nothing.
#[derive(Clone)]
pub struct Alertmanager {
    heal: Selfheal,
    received: Arc<Received>,
}

impl Alertmanager {
    /// Starts building an action for an alert, given by name or by a selector with label matchers,
    /// `ZoneUnreachable{severity="page"}`.
    ///
    /// It counts as healed when the Alertmanager delivers it as resolved, which takes up to the
    /// `group_interval` of its route, while verification waits 3 × 10 s by default: set longer ones
    /// ([`HealingPolicy::verify`](crate::config::HealingPolicy::verify)), or
    /// [verify](crate::AlertRule::verify) by another signal.
    #[must_use = "nothing is done before `install`"]
    pub fn on(&self, alert: &str) -> OnAlert {
        let live = Live::Received(Arc::clone(&self.received));
        OnAlert::new(self.heal.clone(), live, alert)
    }

    /// The firing alerts, ordered by fingerprint.
    #[must_use]
    pub fn alerts(&self) -> Vec<RuleAlert> {
        self.received.firing()
    }
}

impl fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alertmanager").finish_non_exhaustive()
    }
}
