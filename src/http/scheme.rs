use http::{HeaderMap, Request, header};

/// The source of a request's scheme, for the label `url_scheme` of [OpenTelemetry's
/// names](super::HttpNames::OpenTelemetry); see
/// [`HttpLayerBuilder::scheme`](super::HttpLayerBuilder::scheme).
///
/// Clients can forge a header unless a proxy overwrites it, so only the header chosen here is read.
/// In a list, as from several proxies, the first entry counts: the scheme that the client used. If
/// the header is missing, or is neither `http` nor `https` (in any case), the URI is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// The URI of the request, which has a scheme in HTTP/2, and in HTTP/1.1 if sent to a proxy;
    /// without one, `http`.
    #[default]
    Uri,
    /// Always `http`.
    Http,
    /// Always `https`, behind a proxy that terminates TLS.
    Https,
    /// The header `X-Forwarded-Proto`.
    XForwardedProto,
    /// The parameter `proto` of the header `Forwarded` (RFC 7239).
    Forwarded,
}

impl Scheme {
    pub(super) fn is_https<B>(self, request: &Request<B>) -> bool {
        let headers = request.headers();
        let stated = match self {
            Self::Uri => None,
            Self::Http => Some(false),
            Self::Https => Some(true),
            Self::XForwardedProto => first(headers, "x-forwarded-proto")
                .and_then(|list| list.split(',').next())
                .and_then(is_https),
            Self::Forwarded => first(headers, header::FORWARDED.as_str())
                .and_then(proto)
                .and_then(is_https),
        };
        stated.unwrap_or_else(|| request.uri().scheme_str().and_then(is_https) == Some(true))
    }
}

fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_https(scheme: &str) -> Option<bool> {
    let scheme = scheme.trim();
    if scheme.eq_ignore_ascii_case("https") {
        Some(true)
    } else {
        scheme.eq_ignore_ascii_case("http").then_some(false)
    }
}

/// The value of `proto` in the first element of the header: RFC 7239, section 4.
fn proto(list: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let pairs = list.split_inclusive(|c| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        !quoted && matches!(c, ';' | ',')
    });
    for pair in pairs {
        match pair.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("proto") => {
                let value = value.trim_end_matches([';', ',']).trim();
                let inside = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                return Some(inside.unwrap_or(value));
            }
            _ if pair.ends_with(',') => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stated(scheme: Scheme, name: &'static str, value: &str) -> bool {
        let request = Request::builder().header(name, value).body(()).unwrap();
        scheme.is_https(&request)
    }

    #[test]
    fn the_first_of_the_proxies_counts() {
        for (value, https) in [
            ("https", true),
            ("HTTPS", true),
            (" https , http", true),
            ("http, https", false),
            ("https://", false),
            ("wss", false),
            ("", false),
            (", https", false),
        ] {
            assert_eq!(
                stated(Scheme::XForwardedProto, "x-forwarded-proto", value),
                https,
                "{value:?}"
            );
        }
    }

    #[test]
    fn the_first_element_of_forwarded_counts() {
        for (value, https) in [
            ("proto=https", true),
            ("for=192.0.2.60;Proto=HTTPS;by=203.0.113.43", true),
            ("for=\"[2001:db8::1]:4711\" ; proto = \"https\"", true),
            ("for=\"a,b;proto=http\\\",\";proto=https, proto=http", true),
            ("for=192.0.2.60, for=10.0.0.1;proto=https", false),
            ("proto=http;proto=https", false),
            ("xproto=https", false),
            ("proto", false),
            ("proto=\"https", false),
            ("for=\"proto=https", false),
            (";;,proto=https", false),
        ] {
            assert_eq!(
                stated(Scheme::Forwarded, "forwarded", value),
                https,
                "{value:?}"
            );
        }
    }

    #[test]
    fn only_the_header_that_is_named_is_read() {
        for scheme in [Scheme::Uri, Scheme::Http, Scheme::Forwarded] {
            assert!(!stated(scheme, "x-forwarded-proto", "https"), "{scheme:?}");
        }
        assert!(!stated(Scheme::XForwardedProto, "forwarded", "proto=https"));
        assert!(stated(Scheme::Https, "x-forwarded-proto", "http"));
    }

    #[test]
    fn without_a_header_the_uri_decides() {
        for scheme in [Scheme::Uri, Scheme::XForwardedProto, Scheme::Forwarded] {
            let of = |uri: &str| scheme.is_https(&Request::builder().uri(uri).body(()).unwrap());
            assert!(of("https://shop.test/") && !of("http://shop.test/") && !of("/"));
        }
    }

    proptest! {
        #[test]
        fn whatever_a_client_says(list in r#"[a-z=;, "\\]{0,12}(proto=[a-z"]{0,7})?[;,]?.{0,9}"#) {
            let _ = proto(&list);
        }

        #[test]
        fn what_stands_in_quotes_is_no_parameter(
            words in r#"([a-z=;, ]|\\["\\]){0,20}"#, https: bool
        ) {
            let scheme = if https { "https" } else { "http" };
            let list = format!("for=\"{words}\";proto={scheme},proto=ftp");
            prop_assert_eq!(proto(&list), Some(scheme), "{}", list);
        }
    }
}
