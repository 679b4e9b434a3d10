/// The mode of a layer for axum: requests and responses keep axum's own body type, and a body
/// is boxed only where there is something to watch. The default of
/// [`HttpLayer`](super::HttpLayer).
#[derive(Clone, Copy, Debug)]
pub enum Axum {}

/// The mode of a layer for any other tower service: bodies of any type, wrapped and not boxed.
/// See [`HttpLayer::generic`](super::HttpLayer::generic).
#[derive(Clone, Copy, Debug)]
pub enum Generic {}
