use super::Selfheal;
use crate::http_client::{HttpClientLayer, HttpClientLayerBuilder};

impl Selfheal {
    /// Starts to set up a layer that measures outgoing requests, by the clock and in the
    /// registry of this handle.
    pub fn http_client_layer(&self) -> HttpClientLayerBuilder {
        HttpClientLayer::builder(&self.inner.registry).clock(self.inner.clock.clone())
    }
}
