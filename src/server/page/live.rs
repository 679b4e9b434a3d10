//! Server-sent events of the page: its changes, once per second.

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

/// The interval of rendering the page, for all open browsers together.
const EVERY: Duration = Duration::from_secs(1);

/// The limit of open streams; further browsers reload the page by themselves.
const MOST: usize = 32;

/// The lifetime of a stream, after which the browser opens the next one: it is shorter than the
/// listener's limit of a request, and bounds the wait of a stopping server.
const LASTING: Duration = Duration::from_secs(8);

/// The parts of a stream, each of which is sent when it has changed.
pub(in crate::server) type Parts = Vec<(String, Value)>;

/// State shared by all streams of one router.
pub(in crate::server) struct Live {
    health: Arc<dyn Source>,
    render: fn(&Report) -> Parts,
    last: Mutex<Option<(Instant, Arc<Parts>)>>,
    open: AtomicUsize,
}

impl Live {
    /// Creates streams of the parts `rendered` from each report.
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

    /// The current parts, at most half an interval old.
    fn rendered(&self) -> Arc<Parts> {
        let now = Instant::now();
        let last = self.last.lock().clone();
        if let Some((at, rendered)) = last
            && now - at < EVERY / 2
        {
            return rendered;
        }
        // Not under the lock: contributors of the application are called.
        let rendered = Arc::new((self.render)(&self.health.report()));
        *self.last.lock() = Some((now, Arc::clone(&rendered)));
        rendered
    }
}

/// The content of each section of the page, preceded by its title.
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

/// The parts of the report itself, as in `/api/status`.
pub(in crate::server) fn facts(report: &Report) -> Parts {
    match serde_json::to_value(report) {
        Ok(Value::Object(parts)) => parts.into_iter().collect(),
        _ => Parts::new(),
    }
}

/// Opens a stream of events, or answers 503 if too many are open.
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

/// An open stream, until it is dropped.
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
    /// The content last sent of each part.
    sent: Vec<Value>,
    began: bool,
}

impl Events {
    /// The changed parts, as one event.
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
        // JSON has no raw line breaks, so it is one line of the event. Writing text cannot fail.
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
