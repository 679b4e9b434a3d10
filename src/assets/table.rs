//! Types of the tables. Expressions use catalogue names without namespace, and `$w` for the window
//! of a rate.

/// A group of related alerts.
pub(super) struct AlertGroup {
    pub(super) name: &'static str,
    pub(super) alerts: &'static [Alert],
}

/// An alert, its runbook and its test.
pub(super) struct Alert {
    pub(super) name: &'static str,
    /// `info`, `warning` or `critical`.
    pub(super) severity: &'static str,
    /// The duration (`for`) for which the expression must hold; empty for none.
    pub(super) hold: &'static str,
    pub(super) expr: &'static str,
    /// Both in the template language of Prometheus.
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// The impact on users of the service.
    pub(super) impact: &'static str,
    /// Automatic measures before a person is paged.
    pub(super) tried: &'static str,
    /// The steps for a person.
    pub(super) steps: &'static [&'static str],
    /// The queries for a person.
    pub(super) queries: &'static [&'static str],
    /// The series of its test, which make it fire or stay silent.
    pub(super) test: &'static [Input],
}

/// A series in promtool's notation, with its values when the alert fires and when it is silent.
pub(super) struct Input(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) &'static str,
);

/// A recording rule.
pub(super) struct Record {
    pub(super) name: &'static str,
    pub(super) expr: &'static str,
}

/// A dashboard.
pub(super) struct Dashboard<'t> {
    /// Its UID in Grafana, and its file name.
    pub(super) uid: &'t str,
    pub(super) title: &'t str,
    /// Annotations on the panels whenever one of these grows: label and expression.
    pub(super) marks: &'t [(&'t str, &'t str)],
    pub(super) panels: &'t [Panel<'t>],
}

/// A panel.
#[derive(Clone, Copy)]
pub(super) struct Panel<'t> {
    pub(super) title: &'t str,
    pub(super) shape: Shape,
    /// In Grafana's names: `s`, `bytes`, `percentunit`, `reqps`.
    pub(super) unit: &'t str,
    /// Expressions and their legends.
    pub(super) queries: &'t [(&'t str, &'t str)],
    /// Colours by lower bound; the first bound is ignored.
    pub(super) steps: &'static [(f64, &'static str)],
    /// The alert whose runbook it links to; empty for none.
    pub(super) alert: &'static str,
    /// Why it may be empty in normal operation; empty if it must have data.
    pub(super) empty: &'static str,
}

/// The kind of a panel; a row is 24 wide.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A heading above the following panels.
    Row,
    /// One number, 4 wide.
    Stat,
    /// One number on a dial, 4 wide.
    Gauge,
    /// Lines over time, 12 wide.
    Lines,
    /// The newest values in a table, 12 wide.
    Table,
}

type Queries<'t> = &'t [(&'t str, &'t str)];

impl<'t> Panel<'t> {
    const fn new(shape: Shape, title: &'t str, unit: &'t str, queries: Queries<'t>) -> Self {
        Self {
            title,
            shape,
            unit,
            queries,
            steps: &[],
            alert: "",
            empty: "",
        }
    }

    pub(super) const fn row(title: &'t str) -> Self {
        Self::new(Shape::Row, title, "", &[])
    }

    pub(super) const fn stat(title: &'t str, unit: &'t str, queries: Queries<'t>) -> Self {
        Self::new(Shape::Stat, title, unit, queries)
    }

    pub(super) const fn gauge(title: &'t str, unit: &'t str, queries: Queries<'t>) -> Self {
        Self::new(Shape::Gauge, title, unit, queries)
    }

    pub(super) const fn lines(title: &'t str, unit: &'t str, queries: Queries<'t>) -> Self {
        Self::new(Shape::Lines, title, unit, queries)
    }

    pub(super) const fn table(title: &'t str, unit: &'t str, queries: Queries<'t>) -> Self {
        Self::new(Shape::Table, title, unit, queries)
    }

    pub(super) const fn steps(mut self, steps: &'static [(f64, &'static str)]) -> Self {
        self.steps = steps;
        self
    }

    pub(super) const fn alert(mut self, name: &'static str) -> Self {
        self.alert = name;
        self
    }

    pub(super) const fn empty(mut self, why: &'static str) -> Self {
        self.empty = why;
        self
    }
}
