use std::io::{self, Write};

use zstd::stream::write::Encoder;

use super::{Body, Codec, Encoding};

pub(super) const CODEC: Codec = Codec {
    encoding: Encoding::Zstd,
    run,
};

/// The fastest level that compresses well; an exposition is so repetitive that slower ones gain
/// little.
const LEVEL: i32 = 1;

/// A window of 256 KiB: repetition in an exposition is local, and this bounds the heap of a scrape.
const WINDOW_LOG: u32 = 18;

fn run(out: &mut dyn Write, body: Body<'_>) -> io::Result<()> {
    let mut encoder = Encoder::new(out, LEVEL)?;
    encoder.window_log(WINDOW_LOG)?;
    body(&mut encoder)?;
    encoder.finish()?;
    Ok(())
}
