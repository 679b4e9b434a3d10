use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Request, StatusCode};
use tonic::Code;

use super::methods::Methods;
use super::metrics::Side;
use super::series::Series;
use super::status::{self, Content};
use super::tally::{Tally, Waiting};
use super::timeout;

/// One call on its way. It travels from the request through the future into the body of the
/// response, and whatever becomes of those, it records the call exactly once: where it is
/// told of the end, or else where it is dropped.
pub(super) struct Call {
    series: Arc<Series>,
    /// When it began, if anybody wants to know.
    start: Option<Instant>,
    /// The time that it was given.
    timeout: Option<Duration>,
    /// What it is if the response ends without a code.
    codeless: Code,
    /// Whether code of the application runs on top of the call. If it is dropped then, that
    /// code has panicked and this is the unwinding.
    inside: bool,
    ended: bool,
    /// Until it turns out whether somebody serves the method.
    unsettled: Option<Box<Unsettled>>,
}

struct Unsettled {
    methods: Arc<Methods>,
    service: Box<str>,
    method: Box<str>,
    waiting: Arc<Waiting>,
}

impl Call {
    /// Begins to record a request, unless it is no gRPC call. Also says where the messages of
    /// the request are counted.
    #[inline]
    pub(super) fn begin<B>(
        methods: &Arc<Methods>,
        request: &Request<B>,
    ) -> (Option<Self>, Option<Tally>) {
        let side = methods.recorder.side;
        let content = Content::of(request.headers());
        let may_be_call = match content {
            Content::Grpc => true,
            Content::Web => false,
            // What tonic serves it serves by the path alone, whatever the content type, but a
            // browser's OPTIONS is no call.
            Content::Other => side == Side::Server && request.method() == Method::POST,
        };
        if !may_be_call {
            return (None, None);
        }
        let (service, method) = split(request.uri().path());
        let own = methods.recorder.timeout;
        let timeout = || timeout::shorter(timeout::of_headers(request.headers()), own);
        let series = match side {
            Side::Client => methods.by_name(last_segment(service), method),
            Side::Server => match methods.find(service, method) {
                Some(series) => series,
                None if content == Content::Grpc => {
                    return Self::of_unknown(methods, service, method, timeout());
                }
                None => return (None, None),
            },
        };
        let tally = series.handles.requests.clone().map(Tally::To);
        let mut call = Self::new(Arc::clone(series), timeout());
        call.started();
        (Some(call), tally)
    }

    #[cold]
    fn of_unknown(
        methods: &Arc<Methods>,
        service: &str,
        method: &str,
        timeout: Option<Duration>,
    ) -> (Option<Self>, Option<Tally>) {
        let series = methods.unknown();
        let mut call = Self::new(Arc::clone(series), timeout);
        if !methods.learns(service, method) {
            call.started();
            let tally = series.handles.requests.clone().map(Tally::To);
            return (Some(call), tally);
        }
        let waiting = Arc::new(Waiting::default());
        call.unsettled = Some(Box::new(Unsettled {
            methods: Arc::clone(methods),
            service: service.into(),
            method: method.into(),
            waiting: Arc::clone(&waiting),
        }));
        (Some(call), Some(Tally::Later(waiting)))
    }

    /// A call that is active from now on.
    #[inline]
    pub(super) fn new(series: Arc<Series>, timeout: Option<Duration>) -> Self {
        if let Some(active) = &series.handles.active {
            active.inc();
        }
        let timed = series.timed || timeout.is_some();
        Self {
            start: timed.then(|| series.recorder.clock.now()),
            series,
            timeout,
            codeless: Code::Unknown,
            inside: false,
            ended: false,
            unsettled: None,
        }
    }

    #[inline]
    pub(super) fn started(&mut self) {
        if let Some(started) = &self.series.handles.started {
            started.inc();
        }
    }

    pub(super) fn series(&self) -> &Series {
        &self.series
    }

    /// Runs code of the application, and knows if that never returns.
    #[inline]
    pub(super) fn around<T>(call: Option<&mut Self>, run: impl FnOnce() -> T) -> T {
        let Some(call) = call else { return run() };
        call.inside = true;
        let result = run();
        call.inside = false;
        result
    }

