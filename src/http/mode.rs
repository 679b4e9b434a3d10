use axum::BoxError;
use axum::body::Body as AxumBody;
use bytes::Bytes;
use http_body::Body;

use super::protocol::{Guard, Http};
use crate::exchange::{ResponseBody, Wrap};

/// The mode of a layer for axum: requests and responses keep axum's body type, and a body is boxed
/// only if it must be watched. The default of [`HttpLayer`](super::HttpLayer).
#[derive(Clone, Copy, Debug)]
pub enum Axum {}

impl<B> Wrap<B, Http> for Axum
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Body = AxumBody;

    #[inline]
    fn wrap(body: B, guard: Guard) -> AxumBody {
        if guard.is_on() {
            AxumBody::new(ResponseBody::new(body, guard))
        } else {
            AxumBody::new(body)
        }
    }
}
