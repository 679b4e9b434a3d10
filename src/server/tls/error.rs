use std::error::Error;
use std::io;
use std::path::PathBuf;

/// The error of setting up TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The feature `tls` is not compiled in.
    #[error(
        "this version was built without TLS; enable the feature `tls`, or leave `server.tls` out"
    )]
    NotBuilt,
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}; check the path and the permissions of the file", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file has invalid content.
    #[error("`{}` has no usable {what}: {source}; it must be PEM", path.display())]
    Content {
        /// The path of the file.
        path: PathBuf,
        /// The expected content.
        what: &'static str,
        /// The problem.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The certificate and the key cannot be used, or not together.
    #[error(
        "the certificate and the key cannot be used: {source}; the key must belong to the first \
         certificate of the file"
    )]
    Unusable {
        /// The problem.
        source: Box<dyn Error + Send + Sync>,
    },
}
