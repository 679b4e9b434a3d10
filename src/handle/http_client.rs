use super::Selfheal;
use crate::http_client::{HttpClientLayer, HttpClientLayerBuilder};

#[cfg_attr(docsrs, doc(cfg(feature = "http-client")))]
impl Selfheal {
    /// Starts building a layer that measures outgoing requests, with the clock and the registry of
    /// this handle.
    pub fn http_client_layer(&self) -> HttpClientLayerBuilder {
        HttpClientLayer::builder(&self.inner.registry).clock(self.inner.clock.clone())
    }
}
