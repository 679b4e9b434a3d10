//! The background task that writes mails; what the chaos monkey kills.

use std::sync::Arc;
use std::time::Duration;

use selfheal::healing::TaskContext;
use selfheal::registry::{Counter, DeclareError, Group, Registry};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

/// The mailer's orders.
pub(crate) enum Mail {
    /// A confirmation of an order.
    Confirmation(u64),
    /// A mail that makes the mailer panic.
    Poison,
    /// A mail that never gets sent: the mailer hangs.
    Tarpit,
}

/// The mailer's own metrics.
pub(crate) struct MailMetrics {
    sent: Counter,
}

impl Group for MailMetrics {
    const NAME: &'static str = "mail";

    fn declare(registry: &Registry) -> Result<Self, DeclareError> {
        Ok(Self {
            sent: registry
                .counter("mails_sent_total", "Mails handed to the mail server")
                .build()?,
        })
    }
}

/// The queue outlives the task that reads it, so a restart loses no more than one mail.
pub(crate) type Queue = Arc<Mutex<mpsc::Receiver<Mail>>>;

/// The message of the panic that is made on purpose.
const INDIGESTIBLE: &str = "a mail that cannot be digested";

/// Prints one line, without a backtrace, for the panic that is made on purpose; every other panic
/// is printed as before.
pub(crate) fn print_own_panic_in_one_line() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() == Some(INDIGESTIBLE) {
            println!("shop: the mailer panics over {INDIGESTIBLE}");
        } else {
            others(panic);
        }
    }));
}

/// Sends mails until it is cancelled.
#[expect(clippy::panic, reason = "this is the fault that is to be healed")]
pub(crate) async fn run(cx: TaskContext, queue: Queue, metrics: Arc<MailMetrics>) {
    let mut queue = queue.lock().await;
    println!("shop: the mailer is at work");
    loop {
        cx.heartbeat();
        let mail = tokio::select! {
            () = cx.cancelled() => return,
            mail = timeout(Duration::from_millis(200), queue.recv()) => mail,
        };
        match mail {
            Ok(Some(Mail::Confirmation(_order))) => metrics.sent.inc(),
            Ok(Some(Mail::Poison)) => panic!("{INDIGESTIBLE}"),
            Ok(Some(Mail::Tarpit)) => std::future::pending().await,
            Ok(None) => return,
            Err(_) => {} // Nothing to send; beat again.
        }
    }
}
