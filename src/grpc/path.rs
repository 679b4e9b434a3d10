/// Calls `with` with the bytes of `service/method`, the form in which methods are known. Names of
/// usual length are joined without allocation.
#[inline]
pub(super) fn joined<R>(service: &str, method: &str, with: impl FnOnce(&[u8]) -> R) -> R {
    const USUAL: usize = 128;
    let (service, method) = (service.as_bytes(), method.as_bytes());
    let mut buffer = [0; USUAL];
    let (at, end) = (service.len(), service.len() + 1 + method.len());
    match buffer.get_mut(..end) {
        Some(path) => {
            path[..at].copy_from_slice(service);
            path[at] = b'/';
            path[at + 1..].copy_from_slice(method);
            with(path)
        }
        None => with(&[service, method].join(&b'/')),
    }
}

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

    #[test]
    fn long_and_short_names_are_joined_alike() {
        for length in [0, 1, 120, 126, 127, 128, 1_000] {
            let (service, method) = ("s".repeat(length), "M".repeat(length / 3));
            let expected = format!("{service}/{method}");
            joined(&service, &method, |path| {
                assert_eq!(path, expected.as_bytes(), "{length}");
            });
        }
    }
}
