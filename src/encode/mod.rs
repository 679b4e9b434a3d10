//! Encodes a scrape in the format and the compression that the scraper requested.
//!
//! The module promises:
//! - Requests are negotiated by quality values; any scraper gets an answer, at least in the plain
//!   text format. The work on a hostile header is bounded.
//! - A scraper that names families with `name[]` gets only those; see [`Selection`].
//! - The labels of a series were escaped when it was created; here its text is copied and its
//!   value appended. The order is that of the scrape: families by name, series by age.
//! - [`encode`] writes chunks of about 64 KiB and holds no lock while it writes, so that a slow
//!   reader blocks nothing, and a million series take no more memory than a thousand.
//! - An invalid series of a collector is left out and counted, and the rest is served.
//!
//! Anything that a format cannot express is left out, and the rest of the series stays:
//!
//! | | text 0.0.4 and 1.0.0 | OpenMetrics 1.0 | protobuf |
//! |---|---|---|---|
//! | exemplars | – | of counters and buckets | of counters, buckets and native histograms |
//! | created times | – | series ending in `_created` | fields |
//! | native histograms | one bucket, sum and count | one bucket, sum and count | spans and deltas |
//! | units | – | `# UNIT`, if the name ends in it | a field, if the name ends in it |
//! | infos and state sets | gauges | `info`, `stateset` | gauges |
//!
//! Ownership of sample names is the same in all formats: a histogram owns its own name and those
//! with `_bucket`, `_sum` and `_count`, a summary the last two, even if none is written; see [the
//! registry](crate::registry#one-owner-for-each-name). Names of one format only give way: in
//! OpenMetrics a counter whose name without `_total` belongs to another keeps its whole name and is
//! `unknown`, and a `_created` that is another's name is not written. If escaping makes a family's
//! name clash, the family is left out.
//!
//! A histogram with both classic and native buckets has the classic ones in all formats, and the
//! native ones in protobuf as well, of which Prometheus only ingests the latter unless configured
//! otherwise (`always_scrape_classic_histograms`). Created series only exist if the time is known;
//! Prometheus stores them like other series unless its feature `created-timestamp-zero-ingestion`
//! is on. OpenMetrics has no sum and no count of a histogram whose observations can be negative,
//! and does not allow an info that is not 1, a state that is neither 0 nor 1, or a counter below 0:
//! such a series is left out there.
//!
//! ```
//! use selfheal::encode::{self, Encoding, Format};
//! use selfheal::registry::{DeclareError, Registry};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! registry.counter("orders_total", "Orders placed").build()?.inc();
//!
//! let format = Format::negotiate(Some("application/openmetrics-text; version=1.0.0, */*;q=0.1"));
//! assert_eq!(
//!     format.content_type(),
//!     "application/openmetrics-text; version=1.0.0; charset=utf-8"
//! );
//!
//! let mut page = Vec::new();
//! encode::encode(&registry.scrape(), format, Encoding::Identity, &mut page)?;
//! assert_eq!(
//!     String::from_utf8(page)?,
//!     "# HELP orders Orders placed\n# TYPE orders counter\norders_total 1\n# EOF\n"
//! );
//! # Ok(())
//! # }
//! ```

mod codec;
mod escaping;
mod exemplars;
mod format;
mod header;
mod labels;
mod names;
mod protobuf;
mod selection;
mod stream;
mod text;

pub use codec::Encoding;
pub use escaping::Escaping;
pub use format::Format;
pub use selection::{Selection, SelectionTooLarge};
pub use stream::{CHUNK, Written, append, encode};
