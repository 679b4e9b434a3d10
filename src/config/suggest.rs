//! "Did you mean": finds the known word nearest to an unknown one.

pub(super) use super::faults::quote;
use crate::util::distance;

/// A longer word is no typing error; the bound keeps the comparison cheap.
const LONGEST: usize = 64;

/// Returns `did you mean …?`, or else `otherwise` and all known words.
pub(super) fn hint(word: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "leave it out".to_owned(),
        None => format!("{otherwise} `{}`", known.join("`, `")),
    }
}

/// The known word with the smallest edit distance, at most a third of its length.
///
/// Case and `-` for `_` cost nothing. Among equally near words, the first is returned.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = plain(word);
    if word.chars().count() > LONGEST {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    word.chars()
        .take(LONGEST + 1)
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_dashes_are_no_edits() {
        assert_eq!(distance(&plain("Sample-Rate"), &plain("sample_rate")), 0);
    }

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let known = ["http", "server", "metrics", "sample_rate"];
        assert_eq!(nearest("htpp", &known), Some("http"));
        assert_eq!(nearest("sampl-rate", &known), Some("sample_rate"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest(&"h".repeat(100_000), &known), None);
        assert_eq!(hint("metric", &known, "known:"), "did you mean `metrics`?");
        assert_eq!(
            hint("colour", &["a", "b"], "its keys are"),
            "its keys are `a`, `b`"
        );
    }
}
