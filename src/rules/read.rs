//! From the text of a rule file to its groups, gathering all faults on the way.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::duration::parse_duration;
use super::fault::{RuleFault, RuleFileError};
use super::file::{Alerting, FileRule, RuleFile, RuleGroup};
use super::template::Template;
use super::yaml::{self, Kind, Node, Scalar};
use crate::promql::{Place, Query, QueryError};
use crate::util::nearest;

const FILE_FIELDS: &[&str] = &["groups"];
const GROUP_FIELDS: &[&str] = &[
    "name",
    "interval",
    "query_offset",
    "limit",
    "labels",
    "rules",
];
const RULE_FIELDS: &[&str] = &[
    "record",
    "alert",
    "expr",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
];

/// The size limit of a rule file, in bytes.
const MAX_BYTES: u64 = 4 << 20;

impl RuleFile {
    /// Reads a file of at most 4 MiB.
    ///
    /// # Errors
    /// The file cannot be read, or has faults, each with its line and column.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RuleFileError> {
        use std::io::Read as _;
        let path = path.as_ref();
        let io = |source| RuleFileError::Io {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(io)?;
        let bytes = file.take(MAX_BYTES + 1).read_to_string(&mut text);
        if bytes.map_err(io)? as u64 > MAX_BYTES {
            let kind = std::io::ErrorKind::InvalidData;
            return Err(io(std::io::Error::new(
                kind,
                "it is larger than 4 MiB; split it into several files",
            )));
        }
        Self::parse(path, &text)
    }

    /// Parses the text of a file; `path` names it in errors.
    ///
    /// # Errors
    /// Its faults, each with its line and column.
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, RuleFileError> {
        let path = path.as_ref();
        let invalid = |faults: Vec<RuleFault>| RuleFileError::invalid(path, faults);
        let tree = yaml::read(text).map_err(|fault| invalid(vec![fault]))?;
        let groups = groups(text, tree.as_ref()).map_err(invalid)?;
        Ok(Self {
            path: path.to_owned(),
            groups,
        })
    }
}

/// The groups of a file, or all of its faults.
fn groups(source: &str, tree: Option<&Node>) -> Result<Vec<RuleGroup>, Vec<RuleFault>> {
    let mut reader = Reader {
        source,
        faults: Vec::new(),
    };
    let groups = tree.map_or_else(Vec::new, |tree| reader.file(tree));
    if reader.faults.is_empty() {
        Ok(groups)
    } else {
        Err(reader.faults)
    }
}

type Labels = BTreeMap<Arc<str>, Scalar>;

struct Reader<'a> {
    source: &'a str,
    faults: Vec<RuleFault>,
}

/// The entries of a map, by the names of its fields.
struct Fields<'a> {
    place: Place,
    entries: &'a [(Scalar, Node)],
}

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().find(|(key, _)| &*key.text == name);
        entry.map(|(_, node)| node)
    }

    fn key(&self, name: &str) -> Option<Place> {
        let entry = self.entries.iter().find(|(key, _)| &*key.text == name);
        entry.map(|(key, _)| key.place)
    }
}

