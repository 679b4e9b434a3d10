//! Go's `print` and `printf`, for the types of templates.

use std::fmt::Write as _;

use super::number::{general, not_finite, scientific};
use super::value::Value;

/// The limit of the width and of the precision.
const WIDEST: usize = 1_024;

/// Concatenates the values, with a blank between two that are not strings.
pub(super) fn print(values: &[Value]) -> String {
    let mut out = String::new();
    let mut before_text = true;
    for (i, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_));
        if i > 0 && !is_text && !before_text {
            out.push(' ');
        }
        value.show(&mut out);
        before_text = is_text;
    }
    out
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent flags of the format"
)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

pub(super) fn printf(format: &str, values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => spec.minus = true,
                '+' => spec.plus = true,
                '#' => spec.sharp = true,
                ' ' => spec.space = true,
                _ => spec.zero = true,
            }
        }
        spec.width = number(&mut chars, &mut values)?;
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut chars, &mut values)?.unwrap_or(0));
        }
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        if verb == '[' {
            return Err("arguments can only be used in their order".to_owned());
        }
        let Some(value) = values.next() else {
            let _ = write!(out, "%!{verb}(MISSING)");
            continue;
        };
        let text = one(&spec, verb, value);
        pad(&mut out, &spec, &text, value);
        if out.len() > super::asking::BYTES {
            return Err("the text is too long".to_owned());
        }
    }
    let left: Vec<_> = values
        .map(|value| format!("{}={}", value.kind(), value.shown()))
        .collect();
    if !left.is_empty() {
        let _ = write!(out, "%!(EXTRA {})", left.join(", "));
    }
    Ok(out)
}

/// Parses a number of the format, or takes the next value for `*`.
fn number<'a>(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    values: &mut impl Iterator<Item = &'a Value>,
) -> Result<Option<usize>, String> {
    let number = if chars.next_if_eq(&'*').is_some() {
        match values.next() {
            Some(Value::Int(number)) => usize::try_from(*number).ok(),
            _ => return Err("`*` takes a whole number".to_owned()),
        }
    } else {
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        if digits.is_empty() {
            return Ok(None);
        }
        digits.parse().ok()
    };
    let number = number.filter(|number| *number <= WIDEST);
    number
        .map(Some)
        .ok_or_else(|| format!("no width or precision is more than {WIDEST}"))
}

fn one(spec: &Spec, verb: char, value: &Value) -> String {
    let unknown = || format!("%!{verb}({}={})", value.kind(), value.shown());
    match (verb, value) {
        ('v', Value::Float(number)) => signed(spec, *number, float(spec, 'g', *number)),
        ('v', Value::Int(number)) => integer(spec, 'd', *number).unwrap_or_else(unknown),
        ('v', Value::Text(text)) if spec.sharp => quoted(text),
        ('v', value) => value.shown(),
        ('T', value) => value.kind().to_owned(),
        ('t', Value::Bool(it)) => it.to_string(),
        ('s', Value::Text(text)) => match spec.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_string(),
        },
        ('q', Value::Text(text)) => quoted(text),
        ('x', Value::Text(text)) => hex(text),
        ('X', Value::Text(text)) => hex(text).to_uppercase(),
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Float(number)) => {
            signed(spec, *number, float(spec, verb, *number))
        }
        ('d' | 'x' | 'X' | 'o' | 'b' | 'c', Value::Int(number)) => {
            integer(spec, verb, *number).unwrap_or_else(unknown)
        }
        // Strings, lists and maps apply the verb to each of their elements.
        ('s', Value::Labels(_) | Value::Time(_)) => value.shown(),
        _ => unknown(),
    }
}

fn float(spec: &Spec, verb: char, number: f64) -> String {
    if !number.is_finite() {
        return not_finite(number).trim_start_matches('+').to_owned();
    }
    match verb {
        'f' | 'F' => format!("{number:.*}", spec.precision.unwrap_or(6)),
        'e' => scientific(number, spec.precision.unwrap_or(6)),
        'E' => scientific(number, spec.precision.unwrap_or(6)).to_uppercase(),
        'G' => general(number, spec.precision).to_uppercase(),
        _ => general(number, spec.precision),
    }
}

fn signed(spec: &Spec, number: f64, text: String) -> String {
    let positive = !text.starts_with('-') && !number.is_nan();
    match (spec.plus, spec.space) {
        (true, _) if positive => format!("+{text}"),
        (false, true) if positive => format!(" {text}"),
        // Go always writes the sign of an infinity.
        _ if number == f64::INFINITY => format!("+{text}"),
        _ => text,
    }
}

fn integer(spec: &Spec, verb: char, number: i64) -> Option<String> {
    let size = number.unsigned_abs();
    let digits = match verb {
        'd' => size.to_string(),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        'o' => format!("{size:o}"),
        'b' => format!("{size:b}"),
        _ => return char::from_u32(u32::try_from(number).ok()?).map(String::from),
    };
    let digits = format!("{digits:0>width$}", width = spec.precision.unwrap_or(0));
    let prefix = match verb {
        'x' if spec.sharp => "0x",
        'X' if spec.sharp => "0X",
        _ => "",
    };
    let sign = match number {
        number if number < 0 => "-",
        _ if spec.plus => "+",
        _ if spec.space => " ",
        _ => "",
    };
    Some(format!("{sign}{prefix}{digits}"))
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn pad(out: &mut String, spec: &Spec, text: &str, value: &Value) {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    if spec.minus {
        out.push_str(text);
        out.push_str(&" ".repeat(missing));
        return;
    }
    let finite = match value {
        Value::Float(number) => number.is_finite(),
        _ => true,
    };
    if spec.zero && finite {
        let sign =
            usize::from(text.starts_with(['-', '+', ' ']) && !matches!(value, Value::Text(_)));
        out.push_str(&text[..sign]);
        out.push_str(&"0".repeat(missing));
        out.push_str(&text[sign..]);
    } else {
        out.push_str(&" ".repeat(missing));
        out.push_str(text);
    }
}
