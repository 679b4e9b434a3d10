//! Requests to the host, once a fault is escalated beyond an alert.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Healing;
use super::shell::Shell;
use crate::healing::core::{AlertId, ExitRequest};

/// The request waits so long for its record to be in the journal.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);

impl Shell {
    /// Tells the host that the process should end, once the record of that is in the journal.
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
    /// The faults that keep the service from being ready for traffic: healing has given up on
    /// them, and the policy's [`escalation`](crate::config::HealingPolicy::escalation) turns
    /// traffic away then. Empty by default. The handle's `/readyz` heeds it.
    #[must_use]
    pub fn not_ready(&self) -> Vec<AlertId> {
        let owner = &self.shell.owner;
        owner.read(|state| state.not_ready().cloned().collect())
    }

    /// Waits until the process should end: healing has given up on a fault, and the policy's
    /// [`escalation`](crate::config::HealingPolicy::escalation) asks for a restart. By default it
    /// never does. The request is in the journal by then.
    ///
    /// How to end is for the host to say: let requests that are under way finish, call
    /// [`shutdown`](Self::shutdown), which writes down what remains, and return from `main`.
    /// Nothing happens where no one waits. Cancel-safe; one that comes later has the answer at
    /// once.
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

    /// Ends this process with `code` when [`exit_asked`](Self::exit_asked) says so, after a
    /// [`shutdown`](Self::shutdown) of at most `grace`: for a program that has nothing else to see
    /// to. Nothing of the program runs after that, destructors included.
    pub fn exit_process_when_asked(&self, code: u8, grace: Duration) {
        let healing = self.clone();
        self.shell.runtime.spawn(async move {
            healing.exit_asked().await;
            healing.shutdown(grace).await;
            std::process::exit(code.into());
        });
    }
}
