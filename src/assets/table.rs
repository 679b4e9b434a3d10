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
    /// The series of its test in promtool's notation, each with its values when the alert fires and
    /// when it is silent. A name without labels gets those of the scrape.
    pub(super) test: &'static [&'static str],
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
    pub(super) queries: [Option<Query<'t>>; 4],
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

/// A query of a panel. All forms but the first aggregate by the labels that the legend names.
#[derive(Clone, Copy)]
pub(super) struct Query<'t> {
    form: Form,
    /// The expression or, for the other forms, the metric.
    of: &'t str,
    pub(super) legend: &'t str,
}

#[derive(Clone, Copy)]
enum Form {
    Expression,
    Sum,
    Rate,
    Hourly,
    Quantile(f64),
}

impl Query<'_> {
    pub(super) fn expr(&self) -> String {
        let of = self.of;
        match self.form {
            Form::Expression => of.to_owned(),
            Form::Sum => self.sum(of, None),
            Form::Rate => self.sum(&format!("rate({of}[$w])"), None),
            Form::Hourly => self.sum(&format!("increase({of}[1h])"), None),
            Form::Quantile(q) => {
                let buckets = self.sum(&format!("rate({of}_bucket[$w])"), Some("le"));
                format!("histogram_quantile({q}, {buckets})")
            }
        }
    }

    /// The sum by the labels of the legend, and one more.
    fn sum(&self, of: &str, more: Option<&str>) -> String {
        let templates = self.legend.split("{{").skip(1);
        let labels = templates.filter_map(|text| Some(text.split_once("}}")?.0));
        let by: Vec<&str> = labels.chain(more).collect();
        if by.is_empty() {
            format!("sum({of})")
        } else {
            format!("sum by ({}) ({of})", by.join(", "))
        }
    }
}

impl<'t> Panel<'t> {
    const fn new(shape: Shape, title: &'t str, unit: &'t str) -> Self {
        Self {
            title,
            shape,
            unit,
            queries: [None; 4],
            steps: &[],
            alert: "",
            empty: "",
        }
    }

    pub(super) const fn row(title: &'t str) -> Self {
        Self::new(Shape::Row, title, "")
    }

    pub(super) const fn stat(title: &'t str, unit: &'t str) -> Self {
        Self::new(Shape::Stat, title, unit)
    }

    pub(super) const fn gauge(title: &'t str, unit: &'t str) -> Self {
        Self::new(Shape::Gauge, title, unit)
    }

    pub(super) const fn lines(title: &'t str, unit: &'t str) -> Self {
        Self::new(Shape::Lines, title, unit)
    }

    pub(super) const fn table(title: &'t str, unit: &'t str) -> Self {
        Self::new(Shape::Table, title, unit)
    }

    /// Adds a query; in a table, a fifth one does not compile.
    const fn with(mut self, form: Form, of: &'t str, legend: &'t str) -> Self {
        let mut at = 0;
        while self.queries[at].is_some() {
            at += 1;
        }
        self.queries[at] = Some(Query { form, of, legend });
        self
    }

    pub(super) const fn query(self, expr: &'t str, legend: &'t str) -> Self {
        self.with(Form::Expression, expr, legend)
    }

    pub(super) const fn sum(self, metric: &'t str, legend: &'t str) -> Self {
        self.with(Form::Sum, metric, legend)
    }

    /// The rate per second of a counter.
    pub(super) const fn rate(self, counter: &'t str, legend: &'t str) -> Self {
        self.with(Form::Rate, counter, legend)
    }

    /// The increase of a counter within the last hour.
    pub(super) const fn hourly(self, counter: &'t str, legend: &'t str) -> Self {
        self.with(Form::Hourly, counter, legend)
    }

    pub(super) const fn quantile(self, q: f64, histogram: &'t str, legend: &'t str) -> Self {
        self.with(Form::Quantile(q), histogram, legend)
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
