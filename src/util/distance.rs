/// What is longer than this is compared by its beginning: the time grows with the product of
/// the lengths.
const LONGEST: usize = 256;

/// The [`edits`] between two texts, or between their first 256 characters.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let chars = |text: &str| text.chars().take(LONGEST).collect::<Vec<_>>();
    edits(&chars(a), &chars(b))
}

/// How many characters have to be put in, left out, changed or swapped with their neighbour to make
/// one text of the other: the distance called optimal string alignment.
pub(crate) fn edits(a: &[char], b: &[char]) -> usize {
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
