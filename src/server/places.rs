//! Decides which connections stay when all slots are taken, and their deadlines.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::Limits;
use super::refused::{Refusal, Refused};

/// The number of connections beyond [`Limits::connections`]: for probes, and to read the requests
/// of new connections.
const RESERVE: usize = 16;

/// The minimum time for a new connection to send its request, which usually follows at once.
const ARRIVAL: Duration = Duration::from_millis(20);

/// A reader whose data has waited for this long gives way to others.
const SLOW: Duration = Duration::from_secs(1);

/// The bytes that a reader must take to make progress.
const ENOUGH: usize = 32 * 1024;

/// The time for an error response after the deadline.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The state of a connection without a request in progress.
///
/// ```text
/// Head ─ head complete ─> answered, until the last answer is written ─> Idle ─ first byte ─> Head
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It sends a head.
    Head,
    /// Its last request was answered.
    Idle,
}

/// A request in progress.
struct Answering {
    number: u64,
    /// Whether it is a probe.
    probe: bool,
    since: Instant,
}

struct Seat {
    stage: Stage,
    since: Instant,
    /// It answers several requests at a time, and data between requests is no head.
    multiplexes: bool,
    /// At most one with HTTP/1.
    answering: Vec<Answering>,
    /// Since when pending data waits to be taken.
    waits: Option<Instant>,
    /// The bytes taken since then.
    taken: usize,
    /// The bytes taken since the stage began.
    total: usize,
    cut: bool,
    waker: Option<Waker>,
}

/// The connections of a listener.
pub(super) struct Places {
    limits: Limits,
    refused: Refused,
    seats: Mutex<(u64, HashMap<u64, Seat>)>,
    left: Notify,
}

/// The slot of one connection, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    cut_short: AtomicBool,
}

/// The slot of a request in progress, until it is dropped.
pub(super) struct Request {
    place: Arc<Place>,
    number: u64,
}

impl Places {
    pub(super) fn new(limits: Limits, refused: Refused) -> Arc<Self> {
        Arc::new(Self {
            limits,
            refused,
            seats: Mutex::default(),
            left: Notify::new(),
        })
    }

    /// Waits for a slot for a new connection. If all are taken, the one that has gone longest
    /// without a complete request is closed.
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

    /// Takes a slot, or returns when to try again.
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
            self.refused(Refusal::Displaced);
        }
        *last += 1;
        let number = *last;
        seats.insert(number, Seat::new(now));
        drop(guard);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(Place {
            places: Arc::clone(self),
            number,
            cut_short: AtomicBool::new(false),
        })
    }

    fn refused(&self, refusal: Refusal) {
        if let Some(refused) = &self.refused {
            refused.inc(&(refusal,));
        }
    }
}

impl Place {
    /// Called when the head of a request is complete. Returns its slot if it is to be answered:
    /// beyond the limit, only a probe is, or a request that replaces a slow reader.
    pub(super) fn begin(self: &Arc<Self>, probe: bool) -> Option<Request> {
        let now = Instant::now();
        let mut guard = self.places.seats.lock();
        let (last, seats) = &mut *guard;
        let mut waker = None;
        if !probe {
            let busy = seats.values().filter(|seat| !seat.cut).map(Seat::busy);
            if busy.sum::<usize>() >= self.places.limits.connections {
                let slow = seats.iter_mut().filter(|(number, seat)| {
                    let gives_way = || seat.gives_way_from().is_some_and(|at| at <= now);
                    **number != self.number && !seat.cut && seat.busy() > 0 && gives_way()
                });
                let Some((_, slowest)) = slow.min_by_key(|(_, seat)| seat.rate(now)) else {
                    self.places.refused(Refusal::Full);
                    return None;
                };
                waker = slowest.cut();
                self.places.refused(Refusal::Displaced);
            }
        }
        *last += 1;
        let number = *last;
        if let Some(seat) = seats.get_mut(&self.number) {
            if seat.answering.is_empty() {
                (seat.since, seat.total) = (now, 0);
            }
            seat.answering.push(Answering {
                number,
                probe,
                since: now,
            });
        }
        drop(guard);
        if let Some(waker) = waker {
            waker.wake();
        }
        let place = Arc::clone(self);
        Some(Request { place, number })
    }

    /// Switches to several requests at a time, as in HTTP/2.
    #[cfg(feature = "tls")]
    pub(super) fn multiplexes(&self) {
        self.with(|seat, _| seat.multiplexes = true);
    }

    pub(super) fn read(&self) {
        self.with(|seat, now| {
            let between = seat.answering.is_empty() && !seat.multiplexes;
            if between && seat.stage == Stage::Idle {
                seat.enter(Stage::Head, now);
                seat.waits = None;
            }
        });
    }

    /// Records that some of the pending bytes were taken.
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

    /// The deadline of the connection; `None` if it must end now.
    pub(super) fn until(&self, cx: &Context<'_>) -> Option<Instant> {
        let mut seats = self.places.seats.lock();
        let seat = seats.1.get_mut(&self.number)?;
        let (until, refusal) = seat.until(&self.places.limits);
        if !seat.cut && until > Instant::now() {
            seat.waker = Some(cx.waker().clone());
            return Some(until);
        }
        // Part of a response may have been sent.
        let answered = seat.waits.is_some() || seat.busy() > 0;
        self.cut_short.store(answered, Ordering::Relaxed);
        if let (false, Some(refusal)) = (seat.cut, refusal) {
            self.places.refused(refusal);
        }
        None
    }

    /// Whether it was ended during a response.
    pub(super) fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Relaxed)
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.places.refused(refusal);
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

impl Request {
    pub(super) fn refused(&self, refusal: Refusal) {
        self.place.refused(refusal);
    }
}

impl Drop for Request {
    /// The response is written, or never will be.
    fn drop(&mut self) {
        self.place.with(|seat, now| {
            seat.answering.retain(|other| other.number != self.number);
            if seat.answering.is_empty() {
                seat.enter(Stage::Idle, now);
            }
        });
    }
}

impl Seat {
    fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Head,
            since: now,
            multiplexes: false,
            answering: Vec::new(),
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

    /// The number of requests in progress, except probes.
    fn busy(&self) -> usize {
        self.answering.iter().filter(|one| !one.probe).count()
    }

    /// When it starts to give way to others; `None` while it waits for us.
    fn gives_way_from(&self) -> Option<Instant> {
        if self.answering.is_empty() {
            return Some(self.since + ARRIVAL);
        }
        self.waits.map(|since| since.max(self.since) + SLOW)
    }

    /// The rate at which it takes data, in bytes per second.
    fn rate(&self, now: Instant) -> u128 {
        let age = now.saturating_duration_since(self.since).as_millis().max(1);
        1_000 * self.total as u128 / age
    }

    /// Its deadline, and the reason of refusal; `None` if it is just idle.
    fn until(&self, limits: &Limits) -> (Instant, Option<Refusal>) {
        let oldest = self.answering.iter().map(|one| one.since).min();
        let stage = match (oldest, self.stage) {
            (Some(since), _) => (since + limits.request + LAST_WORD, Some(Refusal::Late)),
            (None, Stage::Head) => {
                let head = limits.head.min(limits.idle);
                (self.since + head, Some(Refusal::Head))
            }
            (None, Stage::Idle) => (self.since + limits.idle, None),
        };
        let taken = self.waits.map(|since| since + limits.stall);
        match taken {
            Some(taken) if taken < stage.0 => (taken, Some(Refusal::Stalled)),
            _ => stage,
        }
    }

    fn cut(&mut self) -> Option<Waker> {
        self.cut = true;
        self.waker.take()
    }
}
