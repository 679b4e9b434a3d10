use std::hint::black_box;

use super::super::secret::same_by;
use super::*;

const GUESSES: [&str; 10] = [
    "",
    "c",
    "x",
    "correct horse",
    "xorrect horse",
    "correct horsx",
    "correct horse ",
    "correct horse correct horse",
    "battery staple",
    "\u{e4}",
];

/// The steps of both comparisons, and the result.
fn steps(known: &BasicAuth, username: &str, password: &str) -> (Vec<usize>, bool) {
    let mut steps = Vec::new();
    let right = known.matches_by(username.as_bytes(), password.as_bytes(), |secret, given| {
        let mut count = 0;
        let same = same_by(secret, given, |differences| {
            count += 1;
            black_box(differences)
        });
        steps.push(count);
        same
    });
    (steps, right)
}

/// A guess is always compared to its end, also for an unknown user, so the time reveals only what
/// the client knows already.
#[test]
fn a_guess_takes_as_many_steps_as_it_has_bytes_however_wrong_it_is() {
    for secret in ["correct horse", "c", "of a length that no guess has: 4711"] {
        let known = BasicAuth {
            username: "prometheus".to_owned(),
            password: Secret::new(secret),
        };
        for user in [
            "",
            "prometheus",
            "p",
            "prometheuz",
            "someone",
            "prometheus2",
        ] {
            for guess in GUESSES {
                let (steps, right) = steps(&known, user, guess);
                assert_eq!(steps, [user.len(), guess.len()], "{user}:{guess}");
                assert_eq!(right, user == "prometheus" && guess == secret);
                assert_eq!(known.matches(user.as_bytes(), guess.as_bytes()), right);
            }
        }
    }
}
