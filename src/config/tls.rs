use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::faults::Faults;

/// `[server.tls]`: the listener speaks TLS 1.2 and 1.3, and HTTP/2 with clients that offer it.
///
/// The files are PEM. They are read when the listener starts, and again every ten seconds: where
/// their content has changed and is usable, new connections get it; where it is not, they get what
/// was there before. It needs the feature `tls`; without it the listener does not start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The file of the certificate, with those that lead from it to the root. It has no default.
    pub cert: PathBuf,
    /// The file of its private key. It has no default.
    pub key: PathBuf,
    /// The file of the certificates one of which has to have signed that of a client. Where it is
    /// set, no one gets beyond the handshake without one, probes included. Default: none, clients
    /// need no certificate.
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    /// The files of a certificate and of its private key.
    #[must_use]
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
            client_ca: None,
        }
    }

    /// Sets the file of the certificates one of which has to have signed that of a client.
    /// Default: none, clients need no certificate.
    #[must_use]
    pub fn client_ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.client_ca = Some(file.into());
        self
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let files = [
            ("cert", Some(&self.cert)),
            ("key", Some(&self.key)),
            ("client_ca", self.client_ca.as_ref()),
        ];
        for (field, file) in files {
            if file.is_some_and(|file| file.as_os_str().is_empty()) {
                faults.add(field, "there is no file", "give the path of a PEM file");
            }
        }
    }
}
