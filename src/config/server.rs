//! Settings of the stand-alone listener.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::access::{Access, Accesses};
use super::address::Address;
use super::faults::Faults;
use super::hashed;
use super::names::{HEALTH_PATH, LIVENESS_PATH, PAGE_PATH, READINESS_PATH, check_path};
use super::range::{check_duration, check_range};
use super::secret::{Secret, same};
use super::settings::settings;
use super::tls::Tls;

const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(600);
/// A limit, since one thread serves all addresses.
const MOST_ADDRESSES: usize = 16;
/// A limit, since all siblings are scraped at the same time.
const MOST_SIBLINGS: usize = 64;
/// The length of a bcrypt hash.
const HASH_LENGTH: usize = 60;
const CONNECTIONS: RangeInclusive<usize> = 1..=65_536;

settings! {
    /// `[server]`: the listener that serves the endpoints on a thread of its own.
    ///
    /// If neither [`basic_auth`](Self::basic_auth) nor [`bearer_token`](Self::bearer_token) is set,
    /// any client that reaches it may read; beyond loopback this requires
    /// [`allow_unauthenticated`](Self::allow_unauthenticated) or client certificates
    /// ([`Tls::client_ca`]). If both are set, either of them grants access.
    #[non_exhaustive]
    #[allow(
        clippy::struct_excessive_bools,
        reason = "independent keys in all combinations"
    )]
    pub struct Server {
        /// The address and port; port 0 selects a free one. Default: `127.0.0.1:9898`.
        #[serde(with = "super::address::tcp")]
        pub listen: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9898),
        /// Additional addresses, at most 16: IP addresses with a port, and Unix sockets as
        /// `unix:/run/shop.sock`. A Unix socket has no TLS, and only this user can open its file.
        /// Default: none.
        pub listen_also(): Vec<Address>,
        /// The addresses of the processes of a multi-process service whose metrics are merged at
        /// `siblings` beside the page, at most 64, all on this machine; this process is included if
        /// listed. They are scraped in plain text at [`Metrics::path`](super::Metrics::path) with
        /// the credentials configured here, so the password must be given as text, not only as a
        /// hash. Default: none, and no such page.
        pub siblings(): Vec<Address>,
        /// Access control per endpoint. Default: all need the credentials.
        pub access: Accesses,
        /// Whether the listener may be reachable from other machines. Default: `false`.
        pub allow_non_loopback: bool,
        /// Whether other machines may read without credentials. Default: `false`.
        pub allow_unauthenticated: bool,
        /// Whether `/livez` and `/readyz` need credentials too. Default: `false`, since probes
        /// seldom have any.
        pub protect_probes: bool,
        /// Whether operators may give commands through the endpoints and the page: acknowledge,
        /// mute, pause, approve, trigger. Requires credentials; the journal records each command
        /// and its author. Default: `false`.
        pub control: bool,
        /// The path of the page in an application's own router; the listener serves it at `/`.
        /// Default: `/selfheal`.
        pub page_path(impl Into<String>): String = PAGE_PATH.to_owned(),
        /// The time limit of a request, 100 ms to 10 min. Default: 10 s, the default
        /// `scrape_timeout` of Prometheus. For a scrape that needs a longer `scrape_timeout`, raise
        /// both. Applies to the listener and to an application's own router.
        #[serde(with = "super::duration")]
        pub request_timeout: Duration = Duration::from_secs(10),
        /// The limit of open connections, 1 to 65 536; further ones wait. Default: 64.
        pub max_connections: usize = 64,
        /// The user name and password that grant access. Default: none.
        pub basic_auth(): Option<BasicAuth>,
        /// The token that grants access. Default: none.
        pub bearer_token(Secret): Option<Secret>,
        /// The TLS certificate of the listener. Default: none, for plain text.
        pub tls(Tls): Option<Tls>,
    }
}

impl Server {
    /// Adds an address to listen on: an address with a port, or the path of a Unix socket. Default:
    /// none.
    #[must_use]
    pub fn listen_also(mut self, address: impl Into<Address>) -> Self {
        self.listen_also.push(address.into());
        self
    }

