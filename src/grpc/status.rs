//! Finds the code of a call in headers, in trailers or in an error.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use super::headers;
use crate::exchange::BoxError;

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The code in headers or trailers; `Unknown` if malformed or not one of the 17.
#[inline]
pub(super) fn of_headers(headers: &HeaderMap) -> Option<Code> {
    let [value] = headers::first(headers, [&GRPC_STATUS]);
    value.map(|value| Code::from_bytes(value.as_bytes()))
}

/// The code for the HTTP status of a response without one: the table in gRPC's
/// http-grpc-status-mapping.md.
#[inline]
pub(super) fn of_http(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// The code in the chain of a service's or a body's error, as found by us or by tonic. The error is
/// left unchanged.
#[cold]
pub(super) fn of_error(error: &mut dyn Any) -> Option<Code> {
    if let Some(status) = error.downcast_ref::<Status>() {
        return Some(status.code());
    }
    let boxed = error.downcast_mut::<BoxError>()?;
    of_chain(boxed).or_else(|| of_tonic(boxed))
}

fn of_chain(error: &BoxError) -> Option<Code> {
    let mut next: Option<&(dyn Error + 'static)> = Some(&**error);
    while let Some(error) = next {
        if let Some(status) = error.downcast_ref::<Status>() {
            return Some(status.code());
        }
        if error.is::<TimeoutExpired>() {
            // tonic reports `Cancelled` to its callers here; the cause is a timeout.
            return Some(Code::DeadlineExceeded);
        }
        if error.is::<ConnectError>() {
            return Some(Code::Unavailable);
        }
        next = error.source();
    }
    None
}

/// The code that tonic would report, if it knows the error. It knows the errors of hyper and
/// HTTP/2, on which this crate does not depend, but it needs ownership of the error.
///
/// tonic reports `Cancelled` also if a connection was closing before the request was sent, as at
/// each restart of a server. Only the message distinguishes that from a reset.
fn of_tonic(error: &mut BoxError) -> Option<Code> {
    let owned = std::mem::replace(error, Box::new(Lent(None)));
    let shared = Arc::new(owned);
    let status = Status::try_from_error(Box::new(Lent(Some(Arc::clone(&shared)))));
    let code = match &status {
        Ok(status) if status.code() == Code::Unknown => None,
        Ok(status) if status.code() == Code::Cancelled => status
            .message()
            .starts_with("h2 protocol error")
            .then_some(Code::Cancelled),
        Ok(status) => Some(status.code()),
        Err(_) => None,
    };
    drop(status);
    // No other owner is left.
    if let Some(owned) = Arc::into_inner(shared) {
        *error = owned;
    }
    code
}

/// An error that is borrowed while its causes are examined.
#[derive(Debug)]
struct Lent(Option<Arc<BoxError>>);

impl fmt::Display for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error that is being examined")
    }
}

impl Error for Lent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let error = self.0.as_ref()?;
        Some(&***error)
    }
}

/// The meaning of a content type for a request or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Grpc,
    /// gRPC-Web: other frames, and the status in the body. Put the layer below its translator.
    Web,
    Other,
}

impl Content {
    #[inline]
    pub(super) fn of(value: Option<&HeaderValue>) -> Self {
        let value = value.map(HeaderValue::as_bytes);
        match value.and_then(|value| value.strip_prefix(b"application/grpc")) {
            Some([] | [b'+' | b';', ..]) => Self::Grpc,
            Some([b'-', b'w', b'e', b'b', ..]) => Self::Web,
            _ => Self::Other,
        }
    }
}

/// The names of all codes, in their order, in the specifications of gRPC and OpenTelemetry.
pub(super) const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The names of all codes in Go.
pub(super) const GO_NAMES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// The name of a code in the specifications of gRPC and OpenTelemetry: `DEADLINE_EXCEEDED`.
pub(super) fn name(code: Code) -> &'static str {
    one_of(&NAMES, code)
}

