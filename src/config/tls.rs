use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::faults::Faults;

/// `[server.tls]`: TLS 1.2 and 1.3 on the listener, with HTTP/2 for clients that offer it.
///
/// The files are PEM. They are read when the listener starts and again every ten seconds: if their
/// content has changed and is valid, new connections use it; otherwise they use the previous
/// content. Needs the feature `tls`; without it the listener does not start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Tls {
    /// The file of the certificate, followed by its intermediate certificates. Required.
    pub cert: PathBuf,
    /// The file of its private key. Required.
    pub key: PathBuf,
    /// The file of the CA certificates, one of which must have signed the client's certificate. If
    /// set, the handshake fails without one, also for probes. Default: none, for no client
    /// certificates.
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    /// Creates the settings from the files of a certificate and its private key.
    #[must_use]
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            cert: cert.into(),
            key: key.into(),
            client_ca: None,
        }
    }

    /// Sets the file of the CA certificates that sign client certificates. Default: none, for no
    /// client certificates.
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
