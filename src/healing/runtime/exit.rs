//! Requests to the host when a fault is escalated beyond an alert.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Healing;
use super::shell::Shell;
use crate::healing::core::{AlertId, ExitRequest};

/// How long the request waits for its record to be in the journal.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);

impl Shell {
    /// Asks the host to end the process, once the record of that is in the journal.
    pub(super) fn ask_to_end(self: &Arc<Self>, request: ExitRequest, record: u64) {
        let written = self.journal.written(record);
        let shell = Arc::clone(self);
        self.spawn(async move {
            let _ = tokio::time::timeout(WRITTEN_WITHIN, written).await;
            shell.exit.send_replace(Some(request));
        });
    }
}

impl Healing {
    /// The faults that keep the service from being ready: healing has given up on them, and the
    /// policy's [`escalation`](crate::config::HealingPolicy::escalation) diverts traffic in that
    /// case. Empty by default. The handle's `/readyz` uses it.
    #[must_use]
    pub fn not_ready(&self) -> Vec<AlertId> {
        let owner = &self.shell.owner;
        owner.read(|state| state.not_ready().cloned().collect())
    }

    /// Waits until the process should end: healing has given up on a fault, and the policy's
    /// [`escalation`](crate::config::HealingPolicy::escalation) asks for a restart. Pending forever
    /// by default. The request is then already in the journal.
    ///
    /// The host decides how to end: let requests in flight finish, call
    /// [`shutdown`](Self::shutdown), which records open issues, and return from `main`. A request
    /// has no effect if nothing waits for it. Cancel-safe; a later call returns the same request
    /// immediately.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use selfheal::healing::Healing;
    /// # async fn ctrl_c() { std::future::pending().await }
    /// async fn until_the_end(healing: &Healing) {
    ///     tokio::select! {
    ///         () = ctrl_c() => {}
    ///         request = healing.exit_asked() => eprintln!("ends: {}", request.why),
    ///     }
    ///     healing.shutdown(Duration::from_secs(10)).await;
    /// }
    /// ```
    pub fn exit_asked(&self) -> impl Future<Output = ExitRequest> + Send + 'static {
        let mut asked: watch::Receiver<Option<ExitRequest>> = self.shell.exit.subscribe();
        async move {
            let request = asked.wait_for(Option::is_some).await;
            match request.ok().and_then(|request| request.clone()) {
                Some(request) => request,
                None => std::future::pending().await,
            }
        }
    }

    /// Ends this process with `code` when [`exit_asked`](Self::exit_asked) returns, after a
    /// [`shutdown`](Self::shutdown) of at most `grace`: for a program with no other cleanup.
    /// Nothing of the program runs after that, destructors included.
    pub fn exit_process_when_asked(&self, code: u8, grace: Duration) {
        let healing = self.clone();
        self.shell.runtime.spawn(async move {
            healing.exit_asked().await;
            healing.shutdown(grace).await;
            std::process::exit(code.into());
        });
    }
}
