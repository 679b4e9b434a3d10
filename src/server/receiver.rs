//! The receivers of alerts.

use crate::rules::{DeliveredAlert, Delivery};

/// Receives the alerts that an Alertmanager delivers.
///
/// [`Selfheal`](crate::Selfheal) provides one. It is called on a worker of the endpoints, so it
/// must not block.
pub trait AlertReceiver: Send + Sync + 'static {
    /// Processes alerts, and returns the result of each, in order.
    ///
    /// # Errors
    /// Alerts are not accepted: the reason, and how to enable them.
    fn receive(&self, alerts: Vec<DeliveredAlert>) -> Result<Vec<Delivery>, String>;
}
