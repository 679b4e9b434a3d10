//! Formats numbers and names as Prometheus does.

/// The shortest form of a number without an exponent.
pub(crate) fn plain_float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

/// The form of a number with an exponent if it is very large or very small.
pub(crate) fn go_float(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size < f64::MIN_POSITIVE || (1e-4..1e21).contains(&size) {
        return plain_float(value);
    }
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// The label value of a bound or quantile, which is always written as a float.
pub(crate) fn bound_text(value: f64) -> String {
    let text = go_float(value);
    if text.contains(['.', 'e', 'N', 'I']) {
        return text;
    }
    text + ".0"
}

/// Whether a text is a valid label name: any UTF-8 text except the empty one.
pub(crate) fn is_label_name(text: &str) -> bool {
    !text.is_empty()
}
