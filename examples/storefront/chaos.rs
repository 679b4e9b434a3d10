//! Breaks things on a schedule of seconds. It only breaks: the crate has to notice and heal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use selfheal::Selfheal;
use selfheal::health::Status;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::mailer::Mail;
use crate::supplier::{Mood, Suppliers};
use crate::timeline::Broken;

/// The time between two faults.
const EVERY: Duration = Duration::from_secs(2);

/// How long before the end the last fault may be.
pub(crate) const LEAD: Duration = Duration::from_secs(6);

/// What can be broken, and how often it was.
pub(crate) struct Monkey {
    heal: Selfheal,
    file: PathBuf,
    mail: mpsc::Sender<Mail>,
    suppliers: Arc<Suppliers>,
    pub(crate) broken: Broken,
}

impl Monkey {
    pub(crate) fn new(
        heal: Selfheal,
        file: &Path,
        mail: mpsc::Sender<Mail>,
        suppliers: Arc<Suppliers>,
    ) -> Self {
        Self {
            heal,
            file: file.to_owned(),
            mail,
            suppliers,
            broken: Broken::default(),
        }
    }

    /// Breaks one thing after the other until `until`, each only while it is well: two faults
    /// of one thing at a time would be one issue, and the numbers at the end should match.
    pub(crate) async fn run(&self, until: Option<Instant>) {
        for round in 0_u64.. {
            sleep(EVERY).await;
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            match round % 5 {
                0 => self.corrupt(b"\x00\xff not a catalogue").await,
                1 => self.mail(Mail::Poison).await,
                2 if round % 2 == 0 => self.supplier(Mood::Failing),
                2 => self.supplier(Mood::Slow),
                3 => self.mail(Mail::Tarpit).await,
                _ => self.remove().await,
            }
        }
        self.suppliers.calm();
    }

    fn is_well(&self, component: &str) -> bool {
        let report = self.heal.report();
        report
            .components
            .iter()
            .any(|part| part.name == component && part.status() == Status::Up)
    }

    async fn corrupt(&self, garbage: &'static [u8]) {
        if self.is_well("config") && tokio::fs::write(&self.file, garbage).await.is_ok() {
            self.broken.note("config");
            println!("chaos: wrote garbage into {}", self.file.display());
        }
    }

    async fn remove(&self) {
        if self.is_well("config") && tokio::fs::remove_file(&self.file).await.is_ok() {
            self.broken.note("config");
            println!("chaos: removed {}", self.file.display());
        }
    }

    async fn mail(&self, mail: Mail) {
        let what = match mail {
            Mail::Poison => "a mail that makes it panic",
            _ => "a mail that makes it hang",
        };
        if self.is_well("mailer") && self.mail.send(mail).await.is_ok() {
            self.broken.note("mailer");
            println!("chaos: sent the mailer {what}");
        }
    }

    fn supplier(&self, mood: Mood) {
        if self.is_well("supplier") {
            let (name, supplier) = self.suppliers.in_use();
            supplier.set(mood);
            self.broken.note("supplier");
            println!("chaos: supplier {name} is {mood:?}");
            // The supplier that healing switches to must be well; this one recovers by itself,
            // late.
            tokio::spawn(async move {
                sleep(EVERY * 3).await;
                supplier.set(Mood::Well);
            });
        }
    }
}
