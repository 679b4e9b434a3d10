use http::Method;

/// An HTTP method as a label: one of the nine of RFC 9110 and RFC 5789, `QUERY`, or other; the same
/// set as in OpenTelemetry's conventions.
///
/// Clients can send any word as a method, so only these become label values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    Query,
    Other,
}

impl Verb {
    #[inline]
    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::DELETE => Self::Delete,
            Method::CONNECT => Self::Connect,
            Method::OPTIONS => Self::Options,
            Method::TRACE => Self::Trace,
            Method::PATCH => Self::Patch,
            // Only later versions of the crate `http` have a constant for it.
            _ if method.as_str() == "QUERY" => Self::Query,
            _ => Self::Other,
        }
    }

    /// The label values, in the order of the variants.
    pub(crate) const NAMES: [&'static str; 11] = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
        "other",
    ];

    #[inline]
    #[cfg(any(test, feature = "http", feature = "http-client"))]
    pub(crate) fn as_str(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or("other")
    }

    /// The label value in OpenTelemetry's conventions.
    #[cfg(any(feature = "http", feature = "http-client"))]
    pub(crate) fn in_otel(self) -> &'static str {
        match self {
            Self::Other => "_OTHER",
            verb => verb.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ten_keep_their_names_and_all_else_is_other() {
        for name in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
        ] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(Verb::of(&method).as_str(), name);
        }
        for name in ["get", "PROPFIND", "GETGETGETGETGETGETGET"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(Verb::of(&method).as_str(), "other");
        }
    }
}
