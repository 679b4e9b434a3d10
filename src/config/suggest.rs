//! "Did you mean": names the known word nearest to an unknown one.

pub(super) use super::faults::quote;
use crate::util::nearest;

/// Returns `did you mean …?`, or else `otherwise` and all known words.
pub(super) fn hint(word: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "leave it out".to_owned(),
        None => format!("{otherwise} `{}`", known.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near_and_else_all() {
        let known = ["http", "server", "metrics", "sample_rate"];
        assert_eq!(hint("metric", &known, "known:"), "did you mean `metrics`?");
        assert_eq!(
            hint("colour", &["a", "b"], "its keys are"),
            "its keys are `a`, `b`"
        );
    }
}
