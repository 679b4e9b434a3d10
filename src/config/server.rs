//! The stand-alone listener.

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
use super::tls::Tls;

const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(600);
/// A thread serves them all.
const MOST_ADDRESSES: usize = 16;
/// All are asked at a time.
const MOST_SIBLINGS: usize = 64;
/// The length of a bcrypt hash.
const HASH_LENGTH: usize = 60;
const CONNECTIONS: RangeInclusive<usize> = 1..=65_536;

/// `[server]`: the listener that serves the endpoints on a thread of its own.
///
/// Where neither [`basic_auth`](Self::basic_auth) nor [`bearer_token`](Self::bearer_token) is
/// set, any client that reaches it may read, which beyond loopback needs
/// [`allow_unauthenticated`](Self::allow_unauthenticated) or certificates of clients
/// ([`Tls::client_ca`]); where both are, either of them lets in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own, and all combinations occur"
)]
pub struct Server {
    /// Address and port; port 0 takes a free one. Default: `127.0.0.1:9898`.
    #[serde(with = "super::address::tcp")]
    pub listen: SocketAddr,
    /// Where it listens as well, at most 16 addresses: further ones with a port, and Unix sockets,
    /// as `unix:/run/shop.sock`. A Unix socket speaks no TLS, and its file is for this user alone.
    /// Default: nowhere.
    pub listen_also: Vec<Address>,
    /// The processes of this service whose metrics are on one page, at `siblings` beside the page:
    /// for a server of several processes, the addresses of this machine at which each has its own
    /// endpoints, at most 64; this process is there if it is listed. They are asked in plain text,
    /// at [`Metrics::path`](super::Metrics::path) and with the credentials that are set here, for
    /// which a password must not be known by its hash alone. Default: none, and no such page.
    pub siblings: Vec<Address>,
    /// Who gets which endpoint. Default: who has the credentials.
    pub access: Accesses,
    /// Whether other machines may be let in. Default: `false`.
    pub allow_non_loopback: bool,
    /// Whether other machines may be let in without credentials. Default: `false`.
    pub allow_unauthenticated: bool,
    /// Whether `/livez` and `/readyz` ask for the credentials, too. Default: `false`, since what
    /// probes them seldom has any.
    pub protect_probes: bool,
    /// Whether people may decide through the endpoints and the page: acknowledge, mute, pause,
    /// approve, trigger. It needs credentials, and each order is in the journal with who gave it.
    /// Default: `false`.
    pub control: bool,
    /// The path of the page where the endpoints are merged into an application's own router; the
    /// listener has it at `/`. Default: `/selfheal`.
    pub page_path: String,
    /// How long a request may take, from 100 ms to 10 min. Default: 10 s, which is how long
    /// Prometheus waits. Where its `scrape_timeout` is longer and a scrape needs that, raise
    /// this too: of both the shorter counts, on the listener and in an application's own router.
    #[serde(with = "super::duration")]
    pub request_timeout: Duration,
    /// The limit of open connections, 1 to 65 536; further ones wait. Default: 64.
    pub max_connections: usize,
    /// User name and password that let in. Default: none.
    pub basic_auth: Option<BasicAuth>,
    /// The token that lets in. Default: none.
    pub bearer_token: Option<Secret>,
    /// The certificate with which the listener speaks TLS. Default: none, plain text.
    pub tls: Option<Tls>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9898),
            listen_also: Vec::new(),
            siblings: Vec::new(),
            access: Accesses::default(),
            allow_non_loopback: false,
            allow_unauthenticated: false,
            protect_probes: false,
            control: false,
            page_path: PAGE_PATH.to_owned(),
            request_timeout: Duration::from_secs(10),
            max_connections: 64,
            basic_auth: None,
            bearer_token: None,
            tls: None,
        }
    }
}

impl Server {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets address and port; port 0 takes a free one. Default: `127.0.0.1:9898`.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds where it listens as well: an address with a port, or the path of a Unix socket.
    /// Default: nowhere.
    #[must_use]
    pub fn listen_also(mut self, address: impl Into<Address>) -> Self {
        self.listen_also.push(address.into());
        self
    }

    /// Adds a process whose metrics are on the page of all. Default: none.
    #[must_use]
    pub fn sibling(mut self, address: impl Into<Address>) -> Self {
        self.siblings.push(address.into());
        self
    }

    /// Sets who gets which endpoint. Default: who has the credentials.
    #[must_use]
    pub fn access(mut self, access: Accesses) -> Self {
        self.access = access;
        self
    }

    /// Whether `listen` may be an address that other machines reach. Default: `false`.
    #[must_use]
    pub fn allow_non_loopback(mut self, on: bool) -> Self {
        self.allow_non_loopback = on;
        self
    }

