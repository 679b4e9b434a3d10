//! What the tables are made of. Expressions name metrics as the catalogue does, without namespace,
//! and `$w` stands for the window of a rate.

/// Alerts that belong together.
pub(super) struct AlertGroup {
    pub(super) name: &'static str,
    pub(super) alerts: &'static [Alert],
}

/// An alert, its page and its test.
pub(super) struct Alert {
    pub(super) name: &'static str,
    /// `info`, `warning` or `critical`.
    pub(super) severity: &'static str,
    /// How long the expression must hold; empty for no time.
    pub(super) hold: &'static str,
    pub(super) expr: &'static str,
    /// Both in the template language of Prometheus.
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// What it costs whoever uses the service.
    pub(super) impact: &'static str,
    /// What was tried before a person is asked.
    pub(super) tried: &'static str,
    /// What a person does.
    pub(super) steps: &'static [&'static str],
    /// What a person asks.
    pub(super) queries: &'static [&'static str],
    /// The series of its test: what it is fired by, and what it is silent on.
    pub(super) test: &'static [Input],
}

/// A series in the notation of promtool, with its values where the alert fires, and where it is
/// silent.
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
    /// Its address in Grafana, and its file.
    pub(super) uid: &'t str,
    pub(super) title: &'t str,
    /// Marks, on the panels, each time that one of these grows: what is shown, and the expression.
    pub(super) marks: &'t [(&'t str, &'t str)],
    pub(super) panels: &'t [Panel<'t>],
}

/// A panel.
#[derive(Clone, Copy)]
pub(super) struct Panel<'t> {
    pub(super) title: &'t str,
    pub(super) shape: Shape,
    /// In the words of Grafana: `s`, `bytes`, `percentunit`, `reqps`.
    pub(super) unit: &'t str,
    /// Expressions and their legends.
    pub(super) queries: &'t [(&'t str, &'t str)],
    /// From which value on which colour; that of the first has no lower bound.
    pub(super) steps: &'static [(f64, &'static str)],
    /// The alert whose page it links to; empty for none.
    pub(super) alert: &'static str,
    /// Why it may have no data while all is well; empty where it must have some.
    pub(super) empty: &'static str,
}

/// How a panel is drawn, of a width of 24.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A heading over the panels that follow.
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
