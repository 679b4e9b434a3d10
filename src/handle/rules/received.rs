//! The alerts that an Alertmanager delivers.

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
use crate::util::Clock;

/// What it is called in the journal.
const NAME: &str = "alertmanager";

/// The alerts that were delivered to one handle.
pub(in crate::handle) struct Received {
    healing: Healing,
    clock: Clock,
    deliveries: Mutex<Deliveries>,
    pub(super) watchers: Watchers,
    /// None where the application has another metric by that name.
    counted: Option<Arc<DeliveryMetrics>>,
}

/// Nothing is taken in before something asks for it.
#[derive(Default)]
pub(in crate::handle) struct Lazy(pub(super) Mutex<Option<Arc<Received>>>);

impl Selfheal {
    /// Takes in the alerts that an Alertmanager delivers from now on: a receiver of its
    /// configuration with the URL of the page and `api/alertmanager` behind it,
    /// `http://127.0.0.1:9898/api/alertmanager`.
    ///
    /// It is for alerts on what this process cannot see: the whole fleet, other services. Alerts
    /// on its own series are raised [here](Self::rules) sooner.
    ///
    /// Deliveries are followed from callers with credentials alone
    /// ([`Server::bearer_token`](crate::config::Server::bearer_token)), as they make the process
    /// act. A delivery that comes twice, or late, is recognised and changes nothing, also after a
    /// restart.
    ///
    /// An alert that fires and has no [action](Alertmanager::on) is an issue that is reported and
    /// left to a person, as one of a rule file is.
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
        super::recent::unix_millis(&self.clock)
    }

    pub(super) fn healing(&self) -> &Healing {
        &self.healing
    }

    /// The alerts that fire.
    pub(super) fn firing(&self) -> Vec<RuleAlert> {
        self.deliveries.lock().firing(self.now())
    }

    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "the endpoints call it")
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
            // A journal that takes it no more, as at the end of healing, has what it had before.
            let _ = self.healing.remember(NAME, kept);
        }
        let changed = |one: &Delivery| matches!(one, Delivery::Firing | Delivery::Resolved);
        if became.iter().any(changed) {
            self.watchers.hint();
        }
        became
    }
}

/// The alerts of an Alertmanager; see [`Selfheal::alertmanager`]. Cloning is cheap; dropping it
/// changes nothing.
#[derive(Clone)]
pub struct Alertmanager {
    heal: Selfheal,
    received: Arc<Received>,
}

impl Alertmanager {
    /// Starts to set up what is done about an alert: its name, or a selector with matchers of its
    /// labels, `ZoneUnreachable{severity="page"}`.
    ///
    /// It counts as healed when the Alertmanager delivers that it is over, which takes up to the
    /// `group_interval` of its route, and a verification waits 3 × 10 s by default: set longer ones
    /// ([`HealingPolicy::verify`](crate::config::HealingPolicy::verify)), or
    /// [verify](crate::AlertRule::verify) by another signal.
    #[must_use = "nothing is done before `install`"]
    pub fn on(&self, alert: &str) -> OnAlert {
        let live = Live::Received(Arc::clone(&self.received));
        OnAlert::new(self.heal.clone(), live, alert)
    }

    /// The alerts that fire, in the order of their fingerprints.
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
