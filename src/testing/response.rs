use std::future::poll_fn;
use std::pin::pin;

use bytes::{Buf, Bytes, BytesMut};
use http::Response;
use http_body::Body;

/// Reads the body of a response to its end, as a client does that wants all of it, and gives back
/// the response with that body in one piece, without its trailers.
///
/// Until then a request is in flight, and one whose response is dropped earlier has been broken
/// off: the layers count it as `499`, or `CANCELLED` for gRPC. There is no bound on what is read.
///
/// # Errors
/// That of the body.
///
/// # Cancel safety
/// Dropped before it is ready, it drops the response.
pub async fn read_to_end<B: Body>(response: Response<B>) -> Result<Response<Bytes>, B::Error> {
    let (head, body) = response.into_parts();
    let mut body = pin!(body);
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if let Ok(mut data) = frame?.into_data() {
            let length = data.remaining();
            all.extend_from_slice(&data.copy_to_bytes(length));
        }
    }
    Ok(Response::from_parts(head, all.freeze()))
}
