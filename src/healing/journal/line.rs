//! One line of a journal file: a version, a checksum, and a record or the head of the file.
//!
//! ```json
//! {"v":1,"crc":"5c64e4b9","head":{"segment":4,"carried":2}}
//! {"v":1,"crc":"9b1f60c2","record":{"seq":17,"stamp":{…},"what":{…}}}
//! ```
//! The layout is fixed to the byte up to the payload, so that the checksum covers exactly the bytes
//! on disk: version and payload. Each line is JSON, readable by `jq` and by people.

use std::io;

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

use crate::healing::core::Record;
use crate::util::write_json;

/// The version written, and the newest one read.
const VERSION: u32 = 1;

/// The maximum length of a line: a record with all texts at their limits has 10 KiB.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// The head of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Number of the file.
    pub(super) segment: u64,
    /// Number of following records that repeat the state of earlier files.
    pub(super) carried: usize,
}

#[derive(Debug, PartialEq)]
pub(super) enum Line {
    Head(Head),
    Record(Box<Record>),
}

/// The kind of damage to a journal line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The last line was cut off during a write: usual after a crash.
    Torn,
    /// The checksum does not match, or it is not a journal line.
    Corrupt,
    /// Written by a later version of this crate. The file is left as is.
    Newer,
    /// Records before it are missing.
    Gap,
    /// The file has no complete head: the process ended while beginning the file.
    Headless,
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
}

pub(super) fn push_head(out: &mut Vec<u8>, head: Head) -> serde_json::Result<()> {
    push(out, "head", &head)
}

pub(super) fn push_record(out: &mut Vec<u8>, record: &Record) -> serde_json::Result<()> {
    push(out, "record", record)
}

fn push<T: Serialize>(out: &mut Vec<u8>, kind: &str, payload: &T) -> serde_json::Result<()> {
    let mut body = format!("\"{kind}\":").into_bytes();
    write_json(&mut body, payload)?;
    let crc = checksum(VERSION, &body);
    out.extend_from_slice(format!("{{\"v\":{VERSION},\"crc\":\"{crc:08x}\",").as_bytes());
    out.append(&mut body);
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// The CRC-32 of gzip and PNG: it detects every burst of up to 32 flipped bits, as a torn write or
/// a bad sector causes.
fn checksum(version: u32, body: &[u8]) -> u32 {
    let mut crc = Hasher::new();
    crc.update(&version.to_le_bytes());
    crc.update(body);
    crc.finalize()
}

/// Parses a line, including its line feed.
pub(super) fn parse(line: &[u8]) -> Result<Line, DamageKind> {
    let line = line.strip_suffix(b"\n").ok_or(DamageKind::Torn)?;
    let (version, crc, body) = split(line).ok_or(DamageKind::Corrupt)?;
    if version > VERSION {
        return Err(DamageKind::Newer);
    }
    if format!("{:08x}", checksum(version, body)).as_bytes() != crc {
        return Err(DamageKind::Corrupt);
    }
    let read = if let Some(json) = body.strip_prefix(b"\"head\":") {
        serde_json::from_slice(json).map(Line::Head)
    } else if let Some(json) = body.strip_prefix(b"\"record\":") {
        serde_json::from_slice(json).map(Line::Record)
    } else {
        return Err(DamageKind::Corrupt);
    };
    read.map_err(|_| DamageKind::Corrupt)
}

fn split(line: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let rest = line.strip_prefix(b"{\"v\":")?;
    let comma = rest.iter().position(|byte| *byte == b',')?;
    let version = std::str::from_utf8(&rest[..comma]).ok()?.parse().ok()?;
    let rest = rest[comma..].strip_prefix(b",\"crc\":\"")?;
    let (crc, rest) = rest.split_at_checked(8)?;
    let body = rest.strip_prefix(b"\",")?.strip_suffix(b"}")?;
    Some((version, crc, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::healing::core::{AlertId, AlertKind, ServiceEscalation, Severity, Stamp, What};
    use proptest::prelude::*;

    fn record() -> Record {
        Record {
            seq: 7,
            stamp: Stamp::default(),
            what: What::Started,
        }
    }

    fn line() -> Vec<u8> {
        let mut line = Vec::new();
        push_record(&mut line, &record()).unwrap();
        line
    }

    #[test]
    fn the_checksum_is_that_of_files_which_are_there() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xCBF4_3926, "as published");
        assert_eq!(checksum(1, b"\"head\":{}"), 0xCAC7_4A53);
    }

    #[test]
    fn is_json_and_reads_itself_back() {
        let json: serde_json::Value = serde_json::from_slice(&line()).unwrap();
        assert_eq!(json["v"], 1);
        assert_eq!(json["record"]["seq"], 7);
        assert_eq!(parse(&line()), Ok(Line::Record(Box::new(record()))));
        let (mut line, head) = (
            Vec::new(),
            Head {
                segment: 3,
                carried: 9,
            },
        );
        push_head(&mut line, head).unwrap();
        assert_eq!(parse(&line), Ok(Line::Head(head)));
    }

    #[test]
    fn names_of_older_versions_are_read() {
        let what = What::Escalated {
            id: AlertId::global(AlertKind::Overflow),
            level: ServiceEscalation::Exit,
            severity: Severity::Error,
            why: "nothing helped".into(),
        };
        let older = serde_json::to_string(&what).unwrap();
        let older = older.replace("\"level\":", "\"rung\":");
        assert_eq!(serde_json::from_str::<What>(&older).unwrap(), what);
    }

    #[test]
    fn a_line_without_an_end_is_torn() {
        for end in 0..line().len() {
            assert_eq!(parse(&line()[..end]), Err(DamageKind::Torn), "{end}");
        }
    }

    #[test]
    fn every_flipped_bit_is_found() {
        for byte in 0..line().len() - 1 {
            for bit in 0..8 {
                let mut line = line();
                line[byte] ^= 1 << bit;
                assert!(parse(&line).is_err(), "byte {byte}, bit {bit}");
            }
        }
    }

    #[test]
    fn a_newer_version_is_distinguished() {
        let newer = br#"{"v":2,"crc":"00000000","record":["another layout"]}"#;
        assert_eq!(parse(&[newer, &b"\n"[..]].concat()), Err(DamageKind::Newer));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = parse(&[&b"{\"v\":1,\"crc\":\"00000000\","[..], &bytes, b"}\n"].concat());
        }
    }
}
