//! The events of the page: what changed on it, a second at a time, as server-sent events.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Frame;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::sections::{SECTIONS, title};
use crate::health::{Report, Source};
use crate::util::write_json;

/// How often the page is rendered anew, for all that have it open.
const EVERY: Duration = Duration::from_secs(1);

/// So many browsers have the page live at a time; others load it anew by themselves.
const MOST: usize = 32;

/// After so long a stream ends in good order, and the browser opens the next: it is within the time
/// that the listener gives a request, and a server that stops waits no longer for it.
const LASTING: Duration = Duration::from_secs(8);

/// What a stream is about, in parts, each of which is sent when it has changed.
pub(in crate::server) type Parts = Vec<(String, Value)>;

/// What all streams of one router share.
pub(in crate::server) struct Live {
    health: Arc<dyn Source>,
    render: fn(&Report) -> Parts,
    last: Mutex<Option<(Instant, Arc<Parts>)>>,
    open: AtomicUsize,
}

impl Live {
    /// Streams of what is `rendered` from each report.
    pub(in crate::server) fn new(
        health: Arc<dyn Source>,
        render: fn(&Report) -> Parts,
    ) -> Arc<Self> {
        Arc::new(Self {
            health,
            render,
            last: Mutex::default(),
            open: AtomicUsize::new(0),
        })
    }

    /// The parts as they are now, not older than the half of a second.
    fn rendered(&self) -> Arc<Parts> {
        let now = Instant::now();
        let last = self.last.lock().clone();
        if let Some((at, rendered)) = last
            && now - at < EVERY / 2
        {
            return rendered;
        }
        // Not under the lock: the application has a say in the report.
        let rendered = Arc::new((self.render)(&self.health.report()));
        *self.last.lock() = Some((now, Arc::clone(&rendered)));
        rendered
    }
}

/// The content of each section of the page, with its title before them.
pub(in crate::server) fn sections(report: &Report) -> Parts {
    let sections = SECTIONS.iter().map(|(id, render)| {
        let mut out = String::new();
        render(&mut out, report, None);
        ((*id).to_owned(), out.into())
    });
    std::iter::once(("title".to_owned(), title(report).into()))
        .chain(sections)
        .collect()
}

/// The parts of the report itself, as `/api/status` has them.
pub(in crate::server) fn facts(report: &Report) -> Parts {
    match serde_json::to_value(report) {
        Ok(Value::Object(parts)) => parts.into_iter().collect(),
        _ => Parts::new(),
    }
}

/// The stream of events, or 503 where too many are open.
pub(in crate::server) fn serve(live: &Arc<Live>) -> Response {
    let open = Open(Arc::clone(live));
    if live.open.fetch_add(1, Ordering::Relaxed) >= MOST {
        let headers = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers).into_response();
    }
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let events = Events {
        open,
        every,
        until: Instant::now() + LASTING,
        sent: Vec::new(),
        began: false,
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Body::new(events)).into_response()
}

/// One of the streams that are open, until it is dropped.
struct Open(Arc<Live>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Events {
    open: Open,
    every: Interval,
    until: Instant,
    /// What the browser has of each part.
    sent: Vec<Value>,
    began: bool,
}

impl Events {
    /// The sections that changed, as one event.
    fn next(&mut self) -> Bytes {
        let rendered = self.open.0.rendered();
        self.sent.resize(rendered.len(), Value::Null);
        let mut changed = std::collections::BTreeMap::new();
        for ((id, now), sent) in rendered.iter().zip(&mut self.sent) {
            if !self.began || sent != now {
                sent.clone_from(now);
                changed.insert(id.as_str(), now);
            }
        }
        let mut event = Vec::new();
        if !self.began {
            event.extend_from_slice(b"retry: 250\n");
            self.began = true;
        }
        event.extend_from_slice(b"data: ");
        // JSON has no raw line breaks, so it is one line of the event. It cannot fail on text.
        let _ = write_json(&mut event, &changed);
        while event.last() == Some(&b'\n') {
            event.pop();
        }
        event.extend_from_slice(b"\n\n");
        Bytes::from(event)
    }
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let tick = ready!(self.every.poll_tick(cx));
        if tick >= self.until {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(self.next()))))
    }
}
