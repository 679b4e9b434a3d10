//! What stands in for bcrypt where it was not compiled in: no password matches.

pub(super) fn matches(_: &str, _: &[u8]) -> bool {
    false
}

pub(super) fn problem(_: &str) -> Option<&'static str> {
    Some("this version was built without the feature `bcrypt`")
}
