//! Carries out the effects of the core in order, and wakes it as requested.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::watch;

use super::alert_hook::{AlertChange, Delivery};
use super::attempt;
use super::events::HealingEvent;
use super::shell::{Shell, Stage};
use super::trace;
use super::verify;
use crate::healing::core::{Effect, Event, Moment, Record, What};
use crate::healing::engine::Timeline;
use crate::healing::journal::Progress;

pub(super) struct Driver {
    shell: Arc<Shell>,
    /// When to wake the core.
    wake: Option<Moment>,
    /// Sequence number of the last journaled record.
    last_seq: u64,
    progress: Option<watch::Receiver<Progress>>,
    journal_healthy: bool,
}

impl Driver {
    pub(super) fn new(shell: Arc<Shell>) -> Self {
        Self {
            progress: shell.journal.progress(),
            shell,
            wake: None,
            last_seq: 0,
            journal_healthy: true,
        }
    }

    /// Runs until the engine ends.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        let shell = Arc::clone(&self.shell);
        loop {
            shell.owner.take(&mut batch);
            if batch.is_empty() {
                tokio::select! {
                    () = shell.owner.kick.notified() => {}
                    () = until(&shell.timeline, self.wake) => {
                        self.wake = None;
                        shell.feed(Event::Tick);
                    }
                    progress = changed(&mut self.progress) => self.journal_changed(progress),
                    () = shell.closing.cancelled() => {
                        shell.owner.take(&mut batch);
                        if batch.is_empty() {
                            return;
                        }
                    }
                }
            }
            for effect in batch.drain(..) {
                self.execute(effect);
            }
            tokio::task::consume_budget().await;
        }
    }

    fn execute(&mut self, effect: Effect) {
        let shell = &self.shell;
        match effect {
            Effect::Record(record) => self.record(*record),
            Effect::Notice(notice) => {
                trace::notice(&notice);
                let _ = shell.events.send(HealingEvent::Notice(notice));
            }
            // Its intent is the last record.
            Effect::Start(start) => attempt::start(shell, *start, self.last_seq),
            Effect::Cancel { attempt } => {
                if let Some(token) = shell.running.lock().get(&attempt) {
                    token.cancel();
                }
            }
            Effect::Verify {
                ticket,
                engine,
                issue,
                attempt: _,
                data_after: _,
                timeout,
            } => verify::verify(shell, ticket, &engine, issue, timeout),
            Effect::Detect { engine } => {
                if let Some(slot) = shell.slot(&engine) {
                    slot.hint.notify_one();
                }
            }
            Effect::Raise(alert) => self.alert(AlertChange::Raised(*alert)),
            Effect::Resolve(alert) => self.alert(AlertChange::Resolved(*alert)),
            Effect::Exit(request) => shell.ask_to_end(*request, self.last_seq),
            Effect::WakeAt(moment) => {
                self.wake = (moment != Moment::NEVER).then_some(moment);
            }
            Effect::Stopped => {
                shell.stage.send_if_modified(|stage| {
                    *stage < Stage::Stopped && {
                        *stage = Stage::Stopped;
                        true
                    }
                });
            }
        }
    }

    fn record(&mut self, record: Record) {
        let record = Arc::new(record);
        self.last_seq = record.seq;
        if record.what == What::Reloaded {
            for slot in self.shell.slots() {
                slot.retimed.notify_one();
            }
        }
        trace::record(&record);
        self.shell.journal.push(Arc::clone(&record));
        // There may be no receiver.
        let _ = self.shell.events.send(HealingEvent::Record(record));
    }

    fn alert(&self, change: AlertChange) {
        // Slow hooks miss alerts; the list of firing ones is complete.
        if self
            .shell
            .alerts
            .try_send(Delivery::Change(change))
            .is_err()
        {
            self.shell.alerts_missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn journal_changed(&mut self, progress: Progress) {
        if progress.healthy != self.journal_healthy {
            self.journal_healthy = progress.healthy;
            let healthy = progress.healthy;
            self.shell.feed(Event::Journal { healthy });
        }
        if progress.wants_new {
            self.begin_file();
        }
    }

    /// Begins a journal file with the state at one point of the stream of records: everything
    /// before that point goes to the old file.
    fn begin_file(&mut self) {
        let shell = Arc::clone(&self.shell);
        let stamp = shell.timeline.first_stamp();
        let (before, carried) = shell.owner.carry(stamp);
        for effect in before {
            self.execute(effect);
        }
        self.last_seq = carried.last().map_or(self.last_seq, |last| last.seq);
        shell.journal.begin(carried);
    }
}

async fn until(timeline: &Timeline, wake: Option<Moment>) {
    match wake {
        Some(at) => timeline.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for a change of the journal; forever without files.
async fn changed(progress: &mut Option<watch::Receiver<Progress>>) -> Progress {
    if let Some(receiver) = progress
        && receiver.changed().await.is_ok()
    {
        return *receiver.borrow_and_update();
    }
    std::future::pending().await
}
