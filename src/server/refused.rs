//! What the listener refused, and why.

use crate::registry::{Counter, Family, Registry};

crate::label_values! {
    /// Why a connection was ended or a request turned away: the values of `reason`.
    pub(super) enum Refusal {
        /// There was no whole request in time.
        Head = "head",
        /// It gave way to another when all places were taken.
        Displaced = "displaced",
        /// The request got 503, since all places were taken.
        Full = "full",
        /// The request was not answered in time.
        Late = "late",
        /// What was sent to it was not taken.
        Stalled = "stalled",
        /// What it sent was not HTTP, or too much of it.
        Broken = "broken",
        /// The handshake of TLS failed.
        #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there is no TLS then"))]
        Tls = "tls",
    }
}

/// The counter of refusals; `None` where they are not counted.
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