    /// Whether other machines may be let in without credentials. Default: `false`.
    #[must_use]
    pub fn allow_unauthenticated(mut self, on: bool) -> Self {
        self.allow_unauthenticated = on;
        self
    }

    /// Whether `/livez` and `/readyz` ask for the credentials, too. Default: `false`.
    #[must_use]
    pub fn protect_probes(mut self, on: bool) -> Self {
        self.protect_probes = on;
        self
    }

    /// Whether people may decide through the endpoints and the page, which needs credentials.
    /// Default: `false`.
    #[must_use]
    pub fn control(mut self, on: bool) -> Self {
        self.control = on;
        self
    }

    /// Sets the path of the page in an application's own router. Default: `/selfheal`.
    #[must_use]
    pub fn page_path(mut self, path: impl Into<String>) -> Self {
        self.page_path = path.into();
        self
    }

    /// Sets how long a request may take, from 100 ms to 10 min. Default: 10 s.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.request_timeout = limit;
        self
    }

    /// Sets how many connections are open at once, 1 to 65 536. Default: 64.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Sets the user name and password that let in. Default: none.
    #[must_use]
    pub fn basic_auth(mut self, username: impl Into<String>, password: Secret) -> Self {
        self.basic_auth = Some(BasicAuth {
            username: username.into(),
            password,
        });
        self
    }

    /// Sets the token that lets in. Default: none.
    #[must_use]
    pub fn bearer_token(mut self, token: Secret) -> Self {
        self.bearer_token = Some(token);
        self
    }

    /// Sets the certificate with which the listener speaks TLS, for which the feature `tls` is
    /// needed. Default: none, plain text.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Whether no other machine reaches the listener.
    pub(crate) fn is_loopback(&self) -> bool {
        Address::Tcp(self.listen).is_local() && self.listen_also.iter().all(Address::is_local)
    }

    /// Whether any machine that reaches the listener may read in plain text.
    #[cfg(feature = "server")]
    pub(crate) fn is_open(&self) -> bool {
        let known = self.basic_auth.is_some() || self.bearer_token.is_some();
        !known && self.tls.is_none() && !self.is_loopback()
    }

    /// Every secret with the field that it is in.
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

    /// Takes the text of each secret that is redacted here from `known`.
    pub(super) fn restore_secrets(&mut self, known: &Self) {
        let mut known = known.clone();
        for (field, secret) in self.secrets().filter(|(_, secret)| secret.is_redacted()) {
            if let Some((_, text)) = known.secrets().find(|(other, _)| *other == field) {
                secret.clone_from(text);
            }
        }
    }

    /// `scrape` is the path of the metrics.
    pub(super) fn check(&self, scrape: &str, faults: &mut Faults) {
        let open = self.basic_auth.is_none() && self.bearer_token.is_none();
        let known = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        faults.within("listen", |faults| {
            self.check_reach(&Address::Tcp(self.listen), open && !known, faults);
        });
        faults.within("listen_also", |faults| {
            for (nth, address) in self.listen_also.iter().enumerate() {
                faults.within_index(nth, |faults| {
                    self.check_reach(address, open && !known, faults);
                });
            }
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
                "whoever reaches the endpoints could decide about healing",
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
                "let Prometheus scrape each of so many",
            );
        }
        faults.within("siblings", |faults| {
            for (nth, address) in self.siblings.iter().enumerate() {
                faults.within_index(nth, |faults| {
                    if !address.is_local() {
                        let problem = format!("{address} is not of this machine");
                        let hint = "name a Unix socket or an address of loopback; over several                                     machines, let Prometheus scrape each";
                        faults.add("", problem, hint);
                    } else if self.siblings[..nth].contains(address) {
                        faults.add("", format!("{address} is there twice"), "leave one out");
                    }
                });
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
                "they ask for a password of which only the hash is known",
                "set `bearer_token`, too",
            );
        }
    }

    /// An address that other machines reach.
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
                 true` where the network lets in only who may read",
            );
        }
    }
}

/// Says nothing of the value, its length included.
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
            "the secret holds a character that cannot be sent in a header",
            "look for blanks and line breaks in it",
        );
    }
}

/// `[server.basic_auth]`: HTTP basic authentication.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BasicAuth {
    /// The user name, without a colon. It has no default.
    pub username: String,
    /// The password, or its bcrypt hash as `htpasswd -nB` prints it (`$2y$…`), for which the
    /// feature `bcrypt` is needed. It has no default.
    pub password: Secret,
}

impl BasicAuth {
    /// Whether these are the user name and the password; takes as long for a wrong name as for
    /// a wrong password. A hash is compared in some tens of milliseconds.
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

    /// The password, where it is a hash.
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
                "a user name cannot hold `:` or control characters (RFC 7617)",
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
