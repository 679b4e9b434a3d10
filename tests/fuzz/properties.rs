//! Properties for any input, shared by the fuzz targets and the regular tests.

use std::fmt::Write as _;

use selfheal::catalog::names as rules;
use selfheal::encode::{Encoding, Format, Selection};
use selfheal::registry::parse_labels;
use selfheal::util::escape;

/// Any header has an answer, and to say it twice changes nothing.
pub(crate) fn negotiation(header: &str) {
    let format = Format::negotiate([header]);
    let known = [
        "text/plain; ",
        "application/openmetrics-text; ",
        "application/vnd.google.protobuf; ",
    ];
    assert!(
        known
            .iter()
            .any(|known| format.content_type().starts_with(known))
    );
    let encoding = Encoding::negotiate([header]);
    // Within the limits of the reader: a truncated header may have another meaning.
    if header.len() <= 2000 && header.matches(',').count() < 30 {
        assert_eq!(Format::negotiate([header, header]), format);
        assert_eq!(Encoding::negotiate([header, header]), encoding);
    }
    // Without one of our formats, a header cannot win over one that names it with all parameters.
    let lower = header.to_ascii_lowercase();
    if !["openmetrics", "protobuf", "text/plain"]
        .iter()
        .any(|name| lower.contains(name))
    {
        let named = "application/openmetrics-text;version=1.0.0";
        assert_eq!(Format::negotiate([named, header]), Format::OPEN_METRICS);
    }
    selection(header);
}

/// Any query is read or too large, and a name in it is the same however it is encoded.
fn selection(text: &str) {
    let _ = Selection::of_query(Some(text));
    let mut lower = String::new();
    for byte in text.bytes() {
        let _ = write!(lower, "%{byte:02x}");
    }
    let query = |value: &str| Selection::of_query(Some(&format!("name[]={value}")));
    let asked = query(&lower);
    assert_eq!(asked, query(&lower.to_ascii_uppercase()));
    assert_eq!(asked.is_ok(), text.len() <= 2048);
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        assert_eq!(asked, query(text));
    }
}

/// Any value comes back from its escaped form, which ends where it should.
pub(crate) fn escaping(value: &str) {
    let mut escaped = String::new();
    escape::label_value(&mut escaped, value);
    assert_eq!(escape::unescape(&escaped), value);
    assert_eq!(escape::needs_escape(value), escaped != value);
    assert!(!escaped.contains('\n'));
    assert_eq!(
        escape::first_value(&format!("{escaped}\",x=\"")),
        Some((&*escaped, escaped.contains('\\'), ",x=\""))
    );
    let labels = parse_labels(&format!("a=\"{escaped}\",b=\"\""));
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(labels, [pair("a", value), pair("b", "")]);
    // Unescaped labels are no reason to stop either.
    let _ = parse_labels(value);
    let _ = escape::unescape(value);
}

/// Every version of Prometheus reads an accepted name.
pub(crate) fn names(name: &str) {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let starts = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    let fits = plain && starts && name.len() <= rules::MAX_NAME;
    assert_eq!(rules::metric(name).is_ok(), fits, "{name:?}");
    if rules::label(name).is_ok() {
        assert!(fits && !name.starts_with("__"), "{name:?}");
    }
}
