//! Checks for passwords given as bcrypt hashes.

/// The highest bcrypt cost: each step doubles the time of a check, and 14 takes a second.
const MOST: u32 = 14;

pub(super) fn matches(hash: &str, password: &[u8]) -> bool {
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// Returns the problem of a hash, if any.
pub(super) fn problem(hash: &str) -> Option<&'static str> {
    match hash.parse::<bcrypt::HashParts>() {
        Err(_) => Some("the bcrypt hash is malformed"),
        Ok(parts) if parts.get_cost() > MOST => Some("the cost of the bcrypt hash is above 14"),
        Ok(_) => None,
    }
}
