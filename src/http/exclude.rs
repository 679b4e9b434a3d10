use crate::config::{HEALTH_PATH, LIVENESS_PATH, READINESS_PATH};
use crate::util::Pattern;

/// The excluded paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Exclude {
    exact: Vec<Pattern>,
    /// A bit for the length of each exact path, modulo 64, since most paths are distinguished by
    /// their length.
    lengths: u64,
    /// The patterns with stars, which match any length.
    stars: Vec<Pattern>,
    /// Endpoints of this crate, which match whole paths only. On a nested router the same path may
    /// belong to the application; there this crate's responses are marked instead.
    endpoints: Vec<Pattern>,
}

/// The endpoints about the service itself, whose scrapes and probes would hide its real traffic.
const ABOUT_ITSELF: [&str; 4] = ["/metrics", HEALTH_PATH, LIVENESS_PATH, READINESS_PATH];

impl Exclude {
    pub(super) fn about_itself() -> Self {
        let mut exclude = Self::default();
        for path in ABOUT_ITSELF {
            exclude.add_endpoint(path);
        }
        exclude
    }

    pub(super) fn add_endpoint(&mut self, path: &str) {
        self.lengths |= bit(path);
        self.endpoints.push(Pattern::new(path));
    }

    pub(super) fn add(&mut self, pattern: &str) {
        let list = if pattern.contains('*') {
            &mut self.stars
        } else {
            self.lengths |= bit(pattern);
            &mut self.exact
        };
        let pattern = Pattern::new(pattern);
        if !list.contains(&pattern) {
            list.push(pattern);
        }
    }

    /// Whether a path is excluded; `nested` returns whether axum has removed a prefix of it.
    #[inline]
    pub(super) fn matches(&self, path: &str, nested: impl FnOnce() -> bool) -> bool {
        (self.lengths & bit(path) != 0 || !self.stars.is_empty()) && self.has(path, nested)
    }

    #[inline(never)]
    fn has(&self, path: &str, nested: impl FnOnce() -> bool) -> bool {
        let is = |list: &[Pattern]| list.iter().any(|pattern| pattern.matches(path));
        is(&self.exact) || is(&self.stars) || (is(&self.endpoints) && !nested())
    }
}

#[inline]
fn bit(path: &str) -> u64 {
    1 << (path.len() % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_about_the_service_itself_are_known() {
        let exclude = Exclude::about_itself();
        assert!(exclude.matches("/metrics", || false) && exclude.matches("/readyz", || false));
        assert!(!exclude.matches("/", || false) && !exclude.matches("/metrics/x", || false));
        assert!(
            !exclude.matches("/livez/x", || false),
            "as long as /metrics"
        );
        assert!(
            !exclude.matches("/metrics", || true),
            "it may be /api/metrics"
        );
        assert!(!Exclude::default().matches("/metrics", || false));
    }

    #[test]
    fn long_and_starred_paths_too() {
        let mut exclude = Exclude::default();
        let long = "/x".repeat(100);
        exclude.add(&long);
        exclude.add("/internal/*");
        assert!(exclude.matches(&long, || false) && exclude.matches("/internal/a", || false));
        assert!(
            !exclude.matches(&long[..long.len() - 64], || false),
            "of a length that looks the same"
        );
    }
}
