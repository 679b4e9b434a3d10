use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a listener cannot speak TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// This version was built without it.
    #[error(
        "this version was built without TLS; switch the feature `tls` on, or leave `server.tls` out"
    )]
    NotBuilt,
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}; check the path and the permissions of the file", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file does not hold what it is to hold.
    #[error("`{}` holds no usable {what}: {source}; it has to be PEM", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it is to hold.
        what: &'static str,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Certificate and key cannot be used together, or not at all.
    #[error(
        "the certificate and the key cannot be used: {source}; the key has to be that of the first certificate of the file"
    )]
    Unusable {
        /// What is wrong with them.
        source: Box<dyn Error + Send + Sync>,
    },
}
