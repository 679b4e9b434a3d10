//! A call of an engine's code in its own task, contained.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::healing::core::ShortText;
use crate::healing::engine::Context;

/// How a call ended.
#[derive(Debug)]
pub(super) enum End<T> {
    Done(T),
    Panicked(ShortText),
    /// Its future was dropped after it was cancelled.
    Cancelled,
}

/// Runs `call` in a task. When its context is cancelled, the future has half of the grace to end by
/// itself; then it is dropped at its next await. Returns when nothing of it runs any more, which
/// may be never.
pub(super) async fn run<T, F>(cx: &Context, grace: Duration, call: F) -> End<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut task = EndWithUs(tokio::spawn(call));
    let called_off = async {
        cx.cancelled().await;
        cx.sleep(grace / 2).await;
    };
    let end = tokio::select! {
        end = &mut task.0 => end,
        () = called_off => {
            task.0.abort();
            (&mut task.0).await
        }
    };
    cx.jobs_ended().await;
    match end {
        Ok(done) => End::Done(done),
        Err(error) if error.is_panic() => End::Panicked(panic_text(error.into_panic())),
        Err(_) => End::Cancelled,
    }
}

/// Aborts the task when its waiter is dropped.
struct EndWithUs<T>(JoinHandle<T>);

impl<T> Drop for EndWithUs<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls synchronous code of an engine, and contains its panic.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, ShortText> {
    catch_unwind(AssertUnwindSafe(call)).map_err(panic_text)
}

/// The message of a panic. Dropping its payload may panic as well.
fn panic_text(panic: Box<dyn Any + Send>) -> ShortText {
    let text = if let Some(text) = panic.downcast_ref::<&str>() {
        ShortText::from(format!("panicked: {text}"))
    } else if let Some(text) = panic.downcast_ref::<String>() {
        ShortText::from(format!("panicked: {text}"))
    } else {
        ShortText::from("panicked without a message")
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    const GRACE: Duration = Duration::from_secs(4);

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    fn said<T>(end: End<T>) -> String {
        match end {
            End::Panicked(text) => text.to_string(),
            _ => String::new(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn panics_are_contained_wherever_they_happen() {
        let cx = Context::by_hand().unwrap();
        let early = run(&cx, GRACE, async { panic!("early") }).await;
        assert_eq!(said::<()>(early), "panicked: early");
        let cx = Context::by_hand().unwrap();
        let in_drop = run(&cx, GRACE, async {
            let _bomb = Bomb;
            tokio::task::yield_now().await;
        });
        assert_eq!(said(in_drop.await), "panicked: in drop");
        let cx = Context::by_hand().unwrap();
        let strange = run(&cx, GRACE, async { std::panic::panic_any(Bomb) }).await;
        assert_eq!(said::<()>(strange), "panicked without a message");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_called_off_may_end_by_itself_or_is_dropped() {
        let cx = Context::by_hand().unwrap();
        cx.token().cancel();
        let own = cx.clone();
        let polite = async move { own.cancelled().await };
        assert!(matches!(run(&cx, GRACE, polite).await, End::Done(())));
        let (cx, before) = (Context::by_hand().unwrap(), Instant::now());
        cx.token().cancel();
        let deaf = run(&cx, GRACE, std::future::pending::<()>()).await;
        assert!(matches!(deaf, End::Cancelled));
        assert_eq!(before.elapsed(), GRACE / 2);
    }
}
