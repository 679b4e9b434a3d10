use http::Uri;

/// The label of every undeclared host.
pub(super) const OTHER: &str = "other";

/// The hosts that have labels of their own. The hosts that a program calls often come from
/// redirects or a database, so only declared ones become label values.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts(Vec<Host>);

/// A declared host.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// In lowercase; for `*.example.com` the part after the star.
    name: Box<str>,
    below: bool,
    pub(super) port: Option<u16>,
    pub(super) label: Box<str>,
}

impl Hosts {
    pub(super) fn add(&mut self, host: &str, label: &str) {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if let Ok(port) = port.parse() => (name, Some(port)),
            _ => (host, None),
        };
        let below = name.strip_prefix('*');
        self.0.push(Host {
            name: below.unwrap_or(name).to_ascii_lowercase().into(),
            below: below.is_some(),
            port,
            label: label.into(),
        });
    }

    /// Returns the index of the first declared host that matches.
    #[inline]
    pub(super) fn find(&self, uri: &Uri) -> Option<usize> {
        let host = uri.host()?;
        self.0.iter().position(|known| known.is(host, uri))
    }

    pub(super) fn get(&self, at: usize) -> Option<&Host> {
        self.0.get(at)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Host {
    #[inline]
    fn is(&self, host: &str, uri: &Uri) -> bool {
        let name = match host.len().checked_sub(self.name.len()) {
            Some(0) if !self.below => host,
            // The star matches at least one character; hosts are plain ASCII.
            Some(before @ 1..) if self.below => host.get(before..).unwrap_or_default(),
            _ => return false,
        };
        name.eq_ignore_ascii_case(&self.name)
            && self.port.is_none_or(|port| port_of(uri) == Some(port))
    }

    /// The host as declared.
    pub(super) fn address(&self) -> String {
        let star = if self.below { "*" } else { "" };
        format!("{star}{}", self.name)
    }
}

/// The port of an address, or the default port of its scheme.
pub(super) fn port_of(uri: &Uri) -> Option<u16> {
    uri.port_u16().or_else(|| match uri.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_by_name_port_and_star() {
        let mut hosts = Hosts::default();
        hosts.add("api.example.com:8443", "secure");
        hosts.add("API.example.com", "api");
        hosts.add("*.example.com", "example");
        hosts.add("[::1]:80", "loopback");
        let find = |uri: &'static str| {
            let at = hosts.find(&Uri::from_static(uri))?;
            Some(&*hosts.get(at)?.label)
        };
        for (uri, label) in [
            ("https://api.example.com:8443/a", Some("secure")),
            ("https://api.example.com/a", Some("api")),
            ("http://Api.Example.com:1/", Some("api")),
            ("http://b.a.example.com/", Some("example")),
            ("http://example.com/", None),
            ("http://.example.com/", None),
            ("http://badexample.com/", None),
            ("http://[::1]/", Some("loopback")),
            ("http://[::1]:81/", None),
            ("/relative", None),
        ] {
            assert_eq!(find(uri), label, "{uri}");
        }
        let address = |at: usize| hosts.get(at).unwrap().address();
        assert_eq!(address(0), "api.example.com");
        assert_eq!(address(2), "*.example.com");
    }
}
