//! Loads certificates and keys from files into a configuration of rustls.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{RootCertStore, ServerConfig};

use super::error::TlsError;
use crate::config;

/// The size limit: a certificate chain takes some kilobytes, and all roots of a browser take less
/// than this.
const MOST: u64 = 1024 * 1024;

/// As a client offers it.
pub(super) const HTTP_2: &[u8] = b"h2";

/// The content of the files.
#[derive(PartialEq)]
pub(super) struct Content {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Content {
    pub(super) fn read(files: &config::Tls) -> Result<Self, TlsError> {
        Ok(Self {
            cert: read(&files.cert)?,
            key: read(&files.key)?,
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    /// Builds the configuration; `files` are the paths, for errors.
    pub(super) fn config(&self, files: &config::Tls) -> Result<Arc<ServerConfig>, TlsError> {
        let unusable = |error: rustls::Error| TlsError::Unusable {
            source: error.into(),
        };
        let chain = certificates(&self.cert, &files.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| content(&files.key, "private key", error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients: Arc<dyn ClientCertVerifier> = match (&self.client_ca, &files.client_ca) {
            (Some(roots), Some(path)) => {
                let mut store = RootCertStore::empty();
                for root in certificates(roots, path)? {
                    let added = store.add(root);
                    added.map_err(|error| content(path, "root certificate", error))?;
                }
                let store = Arc::new(store);
                WebPkiClientVerifier::builder_with_provider(store, Arc::clone(&provider))
                    .build()
                    .map_err(|error| content(path, "root certificate", error))?
            }
            _ => Arc::new(NoClientAuth),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn certificates(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|error| content(path, "certificate", error))?;
    if all.is_empty() {
        return Err(content(path, "certificate", "it contains none"));
    }
    Ok(all)
}

fn content(
    path: &Path,
    what: &'static str,
    source: impl Into<Box<dyn Error + Send + Sync>>,
) -> TlsError {
    TlsError::Content {
        path: path.to_owned(),
        what,
        source: source.into(),
    }
}

fn read(path: impl AsRef<Path>) -> Result<Vec<u8>, TlsError> {
    let path = path.as_ref();
    let failed = |source| TlsError::Read {
        path: PathBuf::from(path),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    let read = file
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if read as u64 > MOST {
        let problem = format!("it is longer than {MOST} bytes");
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, problem)));
    }
    Ok(bytes)
}
