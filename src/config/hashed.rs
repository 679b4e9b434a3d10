//! Passwords as bcrypt hashes.

/// A guess costs so much time, doubled with each: at 14 it is a second.
const MOST: u32 = 14;

pub(super) fn matches(hash: &str, password: &[u8]) -> bool {
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// What is wrong with a hash.
pub(super) fn problem(hash: &str) -> Option<&'static str> {
    match hash.parse::<bcrypt::HashParts>() {
        Err(_) => Some("the bcrypt hash is malformed"),
        Ok(parts) if parts.get_cost() > MOST => Some("the cost of the bcrypt hash is above 14"),
        Ok(_) => None,
    }
}
