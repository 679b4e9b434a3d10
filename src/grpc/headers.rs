use http::{HeaderMap, HeaderName, HeaderValue};

/// Returns the first value of each of these headers, as [`HeaderMap::get`] does. Scanning the few
/// headers of a call once is faster than hashing each name.
#[inline]
pub(super) fn first<'h, const N: usize>(
    headers: &'h HeaderMap,
    names: [&HeaderName; N],
) -> [Option<&'h HeaderValue>; N] {
    const FEW: usize = 12;
    if headers.len() > FEW {
        return names.map(|name| headers.get(name));
    }
    let mut found = [None; N];
    for (name, value) in headers {
        for (sought, found) in names.iter().zip(&mut found) {
            if found.is_none() && name == *sought {
                *found = Some(value);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_found_alike() {
        let mut headers = HeaderMap::new();
        let names = ["grpc-status", "x-3", "x-0"].map(HeaderName::from_static);
        let names = names.each_ref();
        for n in 0..20_u16 {
            assert_eq!(first(&headers, names), names.map(|name| headers.get(name)));
            headers.append(HeaderName::try_from(format!("x-{n}")).unwrap(), n.into());
            headers.append(names[0], n.into());
            assert_eq!(first(&headers, names)[0], Some(&HeaderValue::from(0)));
        }
    }
}
