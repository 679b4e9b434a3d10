/// Service and method of `/package.Service/Method`; empty where the path is no such thing.
#[inline]
pub(super) fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix('/');
    rest.and_then(split_last).unwrap_or_default()
}

/// An origin with a path puts that before the service.
#[inline]
pub(super) fn last_segment(service: &str) -> &str {
    split_last(service).map_or(service, |(_, last)| last)
}

/// What is before and behind the last slash. Names are short, so that a plain loop is quicker
/// than the search that is made for long text.
#[inline]
fn split_last(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| byte == b'/')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_and_method_of_a_path() {
        for (path, service, method) in [
            ("/a.B/C", "a.B", "C"),
            ("/x/a.B/C", "x/a.B", "C"),
            ("/a.B/C/", "a.B/C", ""),
            ("//C", "", "C"),
            ("/a.B", "", ""),
            ("*", "", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(path), (service, method), "{path}");
        }
        assert_eq!(last_segment("x/a.B"), "a.B");
    }
}
