//! Replaces bcrypt if it is not compiled in: no password matches.

pub(super) fn matches(_: &str, _: &[u8]) -> bool {
    false
}

#[expect(clippy::unnecessary_wraps, reason = "with the feature it is optional")]
pub(super) fn problem(_: &str) -> Option<&'static str> {
    Some("this version was built without the feature `bcrypt`")
}
