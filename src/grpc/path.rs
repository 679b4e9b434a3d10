/// Splits `/package.Service/Method` into service and method; both are empty for other paths.
#[inline]
pub(super) fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix('/');
    rest.and_then(split_last).unwrap_or_default()
}

/// Removes the path of the origin, which precedes the service.
#[inline]
pub(super) fn last_segment(service: &str) -> &str {
    split_last(service).map_or(service, |(_, last)| last)
}

/// Splits at the last slash. Names are short, so a plain loop is faster than a search made for long
/// text.
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
