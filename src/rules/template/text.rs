//! Text functions of templates.

use std::fmt::Write as _;

/// Capitalizes each word and leaves the rest unchanged.
pub(super) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() || c == '_' {
            if inside {
                out.push(c);
            } else {
                out.extend(c.to_uppercase());
            }
            inside = true;
        } else {
            // These join letters within a word.
            let joins = matches!(c, '\'' | '’' | '.' | ':' | '·');
            inside = inside && joins && chars.peek().is_some_and(|c| c.is_alphanumeric());
            out.push(c);
        }
    }
    out
}

/// Escapes for the query of a URL, with blanks as `+`.
pub(super) fn url_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Removes the port from `host:port`.
pub(super) fn strip_port(text: &str) -> &str {
    let Some((host, port)) = text.rsplit_once(':') else {
        return text;
    };
    if let Some(inside) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return inside;
    }
    let plain = !host.contains([':', '[', ']']) && !port.contains(['[', ']']);
    if plain { host } else { text }
}

/// The first label of a host name, with the port if any; IP addresses are unchanged.
pub(super) fn strip_domain(text: &str) -> String {
    let host = strip_port(text);
    if host.parse::<std::net::IpAddr>().is_ok() {
        return text.to_owned();
    }
    let port = text.strip_prefix(host).unwrap_or("");
    let first = host.split('.').next().unwrap_or(host);
    format!("{first}{port}")
}