/// Whether a code is a failure of the server rather than of the client, as 500, 503 and 504 are for
/// HTTP; `UNIMPLEMENTED` is not, since scanners get it as they get 404.
#[inline]
pub(super) fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The name of a code in Go: `DeadlineExceeded`.
pub(super) fn go_name(code: Code) -> &'static str {
    one_of(&GO_NAMES, code)
}

fn one_of(names: &[&'static str; 17], code: Code) -> &'static str {
    let index = usize::try_from(i32::from(code)).unwrap_or(usize::MAX);
    names.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(value: &[u8]) -> Option<Code> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from_bytes(value).ok()?);
        of_headers(&headers)
    }

    #[test]
    fn the_seventeen_codes_and_their_names() {
        for n in 0..17 {
            let code = parsed(n.to_string().as_bytes()).unwrap();
            assert_eq!(i32::from(code), n);
            let (spec, go) = (name(code), go_name(code));
            assert_eq!(
                spec.replace('_', "").replace("CANCELLED", "CANCELED"),
                go.to_uppercase()
            );
            assert_eq!(spec.replace('_', ""), format!("{code:?}").to_uppercase());
        }
        assert_eq!(of_headers(&HeaderMap::new()), None);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] BoxError);

    #[test]
    fn an_error_carries_its_code_in_its_chain() {
        let boxed = |mut error: BoxError| of_error(&mut error);
        assert_eq!(of_error(&mut Status::not_found("")), Some(Code::NotFound));
        assert_eq!(boxed(Status::aborted("").into()), Some(Code::Aborted));
        let wrapped = Outer(Outer(Status::data_loss("").into()).into());
        assert_eq!(boxed(wrapped.into()), Some(Code::DataLoss));
        assert_eq!(
            boxed(TimeoutExpired(()).into()),
            Some(Code::DeadlineExceeded)
        );
        let refused = Outer(ConnectError("refused".into()).into());
        assert_eq!(boxed(refused.into()), Some(Code::Unavailable));
        assert_eq!(boxed("anything".into()), None);
        let mut error: BoxError = Outer("anything".into()).into();
        assert_eq!(of_error(&mut error), None);
        assert!(
            error.is::<Outer>(),
            "as it was, though tonic has looked at it"
        );
        assert_eq!(of_error(&mut "anything"), None);
    }

    #[test]
    fn content_types() {
        for (value, content) in [
            ("application/grpc", Content::Grpc),
            ("application/grpc+proto", Content::Grpc),
            ("application/grpc;charset=utf-8", Content::Grpc),
            ("application/grpc-web+proto", Content::Web),
            ("application/grpc-web-text", Content::Web),
            ("application/grpcx", Content::Other),
            ("application/json", Content::Other),
        ] {
            let value = HeaderValue::from_static(value);
            assert_eq!(Content::of(Some(&value)), content, "{value:?}");
        }
        assert_eq!(Content::of(None), Content::Other);
    }

    #[test]
    fn http_statuses_map_as_the_table_of_grpc_has_them() {
        for (status, code) in [
            (200, Code::Unknown),
            (400, Code::Internal),
            (401, Code::Unauthenticated),
            (403, Code::PermissionDenied),
            (404, Code::Unimplemented),
            (429, Code::Unavailable),
            (500, Code::Unknown),
            (502, Code::Unavailable),
            (503, Code::Unavailable),
            (504, Code::Unavailable),
        ] {
            assert_eq!(of_http(StatusCode::from_u16(status).unwrap()), code);
        }
    }

    proptest! {
        #[test]
        fn what_is_no_code_is_unknown(value in prop::collection::vec(any::<u8>(), 0..6)) {
            let text = std::str::from_utf8(&value).unwrap_or_default();
            let n = text.parse::<u8>().ok().filter(|n| n.to_string() == text && *n < 17);
            let expected = n.map_or(Code::Unknown, |n| Code::from_i32(n.into()));
            if let Some(code) = parsed(&value) {
                prop_assert_eq!(code, expected);
            }
        }
    }
}
