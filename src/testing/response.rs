use std::future::poll_fn;
use std::pin::pin;

use bytes::{Buf, Bytes, BytesMut};
use http::Response;
use http_body::Body;

/// Reads the body of a response to its end and returns the response with the whole body, without
/// trailers.
///
/// A request is in flight until then; if its response is dropped earlier, the layers count it as
/// `499`, or `CANCELLED` for gRPC. The size of the body is not limited.
///
/// # Errors
/// The error of the body.
///
/// # Cancel safety
/// Dropping the future drops the response.
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
