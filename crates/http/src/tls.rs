//! `server.ssl.*`.

use crate::settings::{ClientAuthentication, TlsSettings};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig};

/// The certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[server.ssl] cannot be used: {0}")]
pub struct TlsError(String);

fn fault(error: impl std::fmt::Display) -> TlsError {
    TlsError(error.to_string())
}

/// Makes the acceptor: HTTP/2 where the client offers it, else HTTP/1.1.
///
/// # Errors
/// [`TlsError`].
pub fn acceptor(settings: &TlsSettings) -> Result<TlsAcceptor, TlsError> {
    let versions: Vec<_> = [(settings.tls12, &TLS12), (settings.tls13, &TLS13)]
        .iter()
        .filter(|one| one.0)
        .map(|one| one.1)
        .collect();
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions)
        .map_err(fault)?;
    let builder = match settings.client_authentication {
        ClientAuthentication::None => builder.with_no_client_auth(),
        asked => {
            let mut roots = RootCertStore::empty();
            for der in &settings.authorities {
                roots.add(CertificateDer::from(der.clone())).map_err(fault)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if asked == ClientAuthentication::Optional {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            builder.with_client_cert_verifier(verifier.build().map_err(fault)?)
        }
    };
    let chain = settings.certificates.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::try_from(settings.key.0.clone()).map_err(fault)?;
    let mut config = builder.with_single_cert(chain, key).map_err(|error: Error| fault(error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
