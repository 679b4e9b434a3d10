use crate::util::Pattern;

/// The excluded calls.
///
/// Only consulted for unknown methods, and excluded ones never become known, so it costs other
/// calls nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Exclude(Vec<Excluded>);

#[derive(Clone, Debug, PartialEq)]
struct Excluded {
    service: Pattern,
    method: Pattern,
}

impl Exclude {
    pub(super) fn add(&mut self, pattern: &str) {
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        let (service, method) = pattern.split_once('/').unwrap_or((pattern, "*"));
        let excluded = Excluded {
            service: Pattern::new(service),
            method: Pattern::new(method),
        };
        if !self.0.contains(&excluded) {
            self.0.push(excluded);
        }
    }

    pub(super) fn matches(&self, service: &str, method: &str) -> bool {
        let is = |known: &Excluded| known.service.matches(service) && known.method.matches(method);
        self.0.iter().any(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_methods_and_stars() {
        for (pattern, path, matches) in [
            ("a.B", ("a.B", "C"), true),
            ("a.B", ("a.B", ""), true),
            ("a.B", ("a.Bc", "C"), false),
            ("a.B/C", ("a.B", "C"), true),
            ("/a.B/C", ("a.B", "C"), true),
            ("a.B/C", ("a.B", "Cd"), false),
            ("a.B/C*", ("a.B", "Cd"), true),
            ("a.*", ("a.B", "C"), true),
            ("a.*", ("a", "C"), false),
            ("a.*/C", ("a.B", "C"), true),
            ("a.*/C", ("a.B", "D"), false),
            ("*/C", ("a.B", "C"), true),
            ("*", ("", ""), true),
            ("", ("a.B", "C"), false),
        ] {
            let mut exclude = Exclude::default();
            exclude.add("x.Y");
            exclude.add(pattern);
            let (service, method) = path;
            assert_eq!(
                exclude.matches(service, method),
                matches,
                "{pattern} {path:?}"
            );
        }
        assert!(!Exclude::default().matches("", ""));
    }
}
