//! The query API over the history, and the receiver of Alertmanager deliveries.

use std::error::Error;
use std::sync::{Arc, Weak};

use super::recent::Recent;
use crate::handle::{Inner, Selfheal};
use crate::promql::{Queryable, Selection, Sink};
use crate::rules::{DeliveredAlert, Delivery, GroupStatus};
use crate::server::{AlertReceiver, QuerySource};

/// In milliseconds: a wall clock that differs less from the samples' time is used unadjusted.
const SLACK: i64 = 1_000;

/// Answers queries while the handle exists.
struct Queries(Weak<Inner>);

impl Selfheal {
    /// Returns the source of the query API.
    pub(in crate::handle) fn queries(&self) -> impl QuerySource + use<> {
        Queries(Arc::downgrade(&self.inner))
    }

    /// Returns the receiver of Alertmanager deliveries.
    pub(in crate::handle) fn receiver(&self) -> impl AlertReceiver + use<> {
        Receiver(Arc::downgrade(&self.inner))
    }
}

impl Queries {
    /// The history, started by the first query.
    fn recent(&self) -> Result<Arc<Recent>, Box<dyn Error + Send + Sync>> {
        let inner = self.0.upgrade().ok_or("the handle is gone")?;
        // The runtime of the endpoints is not one to start healing on.
        if inner.healing.running().is_none() {
            return Err("healing does not run, which keeps the history".into());
        }
        Ok(Selfheal { inner }.recent()?)
    }
}

impl Queryable for Queries {
    fn select(
        &self,
        selection: &Selection,
        sink: Sink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let recent = self.recent()?;
        if let Some(name) = selection.metric_name() {
            recent.note_name(name);
        }
        // Clients use the wall clock, which may have been set meanwhile.
        let skew = Some(recent.skew()).filter(|skew| skew.abs() >= SLACK);
        let skew = skew.unwrap_or_default();
        let mut asked = selection.clone();
        asked.after = asked.after.saturating_sub(skew);
        asked.until = asked.until.saturating_sub(skew);
        let source = recent.source();
        recent
            .series()
            .beside(&*source)
            .select(&asked, &mut |mut series| {
                for sample in &mut series.samples {
                    sample.time = sample.time.saturating_add(skew);
                }
                sink(series)
            })
    }
}

impl QuerySource for Queries {
    fn groups(&self) -> Arc<[GroupStatus]> {
        let recent = self.recent();
        recent.map_or_else(|_| Arc::default(), |recent| recent.status())
    }
}

/// Accepts deliveries while the handle exists.
struct Receiver(Weak<Inner>);

impl AlertReceiver for Receiver {
    fn receive(&self, alerts: Vec<DeliveredAlert>) -> Result<Vec<Delivery>, String> {
        let inner = self.0.upgrade().ok_or("the handle is gone")?;
        let received = inner.received.0.lock().clone();
        let received = received.filter(|received| !received.healing().has_ended());
        let received = received.ok_or("no alerts are accepted here; call `heal.alertmanager()`")?;
        Ok(received.take(alerts))
    }
}
