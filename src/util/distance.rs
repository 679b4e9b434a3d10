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