    /// Adds a process whose metrics are merged on the siblings page. Default: none.
    #[must_use]
    pub fn sibling(mut self, address: impl Into<Address>) -> Self {
        self.siblings.push(address.into());
        self
    }

    /// Sets the user name and password that grant access. Default: none.
    #[must_use]
    pub fn basic_auth(mut self, username: impl Into<String>, password: Secret) -> Self {
        self.basic_auth = Some(BasicAuth {
            username: username.into(),
            password,
        });
        self
    }

    /// Whether the listener is reachable from this machine only.
    pub(crate) fn is_loopback(&self) -> bool {
        Address::Tcp(self.listen).is_local() && self.listen_also.iter().all(Address::is_local)
    }

    /// Whether any machine that reaches the listener may read in plain text.
    #[cfg(feature = "server")]
    pub(crate) fn is_open(&self) -> bool {
        let known = self.basic_auth.is_some() || self.bearer_token.is_some();
        !known && self.tls.is_none() && !self.is_loopback()
    }

    /// Iterates over the secrets, each with its field.
    fn secrets(&mut self) -> impl Iterator<Item = (&'static str, &mut Secret)> {
        let password = self.basic_auth.as_mut().map(|auth| &mut auth.password);
        let token = self.bearer_token.as_mut();
        password
            .map(|secret| ("basic_auth.password", secret))
            .into_iter()
            .chain(token.map(|secret| ("bearer_token", secret)))
    }

    pub(super) fn resolve(
        &mut self,
        variable: &dyn Fn(&str) -> Option<OsString>,
        faults: &mut Faults,
    ) {
        for (field, secret) in self.secrets() {
            if let Err((problem, hint)) = secret.resolve(variable) {
                faults.add_below(field, problem, hint);
            }
        }
    }

    /// Restores the text of each redacted secret from `known`.
    pub(super) fn restore_secrets(&mut self, known: &Self) {
        let mut known = known.clone();
        for (field, secret) in self.secrets().filter(|(_, secret)| secret.is_redacted()) {
            if let Some((_, text)) = known.secrets().find(|(other, _)| *other == field) {
                secret.clone_from(text);
            }
        }
    }

    /// Adds every fault; `scrape` is the path of the metrics.
    pub(super) fn check(&self, scrape: &str, faults: &mut Faults) {
        let open = self.basic_auth.is_none() && self.bearer_token.is_none();
        let known = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        faults.within("listen", |faults| {
            self.check_reach(&Address::Tcp(self.listen), open && !known, faults);
        });
        faults.within_each("listen_also", &self.listen_also, |faults, _, address| {
            self.check_reach(address, open && !known, faults);
        });
        if self.listen_also.len() > MOST_ADDRESSES {
            faults.add(
                "listen_also",
                format!(
                    "{} addresses are more than {MOST_ADDRESSES}",
                    self.listen_also.len()
                ),
                "leave some out",
            );
        }
        self.check_siblings(faults);
        if self.control && open {
            faults.add(
                "control",
                "anyone who reaches the endpoints could control healing",
                "set `bearer_token` or `basic_auth`",
            );
        }
        let taken = [HEALTH_PATH, LIVENESS_PATH, READINESS_PATH, scrape];
        let taken = |path: &str| taken.contains(&path);
        check_path(("page_path", &self.page_path), PAGE_PATH, taken, faults);
        let hint = "give a time within which a scrape can be answered";
        check_duration(
            "request_timeout",
            self.request_timeout,
            &TIMEOUT,
            hint,
            faults,
        );
        let hint = "give how many connections may be open at once";
        check_range(
            "max_connections",
            &self.max_connections,
            &CONNECTIONS,
            hint,
            faults,
        );
        if let Some(tls) = &self.tls {
            faults.within("tls", |faults| tls.check(faults));
        }
        if let Some(auth) = &self.basic_auth {
            faults.within("basic_auth", |faults| auth.check(faults));
        }
        if let Some(token) = self.bearer_token.as_ref().and_then(Secret::bytes) {
            check_secret("bearer_token", token, u8::is_ascii_graphic, faults);
        }
    }