    /// The response has begun. Returns whether there is more of it to wait for; if there is
    /// not, the call is over.
    #[inline]
    pub(super) fn begun(&mut self, status: StatusCode, headers: &HeaderMap, no_body: bool) -> bool {
        let code = status::of_headers(headers);
        if let Some(unsettled) = self.unsettled.take() {
            // A handler has answered: what refuses calls before they reach one (a router, an
            // interceptor) does so with a code in the headers.
            let served =
                code.is_none() && status == StatusCode::OK && Content::of(headers) == Content::Grpc;
            self.settle(&unsettled, served);
        }
        if let Some(code) = code {
            self.end(code);
            return false;
        }
        self.codeless = status::of_http(status);
        if no_body {
            self.end(self.codeless);
        }
        !no_body
    }

    /// Messages have passed in the response.
    #[inline]
    pub(super) fn answered(&self, messages: u64) {
        if messages > 0
            && let Some(responses) = &self.series.handles.responses
        {
            responses.add(messages);
        }
    }

    /// The trailers have come.
    #[inline]
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        self.end(status::of_headers(trailers).unwrap_or(self.codeless));
    }

    /// The response has ended without trailers.
    pub(super) fn no_trailers(&mut self) {
        self.end(self.codeless);
    }

    /// The service has failed, or the body of the response.
    pub(super) fn failed(&mut self, error: &dyn std::any::Any) {
        self.end(
            status::of_error(error).unwrap_or(match self.series.recorder.side {
                Side::Server => Code::Unknown,
                // No answer came, or no end of it.
                Side::Client => Code::Unavailable,
            }),
        );
    }

    /// Records the call, unless it has been.
    #[inline]
    pub(super) fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(unsettled) = self.unsettled.take() {
            self.settle(&unsettled, false);
        }
        let ended = self.series.ended(code);
        if let Some(handled) = &ended.handled {
            handled.inc();
        }
        let mut durations = [&ended.duration, &self.series.handles.duration]
            .into_iter()
            .flatten()
            .peekable();
        if durations.peek().is_some() {
            let took = self.took().as_secs_f64();
            durations.for_each(|duration| duration.observe(took));
        }
        if let Some(active) = &self.series.handles.active {
            active.dec();
        }
    }

    /// The time so far; zero where nobody wants to know.
    #[inline]
    pub(super) fn took(&self) -> Duration {
        let clock = &self.series.recorder.clock;
        self.start.map_or(Duration::ZERO, |start| {
            clock.now().saturating_duration_since(start)
        })
    }

    /// It is known now whether the method is served. If it is, the call moves to its series.
    #[cold]
    fn settle(&mut self, unsettled: &Unsettled, served: bool) {
        let Unsettled {
            methods,
            service,
            method,
            waiting,
        } = unsettled;
        if let Some(series) = served.then(|| methods.learn(service, method)).flatten() {
            if let (Some(to), Some(from)) = (&series.handles.active, &self.series.handles.active) {
                to.inc();
                from.dec();
            }
            self.series = Arc::clone(series);
        }
        self.started();
        waiting.settle(self.series.handles.requests.clone());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let late = |timeout| timeout::has_passed(timeout, self.took());
        let code = if self.inside {
            Code::Unknown
        } else if self.timeout.is_some_and(late) {
            Code::DeadlineExceeded
        } else {
            Code::Cancelled
        };
        self.end(code);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("name", &self.series.name)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Service and method of `/package.Service/Method`; empty where the path is no such thing.
#[inline]
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix('/');
    rest.and_then(split_last).unwrap_or_default()
}

/// An origin with a path puts that before the service.
#[inline]
fn last_segment(service: &str) -> &str {
    split_last(service).map_or(service, |(_, last)| last)
}

/// What is before and behind the last slash. Names are short, so that a plain loop is quicker
/// than the search that is made for long text.
#[inline]
fn split_last(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| byte == b'/')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_and_method_of_a_path() {
        for (path, service, method) in [
            ("/a.B/C", "a.B", "C"),
            ("/x/a.B/C", "x/a.B", "C"),
            ("/a.B/C/", "a.B/C", ""),
            ("//C", "", "C"),
            ("/a.B", "", ""),
            ("*", "", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(path), (service, method), "{path}");
        }
        assert_eq!(last_segment("x/a.B"), "a.B");
    }
}
