//! The refusals of the listener, and their reasons.

use crate::registry::{Counter, Family, Registry};

crate::label_values! {
    /// Why a connection was closed or a request refused: the values of `reason`.
    pub(super) enum Refusal {
        /// There was no complete request in time.
        Head = "head",
        /// It was replaced by another at the limit.
        Displaced = "displaced",
        /// The request got 503 at the limit of connections.
        Full = "full",
        /// The request was not answered in time.
        Late = "late",
        /// It did not read its data.
        Stalled = "stalled",
        /// It sent invalid HTTP, or too much of it.
        Broken = "broken",
        /// The TLS handshake failed.
        #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there is no TLS then"))]
        Tls = "tls",
    }
}

/// The counter of refusals; `None` if they are not counted.
pub(super) type Refused = Option<Family<Counter, (Refusal,)>>;

pub(super) fn refused(registry: &Registry) -> Refused {
    let refused = registry.counter(
        "selfheal_connections_refused_total",
        "Connections that the listener ended and requests that it turned away: there was no whole \
         request in time (head), it gave way when all places were taken (displaced), it found all \
         of them taken (full), it was not answered in time (late), what was sent to it was not \
         taken (stalled), what it sent was not HTTP or too much (broken), or the TLS handshake \
         failed (tls)",
    );
    refused.labels(["reason"]).ok()
}
