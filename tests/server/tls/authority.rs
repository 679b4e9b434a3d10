//! An authority for certificates, and the files it gives out.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use selfheal::config;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    /// With a certificate for a server, and `client.pem` and `client.key` for a client.
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = Self { issuer, folder };
        authority.write("ca.pem", &authority.issuer.pem());
        authority.renew();
        let (cert, key) = authority.certificate("prometheus", ExtendedKeyUsagePurpose::ClientAuth);
        authority.write("client.pem", &cert.pem());
        authority.write("client.key", &key.serialize_pem());
        authority
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The settings of a listener.
    pub(super) fn server(&self) -> config::Tls {
        config::Tls::new(self.path("server.pem"), self.path("server.key"))
    }

    /// Gives the server another certificate with another key.
    pub(super) fn renew(&self) {
        let (cert, key) = self.certificate("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        self.write("server.key", &key.serialize_pem());
        self.write("server.pem", &cert.pem());
    }

    /// A client that trusts the authority and has no certificate.
    pub(super) fn client(&self) -> ClientConfig {
        self.trusting().with_no_client_auth()
    }

    /// A client with a certificate of this authority.
    pub(super) fn known_client(&self) -> ClientConfig {
        self.client_of(self)
    }

    /// A client that trusts the authority, with a certificate of another one.
    pub(super) fn client_of(&self, other: &Self) -> ClientConfig {
        let (cert, key) = other.certificate("prometheus", ExtendedKeyUsagePurpose::ClientAuth);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![cert.der().clone()];
        self.trusting().with_client_auth_cert(chain, key).unwrap()
    }

    fn trusting(
        &self,
    ) -> tokio_rustls::rustls::ConfigBuilder<
        ClientConfig,
        tokio_rustls::rustls::client::WantsClientCert,
    > {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
    }

    fn certificate(
        &self,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
    ) -> (rcgen::Certificate, KeyPair) {
        let names = vec![name.to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }
}

/// The first message of a client that speaks version 3.`minor` at the most: 3.0 is SSL, from 3.1 on
/// it is TLS 1.0 and later. Nothing but its version is in the way of an answer.
pub(super) fn client_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend_from_slice(&[7; 32]);
    // No session, one cipher suite (ECDHE and ECDSA with AES-128-GCM), no compression.
    hello.extend_from_slice(&[0, 0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions = [
        // The curve P-256, uncompressed points, ECDSA with P-256 and SHA-256.
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
        // The extended master secret, which rustls requires of TLS 1.2.
        &[0, 23, 0, 0],
    ]
    .concat();
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let mut message = vec![1, 0, 0, length];
    message.extend(hello);
    let length = u8::try_from(message.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length];
    record.extend(message);
    record
}
