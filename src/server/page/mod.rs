//! The status page: rendered on the server, so that it is complete without scripts and on a phone.
//! With scripts it receives changes and draws charts.

mod charts;
mod configuration;
mod html;
mod live;
mod sections;

use std::fmt::Write as _;
use std::time::SystemTime;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

pub(super) use self::configuration::configuration;
use self::html::text;
pub(super) use self::live::{Live, facts, sections as live_sections, serve as events};
use self::sections::{SECTIONS, title};
use super::answer::answer;
use crate::health::Report;

/// The reload interval of a browser without scripts, in seconds.
const RELOAD: u32 = 5;

/// The content security policy: only what is served beside the page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The assets of the page: name, media type and content.
pub(super) const FILES: [(&str, &str, &str); 4] = [
    (
        "page.css",
        "text/css; charset=utf-8",
        include_str!("page.css"),
    ),
    (
        "page.js",
        "text/javascript; charset=utf-8",
        include_str!("page.js"),
    ),
    (
        "chart.js",
        "text/javascript; charset=utf-8",
        include_str!("chart.js"),
    ),
    (
        "figures.js",
        "text/javascript; charset=utf-8",
        include_str!("figures.js"),
    ),
];

/// The name of the event stream beside the page.
pub(super) const EVENTS: &str = "events";

/// An asset of the page. Browsers revalidate it each time, since the next version of the program
/// may have another.
pub(super) fn file(media_type: &'static str, content: &'static str) -> Response {
    let mut response = answer(StatusCode::OK, media_type, content);
    guard(&mut response);
    response
}

/// Adds security headers.
fn guard(response: &mut Response) {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    response.headers_mut().extend(headers);
}

/// The location of a page, and its abilities.
pub(super) struct Place<'a> {
    /// The relative path of the assets.
    pub(super) beside: &'a str,
    /// Pairs of path and description.
    pub(super) links: &'a [(String, &'a str)],
    /// The token of commands, if they are enabled.
    pub(super) token: Option<&'a str>,
    /// The namespace of the metrics, if they can be queried beside the page.
    pub(super) charts: Option<&'a str>,
    /// The configuration as HTML, if known.
    pub(super) configuration: Option<&'a str>,
}

/// Renders the whole page.
pub(super) fn serve(report: &Report, place: &Place<'_>, now: SystemTime) -> Response {
    let page = render(report, place, now);
    let mut response = answer(StatusCode::OK, "text/html; charset=utf-8", page);
    guard(&mut response);
    response.into_response()
}

fn render(report: &Report, place: &Place<'_>, now: SystemTime) -> String {
    let beside = place.beside;
    let mut out = String::with_capacity(16 * 1024);
    out.push_str(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
    );
    text(&mut out, &title(report));
    out.push_str("</title><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"");
    text(&mut out, beside);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "page.css\"><noscript><meta http-equiv=\"refresh\" content=\"{RELOAD}\"></noscript>"
    );
    for script in ["chart.js", "page.js", "figures.js"] {
        if script == "figures.js" && place.charts.is_none() {
            continue;
        }
        out.push_str("<script defer src=\"");
        text(&mut out, beside);
        let _ = write!(out, "{script}\"></script>");
    }
    out.push_str("</head><body data-beside=\"");
    text(&mut out, beside);
    if let Some(token) = place.token {
        let _ = write!(out, "\" data-token=\"{token}");
    }
    out.push_str("\"><a class=\"skip\" href=\"#main\">Skip to content</a><header>");
    let section = |out: &mut String, id: &str, class: &str| {
        let _ = write!(out, "<div id=\"{id}\" class=\"{class}\">");
        if let Some((_, render)) = SECTIONS.iter().find(|(name, _)| *name == id) {
            render(out, report, Some(now));
        }
        out.push_str("</div>");
    };
    section(&mut out, "head", "head");
    out.push_str(
        "<span id=\"live\" class=\"soft\" role=\"status\"></span><nav aria-label=\"Endpoints\">",
    );
    for (path, what) in place.links {
        out.push_str("<a href=\"");
        text(&mut out, path);
        out.push_str("\">");
        text(&mut out, what);
        out.push_str("</a>");
    }
    out.push_str("</nav></header><main id=\"main\" tabindex=\"-1\">");
    section(&mut out, "alerts", "stack");
    out.push_str("<div class=\"tiles\">");
    out.push_str("<div class=\"card score\">");
    section(&mut out, "health", "");
    if let Some(namespace) = place.charts {
        charts::score(&mut out, namespace);
    }
    out.push_str("</div>");
    section(&mut out, "traffic", "card pair");
    if let Some(namespace) = place.charts {
        charts::figures(&mut out, namespace);
    }
    out.push_str("</div><div class=\"cols\"><div class=\"stack\">");
    if let Some(namespace) = place.charts {
        charts::rules(&mut out);
        charts::charts(&mut out, namespace);
    }
    out.push_str("<section class=\"card\" aria-labelledby=\"h-recent\"><h2 id=\"h-recent\">What happened</h2>");
    section(&mut out, "recent", "");
    out.push_str("</section>");
    if let Some(namespace) = place.charts {
        charts::explorer(&mut out, namespace);
    }
    out.push_str("</div><div class=\"stack\">");
    for (id, heading) in [
        ("components", "Components"),
        ("open", "Open"),
        ("guards", "Guards"),
    ] {
        let _ = write!(
            out,
            "<section class=\"card\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\">{heading}</h2>"
        );
        section(&mut out, id, "");
        out.push_str("</section>");
    }
    if let Some(configuration) = place.configuration {
        out.push_str(
            "<section class=\"card\" aria-labelledby=\"h-settings\">\
             <h2 id=\"h-settings\">Configuration</h2>",
        );
        out.push_str(configuration);
        out.push_str("</section>");
    }
    let _ = writeln!(
        out,
        "</div></div><footer>These figures are from this process; Prometheus keeps them for \
         longer.<noscript> Reloads every {RELOAD} s.</noscript></footer></main></body></html>"
    );
    out
}

#[cfg(test)]
mod tests;
