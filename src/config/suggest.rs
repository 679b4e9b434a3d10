//! "Did you mean": the known word that is nearest to an unknown one.

pub(super) use super::faults::quote;

/// Longer words are no typing errors of ours; the bound keeps the comparison cheap.
const LONGEST: usize = 64;

/// `did you mean …?`, or else all known words behind `otherwise`.
pub(super) fn hint(word: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "leave it out".to_owned(),
        None => format!("{otherwise} `{}`", known.join("`, `")),
    }
}

/// The known word at the smallest edit distance, if that is at most a third of its length.
///
/// Case and `-` for `_` count as no edit. The first of several equally near ones is taken.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = plain(word);
    if word.len() > LONGEST {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> Vec<char> {
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

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(from != to);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(a: &str, b: &str) -> usize {
        distance(&plain(a), &plain(b))
    }

    #[test]
    fn distances() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("sampel_rate", "sample_rate", 1),
            ("Sample-Rate", "sample_rate", 0),
        ] {
            assert_eq!(between(a, b), edits, "{a} {b}");
            assert_eq!(between(b, a), edits, "{b} {a}");
        }
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
