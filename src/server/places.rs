//! Who may stay when all connections are taken, and until when.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::listener::Limits;

/// So many connections there are beside those that [`Limits::connections`] allows: for requests
/// to probes, and to read what a newcomer wants.
const RESERVE: usize = 16;

/// A newcomer has at least so long to send what it wants: on its way, a request is right behind
/// the connection.
const ARRIVAL: Duration = Duration::from_millis(20);

/// Whose bytes have waited for so long gives way to others.
const SLOW: Duration = Duration::from_secs(1);

/// A reader that takes so many bytes makes progress.
const ENOUGH: usize = 32 * 1024;

/// After the time for an answer, so much for what says that there is none.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What a connection does.
///
/// ```text
/// Head ─ head complete ─> Probe or Busy ─ answer written ─> Idle ─ first byte ─> Head
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It sends a head.
    Head,
    /// It was answered.
    Idle,
    /// It is answered about health.
    Probe,
    /// It is answered about anything else.
    Busy,
}

struct Seat {
    stage: Stage,
    since: Instant,
    /// Since when what it is sent waits for it to be taken.
    waits: Option<Instant>,
    /// What it took since.
    taken: usize,
    /// What it took since the stage began.
    total: usize,
    cut: bool,
    waker: Option<Waker>,
}

/// The connections of a listener.
pub(super) struct Places {
    limits: Limits,
    seats: Mutex<(u64, HashMap<u64, Seat>)>,
    left: Notify,
}

/// The place of one connection, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            seats: Mutex::default(),
            left: Notify::new(),
        })
    }

    /// A place for a newcomer. Where all are taken, the one gives way that has gone longest
    /// without a whole request.
    pub(super) async fn enter(self: &Arc<Self>) -> Place {
        loop {
            let left = self.left.notified();
            let next = match self.try_enter() {
                Ok(place) => return place,
                Err(next) => next,
            };
            tokio::select! {
                () = left => {}
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// A place, or when to try again.
    fn try_enter(self: &Arc<Self>) -> Result<Place, Instant> {
        let now = Instant::now();
        let mut guard = self.seats.lock();
        let (last, seats) = &mut *guard;
        let taken = seats.values().filter(|seat| !seat.cut).count();
        let mut waker = None;
        if taken >= self.limits.connections + RESERVE {
            let waiting = seats.values_mut().filter(|seat| !seat.cut);
            let waiting = waiting.filter_map(|seat| Some((seat.gives_way_from()?, seat)));
            let Some((from, seat)) = waiting.min_by_key(|(from, _)| *from) else {
                return Err(now + SLOW);
            };
            if from > now {
                return Err(from);
            }
            waker = seat.cut();
        }
        *last += 1;
        let number = *last;
        seats.insert(number, Seat::new(now));
        drop(guard);
        if let Some(waker) = waker {
            waker.wake();
        }
        let places = Arc::clone(self);
        Ok(Place { places, number })
    }
}

impl Place {
    /// The head of a request is complete. Says whether it is answered: beyond the limit a probe
    /// is, and another where a slow reader gives way to it.
    pub(super) fn begin(&self, probe: bool) -> bool {
        let now = Instant::now();
        let mut guard = self.places.seats.lock();
        let seats = &mut guard.1;
        let mut waker = None;
        if !probe {
            let busy = |seat: &&mut Seat| !seat.cut && seat.stage == Stage::Busy;
            if seats.values_mut().filter(busy).count() >= self.places.limits.connections {
                let slow = seats.values_mut().filter(busy);
                let slow = slow.filter(|seat| seat.gives_way_from().is_some_and(|at| at <= now));
                let Some(slowest) = slow.min_by_key(|seat| seat.rate(now)) else {
                    return false;
                };
                waker = slowest.cut();
            }
        }
        if let Some(seat) = seats.get_mut(&self.number) {
            seat.enter(if probe { Stage::Probe } else { Stage::Busy }, now);
        }
        drop(guard);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The answer is written, or never will be.
    pub(super) fn end(&self) {
        self.with(|seat, now| seat.enter(Stage::Idle, now));
    }

    pub(super) fn read(&self) {
        self.with(|seat, now| {
            if seat.stage == Stage::Idle {
                seat.enter(Stage::Head, now);
                seat.waits = None;
            }
        });
    }

    /// So many bytes of those that were to be sent were taken.
    pub(super) fn wrote(&self, taken: usize, of: usize) {
        self.with(|seat, now| {
            seat.taken += taken;
            seat.total += taken;
            if taken == of {
                seat.waits = None;
            } else if seat.waits.is_none() || seat.taken >= ENOUGH {
                seat.waits = Some(now);
                seat.taken = 0;
            }
        });
    }

    /// Whether the connection is to end now, since it gave way or its time is up; else by when.
    pub(super) fn until(&self, cx: &Context<'_>) -> Option<Instant> {
        let mut seats = self.places.seats.lock();
        let seat = seats.1.get_mut(&self.number)?;
        let until = seat.until(&self.places.limits);
        if seat.cut || until <= Instant::now() {
            return None;
        }
        seat.waker = Some(cx.waker().clone());
        Some(until)
    }

    /// Whether a part of an answer may be on its way.
    pub(super) fn is_answered(&self) -> bool {
        let seats = self.places.seats.lock();
        let seat = seats.1.get(&self.number);
        seat.is_some_and(|seat| seat.waits.is_some() || seat.stage == Stage::Busy)
    }

    fn with(&self, act: impl FnOnce(&mut Seat, Instant)) {
        if let Some(seat) = self.places.seats.lock().1.get_mut(&self.number) {
            act(seat, Instant::now());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.seats.lock().1.remove(&self.number);
        self.places.left.notify_one();
    }
}

impl Seat {
    fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Head,
            since: now,
            waits: None,
            taken: 0,
            total: 0,
            cut: false,
            waker: None,
        }
    }

    fn enter(&mut self, stage: Stage, now: Instant) {
        self.stage = stage;
        self.since = now;
        self.total = 0;
    }

    /// From when on it gives way to others; `None` while it waits for us.
    fn gives_way_from(&self) -> Option<Instant> {
        match self.stage {
            Stage::Head | Stage::Idle => Some(self.since + ARRIVAL),
            Stage::Probe | Stage::Busy => self.waits.map(|since| since.max(self.since) + SLOW),
        }
    }

    /// How fast it takes what it is sent, in bytes a second.
    fn rate(&self, now: Instant) -> u128 {
        let age = now.saturating_duration_since(self.since).as_millis().max(1);
        1_000 * self.total as u128 / age
    }

    fn until(&self, limits: &Limits) -> Instant {
        let stage = match self.stage {
            Stage::Head => limits.head.min(limits.idle),
            Stage::Idle => limits.idle,
            Stage::Probe | Stage::Busy => limits.request + LAST_WORD,
        };
        let until = self.since + stage;
        self.waits
            .map_or(until, |since| until.min(since + limits.stall))
    }

    fn cut(&mut self) -> Option<Waker> {
        self.cut = true;
        self.waker.take()
    }
}
