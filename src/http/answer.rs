//! Properties of a response's head.

use http::{HeaderMap, StatusCode, header};

/// The status that the client receives. An informational status is no final response: a server that
/// gets one answers 500. RFC 9110, section 15.2.
pub(super) fn sent(status: StatusCode) -> u16 {
    if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
        return StatusCode::INTERNAL_SERVER_ERROR.as_u16();
    }
    status.as_u16()
}

pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

const EVENT_STREAM: &[u8] = b"text/event-stream";

pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.as_bytes().get(..EVENT_STREAM.len()));
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
}
