use http::{HeaderMap, HeaderName, HeaderValue};

/// The first value of a header, as [`HeaderMap::get`] gives it. The few headers and trailers of
/// a call are gone through faster than a name is hashed.
#[inline]
pub(super) fn get<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    const FEW: usize = 4;
    if headers.len() > FEW {
        return headers.get(name);
    }
    let mut all = headers.iter();
    all.find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_found_alike() {
        let mut headers = HeaderMap::new();
        let name = HeaderName::from_static("grpc-status");
        for n in 0..8_u16 {
            assert_eq!(get(&headers, &name), headers.get(&name));
            headers.append(&name, n.into());
            headers.append(HeaderName::try_from(format!("x-{n}")).unwrap(), n.into());
            assert_eq!(get(&headers, &name), Some(&HeaderValue::from(0)));
        }
    }
}
