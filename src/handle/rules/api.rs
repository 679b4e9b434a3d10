//! The recent past as the query API reads it, and what an Alertmanager delivers.

use std::error::Error;
use std::sync::{Arc, Weak};

use super::recent::Recent;
use crate::handle::{Inner, Selfheal};
use crate::promql::{Queryable, Selection, Sink};
use crate::rules::{DeliveredAlert, Delivery, GroupStatus};
use crate::server::{AlertReceiver, QuerySource};

/// A wall clock that is off by less than this from the time of the samples goes at its own pace.
const SLACK: i64 = 1_000;

/// Answers for a handle as long as there is one.
struct Queries(Weak<Inner>);

impl Selfheal {
    /// What answers the query API.
    pub(in crate::handle) fn queries(&self) -> impl QuerySource + use<> {
        Queries(Arc::downgrade(&self.inner))
    }

    /// What takes the deliveries of an Alertmanager in.
    pub(in crate::handle) fn receiver(&self) -> impl AlertReceiver + use<> {
        Receiver(Arc::downgrade(&self.inner))
    }
}

impl Queries {
    /// The recent past, kept from the first query on.
    fn recent(&self) -> Result<Arc<Recent>, Box<dyn Error + Send + Sync>> {
        let inner = self.0.upgrade().ok_or("the handle is gone")?;
        // A run-time of the endpoints is none to begin to heal on.
        if inner.healing.running().is_none() {
            return Err("healing does not run, which keeps the recent past".into());
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
        // Those who ask go by the wall clock, which may have been set meanwhile.
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

/// Takes deliveries in for a handle as long as there is one.
struct Receiver(Weak<Inner>);

impl AlertReceiver for Receiver {
    fn receive(&self, alerts: Vec<DeliveredAlert>) -> Result<Vec<Delivery>, String> {
        let inner = self.0.upgrade().ok_or("the handle is gone")?;
        let received = inner.received.0.lock().clone();
        let received = received.filter(|received| !received.healing().has_ended());
        let received = received.ok_or("no alerts are taken in here; call `heal.alertmanager()`")?;
        Ok(received.take(alerts))
    }
}