impl Reader<'_> {
    fn fault(&mut self, at: Place, problem: impl Into<String>, hint: impl Into<String>) {
        self.faults.push(RuleFault::new(at, problem, hint));
    }

    fn file(&mut self, tree: &Node) -> Vec<RuleGroup> {
        if matches!(&tree.kind, Kind::Scalar(text) if text.is_null()) {
            return Vec::new();
        }
        let Some(fields) = self.fields(tree, "a rule file", FILE_FIELDS) else {
            return Vec::new();
        };
        let nodes = self.list(fields.get("groups"), "groups");
        let mut lines: HashMap<Arc<str>, usize> = HashMap::new();
        let mut groups = Vec::new();
        for node in nodes {
            let Some(group) = self.group(node) else {
                continue;
            };
            if let Some(line) = lines.insert(Arc::clone(&group.name), group.place.line) {
                self.fault(
                    group.place,
                    format!("the group `{}` is already in line {line}", group.name),
                    "give it another name",
                );
            }
            groups.push(group);
        }
        groups
    }

    fn group(&mut self, node: &Node) -> Option<RuleGroup> {
        let fields = self.fields(node, "a group", GROUP_FIELDS)?;
        let before = self.faults.len();
        let name = self.required(&fields, "name", "a group");
        let interval = self.duration(fields.get("interval"));
        let query_offset = self.duration(fields.get("query_offset"));
        let limit = self.limit(fields.get("limit"));
        let labels = self.labels(fields.get("labels"), true);
        let rules = self.list(fields.get("rules"), "rules");
        let rules: Vec<_> = rules
            .iter()
            .filter_map(|rule| self.rule(rule, &labels))
            .collect();
        // A group with faults still occupies its name.
        let name = name.or_else(|| (self.faults.len() > before).then(|| Arc::from("")))?;
        (!name.is_empty()).then_some(RuleGroup {
            name,
            interval: interval.filter(|interval| !interval.is_zero()),
            query_offset: query_offset.unwrap_or_default(),
            limit,
            rules,
            place: fields.place,
        })
    }

    fn rule(&mut self, node: &Node, group_labels: &Labels) -> Option<FileRule> {
        let fields = self.fields(node, "a rule", RULE_FIELDS)?;
        let (record, alert) = (fields.get("record"), fields.get("alert"));
        let alerting = match (record, alert) {
            (Some(_), Some(_)) => {
                self.fault(
                    fields.place,
                    "the rule has both `record` and `alert`",
                    "make two rules of it",
                );
                return None;
            }
            (None, None) => {
                self.fault(
                    fields.place,
                    "the rule has neither `record` nor `alert`",
                    "name the series that it records, or its alert",
                );
                return None;
            }
            (None, Some(_)) => true,
            (Some(_), None) => false,
        };
        let name = self.required(&fields, if alerting { "alert" } else { "record" }, "a rule");
        let expr = self.expression(&fields);
        let mut labels = self.labels(fields.get("labels"), true);
        for (name, text) in group_labels {
            labels
                .entry(Arc::clone(name))
                .or_insert_with(|| text.clone());
        }
        let labels = self.templates(labels, alerting);
        let annotations = self.labels(fields.get("annotations"), false);
        let annotations = self.templates(annotations, alerting);
        let alerting = if alerting {
            Some(Alerting {
                hold: self.duration(fields.get("for")).unwrap_or_default(),
                keep_firing_for: self
                    .duration(fields.get("keep_firing_for"))
                    .unwrap_or_default(),
                annotations,
            })
        } else {
            for field in ["for", "keep_firing_for", "annotations"] {
                if let Some(at) = fields.key(field) {
                    let problem = format!("a recording rule has no `{field}`");
                    self.fault(at, problem, "remove it, or write `alert` for `record`");
                }
            }
            // Any other text is a valid name, as in Prometheus 3.
            if let Some(name) = name.as_deref().filter(|name| name.contains(['{', '}'])) {
                let at = record.map_or(fields.place, |node| node.place);
                let problem = format!("`{name}` is not a valid name of a series");
                self.fault(at, problem, "leave the braces to `expr`");
            }
            None
        };
        Some(FileRule {
            name: name?,
            alerting,
            expr: expr?,
            labels,
            place: fields.place,
        })
    }

    fn expression(&mut self, fields: &Fields<'_>) -> Option<Query> {
        let text = self.required(fields, "expr", "a rule")?;
        let error = match Query::parse(&text) {
            Ok(query) => return Some(query),
            Err(error) => error,
        };
        let at = error.place().map_or(0, |place| offset(&text, place));
        let place = match &fields.get("expr")?.kind {
            Kind::Scalar(scalar) => scalar.place_of(self.source, at),
            _ => fields.place,
        };
        let problem = match error {
            QueryError::Syntax { message, .. } => message,
            error => error.to_string(),
        };
        self.fault(place, problem, "correct the expression");
        None
    }

    /// Parses templates, or keeps the texts for a recording rule.
    fn templates(&mut self, texts: Labels, parse: bool) -> Vec<(Arc<str>, Template)> {
        let mut templates = Vec::with_capacity(texts.len());
        for (name, scalar) in texts {
            if !parse {
                templates.push((name, Template::plain(&scalar.text)));
                continue;
            }
            match Template::parse(&scalar.text) {
                Ok(template) => templates.push((name, template)),
                Err(error) => {
                    let at = scalar.place_of(self.source, error.at);
                    self.fault(at, error.problem, error.hint);
                }
            }
        }
        templates
    }

    fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Option<Fields<'n>> {
        let Kind::Map(entries) = &node.kind else {
            self.fault(
                node.place,
                format!("{what} is a map of fields, but this is not"),
                format!("give it {}", quoted(known)),
            );
            return None;
        };
        for (key, _) in entries
            .iter()
            .filter(|(key, _)| !known.contains(&&*key.text))
        {
            let hint = match nearest(&key.text, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if &*key.text == "spec" => "in a `PrometheusRule` of Kubernetes, \
                     the rule file is what is under `spec`"
                    .to_owned(),
                None => format!("its fields are {}", quoted(known)),
            };
            self.fault(
                key.place,
                format!("{what} has no field `{}`", key.text),
                hint,
            );
        }
        Some(Fields {
            place: node.place,
            entries,
        })
    }

    fn list<'n>(&mut self, node: Option<&'n Node>, name: &str) -> &'n [Node] {
        match node.map(|node| (&node.kind, node.place)) {
            None => &[],
            Some((Kind::List(nodes), _)) => nodes,
            Some((Kind::Scalar(text), _)) if text.is_null() => &[],
            Some((_, at)) => {
                self.fault(
                    at,
                    format!("`{name}` is a list"),
                    "begin each entry with `-`",
                );
                &[]
            }
        }
    }

    fn scalar<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Scalar> {
        if let Kind::Scalar(scalar) = &node.kind {
            return Some(scalar);
        }
        self.fault(
            node.place,
            format!("{what} is a string, but this is a list or a map"),
            "write a string, in quotes if it begins with `{` or `[`",
        );
        None
    }

    /// A text that must be present and not empty.
    fn required(&mut self, fields: &Fields<'_>, name: &str, what: &str) -> Option<Arc<str>> {
        let Some(node) = fields.get(name) else {
            self.fault(fields.place, format!("{what} needs `{name}`"), "add it");
            return None;
        };
        let scalar = self.scalar(node, &format!("`{name}`"))?;
        if scalar.is_null() || scalar.text.trim().is_empty() {
            self.fault(node.place, format!("`{name}` is empty"), "write it");
            return None;
        }
        Some(Arc::clone(&scalar.text))
    }

    fn duration(&mut self, node: Option<&Node>) -> Option<Duration> {
        let scalar = self.scalar(node?, "a duration")?;
        if scalar.is_null() {
            return None;
        }
        let parsed = parse_duration(&scalar.text);
        if parsed.is_none() {
            let problem = format!("`{}` is not a duration", scalar.text);
            let hint = "write whole numbers with ms, s, m, h, d, w or y, such as 5m or 1h30m";
            self.fault(scalar.place, problem, hint);
        }
        parsed
    }

    /// Zero and negative values mean no limit, as in Prometheus.
    fn limit(&mut self, node: Option<&Node>) -> usize {
        let Some(scalar) = node.and_then(|node| self.scalar(node, "`limit`")) else {
            return 0;
        };
        if scalar.is_null() {
            return 0;
        }
        let limit = scalar.text.parse::<i64>();
        if limit.is_err() {
            let problem = format!("`{}` is not a limit", scalar.text);
            self.fault(scalar.place, problem, "write a whole number");
        }
        limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(0))
    }

    fn labels(&mut self, node: Option<&Node>, labels: bool) -> Labels {
        let Some(node) = node else {
            return Labels::new();
        };
        let entries = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar(text) if text.is_null() => return Labels::new(),
            _ => {
                self.fault(
                    node.place,
                    "this is a map of names to strings",
                    "write each as `name: text`",
                );
                return Labels::new();
            }
        };
        let mut found = Labels::new();
        for (key, value) in entries.iter() {
            // Any other text is a valid name, as in Prometheus 3.
            if key.text.is_empty() || (labels && &*key.text == "__name__") {
                let problem = format!("`{}` is not a valid label name", key.text);
                self.fault(key.place, problem, "use another");
                continue;
            }
            if let Some(scalar) = self.scalar(value, &format!("`{}`", key.text)) {
                let mut scalar = scalar.clone();
                if scalar.is_null() {
                    scalar.text = Arc::from("");
                }
                found.insert(Arc::clone(&key.text), scalar);
            }
        }
        found
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The byte offset of a position.
fn offset(text: &str, place: Place) -> usize {
    let lines = text
        .split_inclusive('\n')
        .take(place.line.saturating_sub(1));
    lines.map(str::len).sum::<usize>() + place.column.saturating_sub(1)
}
