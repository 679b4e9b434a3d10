use std::io::{self, Write};

use super::header;

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

/// The compression of an exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// No compression.
    #[default]
    Identity,
    /// gzip (RFC 1952); needs the feature `gzip`.
    Gzip,
    /// Zstandard (RFC 8878); needs the feature `zstd`.
    Zstd,
}

/// A function that writes an exposition, to be run once.
pub(crate) type Body<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// A compiled-in compression.
struct Codec {
    encoding: Encoding,
    run: fn(&mut dyn Write, Body<'_>) -> io::Result<()>,
}

/// The compiled-in compressions, most preferred first.
const CODECS: &[Codec] = &[
    #[cfg(feature = "zstd")]
    zstd::CODEC,
    #[cfg(feature = "gzip")]
    gzip::CODEC,
];

impl Encoding {
    /// Selects the compiled-in compression that best matches the `Accept-Encoding` header; pass all
    /// its lines, or an `Option` of the only one. To disable compression, use
    /// [`Encoding::Identity`] instead.
    ///
    /// The highest quality wins, and compression over none if they are equal or none is not
    /// mentioned. If nothing matches (`identity;q=0` and only unknown ones) the result is still
    /// [`Encoding::Identity`]: see [`Format::negotiate`](super::Format::negotiate).
    ///
    /// ```
    /// use selfheal::encode::Encoding;
    ///
    /// assert_eq!(Encoding::negotiate(None), Encoding::Identity);
    /// # #[cfg(feature = "gzip")]
    /// assert_eq!(Encoding::negotiate(["br, gzip;q=0.5"]), Encoding::Gzip);
    /// ```
    #[must_use]
    pub fn negotiate<'a>(accept_encoding: impl IntoIterator<Item = &'a str>) -> Self {
        // The quality of each named codec, and that of `*` for all others.
        let mut codecs = [None; CODECS.len()];
        let (mut identity, mut any) = (None, None);
        for element in header::elements(accept_encoding) {
            let quality = Some(element.quality);
            // `x-gzip` is the old name of gzip (RFC 9110, section 8.4.1.3).
            let name = element.name.strip_prefix("x-").unwrap_or(element.name);
            if name == "*" {
                any = quality;
            } else if name.eq_ignore_ascii_case(Self::Identity.name()) {
                identity = quality;
            }
            for (codec, best) in CODECS.iter().zip(&mut codecs) {
                if name.eq_ignore_ascii_case(codec.encoding.name()) {
                    *best = quality.max(*best);
                }
            }
        }
        let identity = identity.or(any).unwrap_or(0);
        CODECS
            .iter()
            .zip(codecs)
            .rev()
            .map(|(codec, quality)| (codec.encoding, quality.or(any).unwrap_or(0)))
            .filter(|(_, quality)| *quality > 0 && *quality >= identity)
            .max_by_key(|(_, quality)| *quality)
            .map_or(Self::Identity, |(encoding, _)| encoding)
    }

    /// The value of the `Content-Encoding` header; `None` if that header is to be omitted.
    #[must_use]
    pub fn content_encoding(self) -> Option<&'static str> {
        (self != Self::Identity).then_some(self.name())
    }

    /// The name of each, whether compiled in or not.
    #[cfg(feature = "server")]
    pub(crate) const NAMES: [&'static str; 3] =
        [Self::Identity.name(), Self::Gzip.name(), Self::Zstd.name()];

    const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Runs `body` with a writer that compresses into `out`.
    pub(crate) fn run(self, out: &mut dyn Write, body: Body<'_>) -> io::Result<()> {
        if self == Self::Identity {
            return body(out);
        }
        match CODECS.iter().find(|codec| codec.encoding == self) {
            Some(codec) => (codec.run)(out, body),
            None => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "{name} is not compiled in: enable the feature `{name}` of selfheal",
                    name = self.name()
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(header: &str) -> Encoding {
        Encoding::negotiate([header])
    }

    #[test]
    fn nothing_asked_nothing_done() {
        for header in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "x",
            "*;q=0",
            "identity;q=0",
            "gzip;q=x",
        ] {
            assert_eq!(ask(header), Encoding::Identity, "{header:?}");
        }
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn the_better_one_where_both_will_do() {
        for header in ["zstd", "gzip, zstd", "*", "gzip;q=0.5, *"] {
            assert_eq!(ask(header), Encoding::Zstd, "{header:?}");
        }
        for header in ["gzip;q=0, zstd;q=0, *", "zstd;q=0.1, identity"] {
            assert_eq!(ask(header), Encoding::Identity, "{header:?}");
        }
    }

    #[cfg(feature = "gzip")]
    #[test]
    fn compression_by_quality() {
        for header in [
            "gzip",
            "GZIP, identity",
            "x-gzip",
            "gzip;q=0.001",
            "identity;q=0, gzip;q=0.1",
            "zstd;q=0, *",
            "zstd;q=0, identity;q=0, *",
            "br;q=1, gzip;q=0.2, *;q=0",
        ] {
            assert_eq!(ask(header), Encoding::Gzip, "{header:?}");
        }
        for header in [
            "gzip;q=0.5, identity",
            "zstd;q=0, gzip;q=0, *",
            "gzip;q=0.4, identity;q=0.5",
            "zstd;q=0, gzip;q=0.2, *;q=0.5",
        ] {
            assert_eq!(ask(header), Encoding::Identity, "{header:?}");
        }
    }
}
