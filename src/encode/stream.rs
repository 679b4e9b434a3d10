use std::convert::Infallible;
use std::io::{self, Write};
use std::ops::ControlFlow;

use super::codec::Encoding;
use super::format::{Format, Syntax};
use super::labels::Globals;
use super::names::Names;
use super::protobuf::ProtobufFamily;
use super::text::{Bounds, TextFamily};
use crate::registry::{Sample, Scrape, ScrapeFamily};

/// The number of bytes that [`encode`] collects before it writes them; a chunk exceeds this by at
/// most one series.
pub const CHUNK: usize = 64 * 1024;

/// The size of an exposition: its bytes, its series, and those left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The number of series written.
    pub series: u64,
    /// The number of invalid series of collectors that were left out: with invalid labels, a value
    /// that does not match the family's kind, or a name that escaping makes that of another family.
    pub skipped: u64,
    /// The length before compression.
    pub bytes: u64,
}

/// Writes a scrape to `out`, in chunks of about [`CHUNK`] bytes.
///
/// No lock is held while `out` is written to, so it may block, for example on a channel to a slow
/// client. The memory used in addition to the registry's does not grow with the number of series.
/// In protobuf, where a family's length precedes it, series of families longer than a chunk are
/// read twice.
///
/// # Errors
/// An error of `out`, which ends the exposition; `Unsupported` for a compression whose feature is
/// off (which [`Encoding::negotiate`] never returns).
pub fn encode(
    scrape: &Scrape,
    format: Format,
    encoding: Encoding,
    mut out: impl Write,
) -> io::Result<Written> {
    let mut written = Written::default();
    encoding.run(&mut out, &mut |out| {
        let mut buf = Vec::with_capacity(CHUNK + CHUNK / 8);
        written = exposition(scrape, format, &mut buf, CHUNK, &mut |buf| {
            out.write_all(buf)?;
            buf.clear();
            Ok::<_, io::Error>(())
        })?;
        Ok(())
    })?;
    out.flush()?;
    Ok(written)
}

/// Appends a whole scrape to `out`, uncompressed: fastest if memory does not matter. A buffer that
/// is cleared and reused keeps its capacity.
pub fn append(scrape: &Scrape, format: Format, out: &mut Vec<u8>) -> Written {
    let start = out.len();
    let Ok(mut written) = exposition(scrape, format, out, usize::MAX, &mut |_| {
        Ok::<_, Infallible>(())
    });
    written.bytes = (out.len() - start) as u64;
    written
}

/// Writes a scrape to `buf` and calls `flush`, which empties it, whenever it reaches `full` bytes,
/// and at the end.
fn exposition<E>(
    scrape: &Scrape,
    format: Format,
    buf: &mut Vec<u8>,
    full: usize,
    flush: &mut dyn FnMut(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Written, E> {
    let mut written = Written::default();
    let globals = Globals::of(scrape);
    let mut names = Names::new(scrape, format.escaping());
    let mut bounds = Bounds::default();
    let mut hand_over = |buf: &mut Vec<u8>, written: &mut Written| {
        written.bytes += buf.len() as u64;
        flush(buf)
    };
    for family in scrape.families() {
        let Some(name) = names.of(family) else {
            family.each(&mut |_, _| written.skipped += 1);
            continue;
        };
        let common = (&names, &globals, &mut bounds);
        let mut writer = Writer::begin(buf, format, common, family, &name);
        let mut next = Some(0);
        while let Some(from) = next {
            next = family.each_from(from, &mut |labels, sample| {
                if writer.series(buf, labels, sample) {
                    written.series += 1;
                } else {
                    written.skipped += 1;
                }
                if buf.len() >= full {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if buf.len() >= full
                && let Some(next) = next
            {
                writer.hand_over(buf, family, next);
                hand_over(buf, &mut written)?;
            }
        }
        while !writer.finish(buf, full) {
            hand_over(buf, &mut written)?;
        }
        if buf.len() >= full {
            hand_over(buf, &mut written)?;
        }
    }
    if format.syntax() == Syntax::OpenMetrics {
        buf.extend_from_slice(b"# EOF\n");
    }
    hand_over(buf, &mut written)?;
    Ok(written)
}

/// Writes one family in any format.
enum Writer<'a> {
    Text(Box<TextFamily<'a>>),
    Protobuf(ProtobufFamily<'a>),
}

impl<'a> Writer<'a> {
    fn begin(
        buf: &mut Vec<u8>,
        format: Format,
        (names, globals, bounds): (&Names<'_>, &'a Globals, &'a mut Bounds),
        family: &ScrapeFamily,
        name: &'a str,
    ) -> Self {
        if format.syntax() == Syntax::Protobuf {
            return Self::Protobuf(ProtobufFamily::begin(format, globals, family, name));
        }
        let text = TextFamily::begin(buf, format, (names, globals, bounds), family, name);
        Self::Text(Box::new(text))
    }

    #[inline]
    fn series(&mut self, buf: &mut Vec<u8>, labels: &str, sample: &Sample<'_>) -> bool {
        match self {
            Self::Text(family) => family.series(buf, labels, sample),
            Self::Protobuf(family) => family.series(buf, labels, sample),
        }
    }

    /// Prepares `buf` to be handed over, before the series from `next` on.
    fn hand_over(&mut self, buf: &mut Vec<u8>, family: &ScrapeFamily, next: usize) {
        match self {
            Self::Text(_) => {}
            Self::Protobuf(writer) => writer.hand_over(buf, family, next),
        }
    }

    /// Writes the part after the last series, until `buf` has `full` bytes; false if more remains.
    fn finish(&mut self, buf: &mut Vec<u8>, full: usize) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Protobuf(family) => family.finish(buf, full.saturating_sub(buf.len())),
        }
    }
}
