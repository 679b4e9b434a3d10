//! Asks several processes for their pages.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::ask::{Answer, Question, ask};
use super::merge::write as merge;
use crate::config::{Address, BasicAuth, Secret};
use crate::encode::Encoding;
use crate::server::ending::Deadline;
use crate::server::log::WHOLE;

/// The timeout of a process, unless the scraper's is shorter.
const PATIENCE: Duration = Duration::from_secs(2);

/// The limit of bytes of all processes for one page.
const MOST: usize = 2 * WHOLE;

/// The limit of pages gathered at a time.
const AT_ONCE: usize = 2;

/// The processes whose metrics are merged: see
/// [`Endpoints::siblings`](crate::server::Endpoints::siblings).
///
/// Each is scraped in plain text, only at addresses of this machine, where nothing is sent over a
/// network.
#[derive(Clone)]
#[must_use = "siblings have no effect until they are passed to `Endpoints::siblings`"]
pub struct Siblings {
    addresses: Vec<Address>,
    path: String,
    authorization: Option<HeaderValue>,
    turns: Arc<Semaphore>,
}

impl Siblings {
    /// Creates it from the addresses at which the processes listen, which become their `instance`.
    /// An address of another machine is never scraped, and counts as a failure.
    pub fn new(addresses: impl IntoIterator<Item = Address>) -> Self {
        Self {
            addresses: addresses.into_iter().collect(),
            path: "/metrics".to_owned(),
            authorization: None,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Sets the path of their metrics. Default: `/metrics`.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Sets the bearer token that they require. Default: none is sent.
    pub fn bearer(mut self, token: &Secret) -> Self {
        self.authorization = token.bytes().and_then(|token| secret("Bearer", token));
        self
    }

    /// Sets the user name and the password (not a hash) that they require. Default: none are sent.
    pub fn basic(mut self, known: &BasicAuth) -> Self {
        self.authorization = known.password.bytes().and_then(|password| {
            let both = [known.username.as_bytes(), b":", password].concat();
            secret("Basic", STANDARD.encode(both).as_bytes())
        });
        self
    }

    /// Scrapes all of them concurrently, within the scraper's timeout.
    pub(super) async fn gather(&self, deadline: Deadline) -> Option<Gathered> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = timeout_at(deadline.answer, turn).await.ok()?.ok()?;
        let start = Instant::now();
        let patience = (deadline.answer.saturating_duration_since(start) / 2).min(PATIENCE);
        let left = Arc::new(AtomicUsize::new(MOST));
        let mut asked = JoinSet::new();
        for (nth, address) in self.addresses.iter().cloned().enumerate() {
            let question = Question {
                path: self.path.clone(),
                authorization: self.authorization.clone(),
                patience,
            };
            let left = Arc::clone(&left);
            asked.spawn(async move {
                let page = timeout_at(start + patience, ask(&address, question, &left));
                let page = page.await.unwrap_or_else(|_| {
                    Err(format!("no whole page in {} ms", patience.as_millis()))
                });
                let took = start.elapsed();
                let instance = address.to_string();
                (
                    nth,
                    Answer {
                        instance,
                        page,
                        took,
                    },
                )
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = asked.join_next().await {
            answers.extend(answer.ok());
        }
        answers.sort_unstable_by_key(|(nth, _)| *nth);
        let answers = answers.into_iter().map(|(_, answer)| answer).collect();
        Some(Gathered {
            answers,
            _turn: turn,
        })
    }
}

impl fmt::Debug for Siblings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Siblings")
            .field("addresses", &self.addresses)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn secret(scheme: &str, credentials: &[u8]) -> Option<HeaderValue> {
    let text = [scheme.as_bytes(), b" ", credentials].concat();
    let mut value = HeaderValue::from_bytes(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The responses of all processes. Holds the turn until it is dropped.
pub(in crate::server) struct Gathered {
    answers: Vec<Answer>,
    _turn: OwnedSemaphorePermit,
}

impl Gathered {
    /// Writes the merged page.
    pub(in crate::server) fn write(
        &self,
        encoding: Encoding,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        encoding.run(out, &mut |out| merge(&self.answers, out))
    }
}
