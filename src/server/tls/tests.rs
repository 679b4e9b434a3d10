use std::path::Path;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;

/// Replaces the certificate with another one.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

/// Whether a client that trusts only this certificate accepts the server.
async fn is_used(tls: &Tls, cert: &CertificateDer<'static>) -> bool {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let mut roots = RootCertStore::empty();
    roots.add(cert.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let acceptor = TlsAcceptor::from(Arc::clone(&tls.0.current.lock().1));
    let (client, _) = tokio::join!(connector.connect(name, client), acceptor.accept(server));
    client.is_ok()
}

/// Invalid files, as during a write, leave the previous certificate in use.
#[tokio::test(start_paused = true)]
async fn a_renewed_certificate_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = renew(folder.path());
    let file = |name| folder.path().join(name);
    let tls = Tls::load(&config::Tls::new(file("cert.pem"), file("key.pem"))).unwrap();
    let renewing = tokio::spawn({
        let tls = tls.clone();
        async move { tls.renew().await }
    });
    assert!(is_used(&tls, &first).await);
    std::fs::write(file("cert.pem"), "-----BEGIN CERT").unwrap();
    sleep(EVERY * 2).await;
    assert!(is_used(&tls, &first).await);
    let second = renew(folder.path());
    sleep(EVERY * 2).await;
    assert!(is_used(&tls, &second).await && !is_used(&tls, &first).await);
    renewing.abort();
}