    fn check_siblings(&self, faults: &mut Faults) {
        if self.siblings.len() > MOST_SIBLINGS {
            faults.add(
                "siblings",
                format!(
                    "{} addresses are more than {MOST_SIBLINGS}",
                    self.siblings.len()
                ),
                "let Prometheus scrape each of them",
            );
        }
        faults.within_each("siblings", &self.siblings, |faults, nth, address| {
            if !address.is_local() {
                let problem = format!("{address} is not on this machine");
                let hint = "name a Unix socket or a loopback address; over several machines, let \
                            Prometheus scrape each";
                faults.add("", problem, hint);
            } else if self.siblings[..nth].contains(address) {
                faults.add("", format!("{address} occurs twice"), "leave one out");
            }
        });
        let hashed = self
            .basic_auth
            .as_ref()
            .is_some_and(|auth| auth.hash().is_some());
        let asked = self.access.metrics == Access::Credentials && self.bearer_token.is_none();
        if hashed && asked && !self.siblings.is_empty() {
            faults.add(
                "siblings",
                "they require a password, of which only the hash is known",
                "set `bearer_token`, too",
            );
        }
    }

    /// Checks an address that other machines can reach.
    fn check_reach(&self, address: &Address, open: bool, faults: &mut Faults) {
        if address.is_local() {
            return;
        }
        if !self.allow_non_loopback {
            faults.add(
                "",
                format!("{address} can be reached from other machines"),
                "listen on 127.0.0.1, or set `allow_non_loopback = true` and a password",
            );
        } else if open && !self.allow_unauthenticated {
            faults.add(
                "",
                format!("{address} can be reached from other machines without credentials"),
                "set `bearer_token`, `basic_auth` or `tls.client_ca`, or `allow_unauthenticated = \
                 true` if the network admits only authorised readers",
            );
        }
    }
}

/// Reveals nothing of the value, including its length.
fn check_secret(field: &str, value: &[u8], allowed: fn(&u8) -> bool, faults: &mut Faults) {
    if value.is_empty() {
        faults.add(
            field,
            "the secret is empty",
            "give one, or leave the key out",
        );
    } else if !value.iter().all(allowed) {
        faults.add(
            field,
            "the secret contains a character that cannot be sent in a header",
            "check it for spaces and line breaks",
        );
    }
}

/// `[server.basic_auth]`: HTTP basic authentication.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BasicAuth {
    /// The user name, without a colon. Required.
    pub username: String,
    /// The password, or its bcrypt hash as `htpasswd -nB` prints it (`$2y$…`), which needs the
    /// feature `bcrypt`. Required.
    pub password: Secret,
}

impl BasicAuth {
    /// Whether the user name and the password match; a wrong name takes as long as a wrong
    /// password. Checking a hash takes some tens of milliseconds.
    #[must_use]
    pub fn matches(&self, username: &[u8], password: &[u8]) -> bool {
        self.matches_by(username, password, same)
    }

    fn matches_by(
        &self,
        username: &[u8],
        password: &[u8],
        mut same: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> bool {
        let name = same(self.username.as_bytes(), username);
        let word = match self.hash() {
            Some(hash) => hashed::matches(hash, password),
            None => self.password.matches_by(password, same),
        };
        name & word
    }

    /// The password, if it is a hash.
    pub(crate) fn hash(&self) -> Option<&str> {
        let text = std::str::from_utf8(self.password.bytes()?).ok()?;
        let is_hash = text.len() == HASH_LENGTH && text.starts_with("$2");
        is_hash.then_some(text)
    }

    fn check(&self, faults: &mut Faults) {
        if self.username.is_empty() {
            faults.add("username", "there is no user name", "give one");
        } else if self.username.contains(|c: char| c == ':' || c.is_control()) {
            faults.add(
                "username",
                "a user name cannot contain `:` or control characters (RFC 7617)",
                "choose another",
            );
        }
        if let Some(problem) = self.hash().and_then(hashed::problem) {
            faults.add(
                "password",
                problem,
                "give what `htpasswd -nB` prints after the colon",
            );
        }
        if let Some(password) = self.password.bytes() {
            check_secret(
                "password",
                password,
                |byte| !byte.is_ascii_control(),
                faults,
            );
        }
    }
}

#[cfg(test)]
mod tests;
