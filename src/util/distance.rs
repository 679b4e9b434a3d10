/// Only this many leading characters are compared, since the time is the product of the lengths.
const LONGEST: usize = 256;

/// The edit distance of two texts, or of their first 256 characters: the number of insertions,
/// deletions, substitutions and swaps of neighbours (optimal string alignment).
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|text| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => &text[..end],
        None => text,
    });
    strsim::osa_distance(a, b)
}

/// A longer word is no typing error.
const LONGEST_WORD: usize = 64;

/// The known word with the smallest edit distance, at most a third of its length.
///
/// Case and `-` for `_` cost nothing. Among equally near words, the first is returned.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    if word.chars().count() > LONGEST_WORD {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (distance(&word, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    word.chars()
        .take(LONGEST_WORD + 1)
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_distances() {
        for (a, b, want) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("sampel_rate", "sample_rate", 1),
            ("requsts_total", "requests_total", 1),
            ("ä", "a", 1),
        ] {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
        let long = "a".repeat(LONGEST);
        assert_eq!(distance(&long, &format!("{long}{long}")), 0);
    }

    #[test]
    fn the_nearest_is_near() {
        assert_eq!(distance(&plain("Sample-Rate"), &plain("sample_rate")), 0);
        let known = ["http", "server", "metrics", "sample_rate"];
        assert_eq!(nearest("htpp", known), Some("http"));
        assert_eq!(nearest("sampl-rate", known), Some("sample_rate"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"h".repeat(100_000), known), None);
    }

    proptest! {
        #[test]
        fn it_is_the_same_both_ways_and_no_more_than_the_longer_text(
            a in "[abc]{0,8}",
            b in "[abc]{0,8}",
        ) {
            let there = distance(&a, &b);
            prop_assert_eq!(there, distance(&b, &a));
            prop_assert_eq!(there == 0, a == b);
            prop_assert!(there <= a.len().max(b.len()));
            prop_assert!(there >= a.len().abs_diff(b.len()));
        }
    }
}
