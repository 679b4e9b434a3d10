/// Declares a tracker for a kind of work: its labels, its metrics, and how they change when it
/// starts and ends. Everything else is common to every [`Tracker`].
///
/// ```
/// use selfheal::registry::{DeclareError, Registry};
///
/// selfheal::group! {
///     /// Reports that are made.
///     pub struct ReportMetrics: "reports" {
///         /// Reports, by how they ended
///         pub reports: Counter = "reports_total" ["format", "status"];
///         /// Time a report took
///         pub duration: Histogram = "report_duration_seconds" ["format"];
///         /// Reports that are being made
///         pub active: Gauge = "reports_active" ["format"];
///         /// Pages of all reports
///         pub pages: Counter = "report_pages_total" ["format"];
///     }
/// }
///
/// selfheal::tracker! {
///     /// One report.
///     pub struct Report: ReportKind(format) in ReportMetrics {
///         started(metrics) { metrics.active.inc(&(format,)); }
///         ended(metrics, outcome, took) {
///             metrics.active.dec(&(format,));
///             metrics.reports.inc(&(format, outcome.status()));
///             metrics.duration.observe(&(format,), took.as_secs_f64());
///         }
///     }
/// }
///
/// impl Report {
///     /// Adds pages.
///     pub fn pages(&self, n: u64) {
///         self.record(|metrics, [format]| metrics.pages.add(&(format,), n));
///     }
/// }
///
/// # fn main() -> Result<(), DeclareError> {
/// let registry = Registry::new();
/// let report = Report::start_in(&registry, "pdf");
/// report.pages(12);
/// report.success();
/// drop(Report::start_in(&registry, "html")); // recorded as abandoned
/// let labels = [("format", "html"), ("status", "abandoned")];
/// selfheal::testing::assert_value(&registry, "reports_total", &labels, 1.0);
/// # Ok(())
/// # }
/// ```
///
/// It generates two types: the kind (`ReportKind`), which [`tracked`] takes, and the tracker, with
/// `start`, `start_in`, `start_with`, `success`, `error`, `result`, `run`, `record` and `elapsed`.
/// With `without success` after the metrics type, `success` can be written by hand, with arguments.
///
/// [`Tracker`]: crate::track::Tracker
/// [`tracked`]: crate::track::TrackFuture::tracked
#[macro_export]
macro_rules! tracker {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Tracker:ident: $Kind:ident $labels:tt in $Metrics:ty
        $(, without $success:ident)?
        {
            $(started($start:ident) $started:block)?
            ended($metrics:ident, $outcome:ident, $took:ident) $ended:block
        }
    ) => {
        impl $crate::track::TrackerKind for $Kind {
            type Metrics = $Metrics;

            $(
                #[allow(unused_variables, reason = "some names of a kind are unused here")]
                fn started(&self, $start: &$Metrics) {
                    $crate::tracker!(@names self $labels);
                    $started
                }
            )?

            #[allow(unused_variables, reason = "some names of a kind are unused here")]
            fn record(
                &self,
                $metrics: &$Metrics,
                $outcome: $crate::track::Outcome<'_>,
                $took: ::core::time::Duration,
            ) {
                $crate::tracker!(@names self $labels);
                $ended
            }
        }

        $crate::tracker!(@types [$(#[$meta])*] $vis $Tracker $Kind $labels $Metrics);
        $crate::tracker!(@success $Tracker $($success)?);
    };
    (@names $self:tt ($($label:ident),* $(,)?)) => {
        let [$($label),*] = $self.0.get();
    };
    (
        @types [$(#[$meta:meta])*] $vis:vis $Tracker:ident $Kind:ident
        ($($label:ident),* $(,)?) $Metrics:ty
    ) => {
        #[doc = concat!("What a [`", stringify!($Tracker), "`] follows.")]
        #[derive(Debug)]
        $vis struct $Kind($crate::track::Texts<{ <[&str]>::len(&[$(stringify!($label)),*]) }>);

        impl $Kind {
            /// Identifies a piece of work. The texts become label values: use a small set.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "only one without names has no arguments")]
            #[inline]
            pub fn new($($label: &str),*) -> Self {
                Self($crate::track::Texts::new([$($label),*]))
            }
        }

        $(#[$meta])*
        #[derive(Debug)]
        #[must_use = "a tracker that is dropped at once records the work as abandoned"]
        $vis struct $Tracker($crate::track::Tracker<$Kind>);

        impl $Tracker {
            /// Starts in the global registry.
            #[inline]
            pub fn start($($label: &str),*) -> Self {
                Self($crate::track::Tracker::start($Kind::new($($label),*)))
            }

            /// Starts in `registry`, with its clock.
            #[inline]
            pub fn start_in(registry: &$crate::registry::Registry, $($label: &str),*) -> Self {
                Self($crate::track::Tracker::start_in(registry, $Kind::new($($label),*)))
            }

            /// Starts in `registry` with this clock.
            pub fn start_with(
                registry: &$crate::registry::Registry,
                clock: $crate::util::Clock,
                $($label: &str),*
            ) -> Self {
                let kind = $Kind::new($($label),*);
                Self($crate::track::Tracker::start_with(registry, clock, kind))
            }

            /// Records a failure, with a type from a small set, for example `timeout`.
            #[inline]
            pub fn error(self, error_type: &str) {
                self.0.error(error_type);
            }

            /// Records the work's outcome and returns its result; `error_type` classifies the error.
            ///
            /// # Errors
            /// The error of the work.
            pub fn result<T, E>(
                self,
                result: ::core::result::Result<T, E>,
                error_type: impl FnOnce(&E) -> &'static str,
            ) -> ::core::result::Result<T, E> {
                self.0.result(result, error_type)
            }

            /// Awaits the work and records its outcome; an error is of type `error`.
            ///
            /// # Errors
            /// The error of the work.
            ///
            /// # Cancel safety
            /// Dropped before its end, the work is recorded as abandoned.
            pub async fn run<T, E>(
                self,
                work: impl ::core::future::Future<Output = ::core::result::Result<T, E>>,
            ) -> ::core::result::Result<T, E> {
                self.0.run(work).await
            }

            /// Calls `record` with the metrics and the labels of the work, to record facts while it
            /// runs; does nothing if the metrics could not be declared.
            pub fn record(
                &self,
                record: impl FnOnce(
                    &$Metrics,
                    [&str; { <[&str]>::len(&[$(stringify!($label)),*]) }],
                ),
            ) {
                if let Some(metrics) = self.0.metrics() {
                    record(metrics, self.0.kind().0.get());
                }
            }

            /// The duration so far.
            #[must_use]
            pub fn elapsed(&self) -> ::core::time::Duration {
                self.0.elapsed()
            }
        }
    };
    (@success $Tracker:ident) => {
        impl $Tracker {
            /// Records success.
            #[inline]
            pub fn success(self) {
                self.0.success();
            }
        }
    };
    (@success $Tracker:ident success) => {};
}
