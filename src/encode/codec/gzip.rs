use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Body, Codec, Encoding};

pub(super) const CODEC: Codec = Codec {
    encoding: Encoding::Gzip,
    run,
};

fn run(out: &mut dyn Write, body: Body<'_>) -> io::Result<()> {
    // The fastest level: expositions are so repetitive that slower ones gain little.
    let mut encoder = GzEncoder::new(out, Compression::fast());
    body(&mut encoder)?;
    encoder.finish()?;
    Ok(())
}
