//! Observations, and the issues that the engine opens from them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::confidence::{Estimate, Samples};
use super::moment::Stamp;
pub use crate::config::Severity;
use crate::util::BoundedStr;

/// The name of a component, issue type, action, lock or engine: at most 64 bytes, cheap to clone.
pub type Name = BoundedStr<64>;

/// A message or a piece of evidence: at most 256 bytes, cheap to clone.
pub type ShortText = BoundedStr<256>;

/// The identity of an issue: the component and the kind of fault.
///
/// There is at most one open issue for each key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssueKey {
    /// The component: `db`, `mailer`, `config`.
    pub component: Name,
    /// The kind of fault: `down`, `panicked`, `corrupt`.
    pub issue_type: Name,
}

impl IssueKey {
    /// The key of one kind of fault in one component.
    #[must_use]
    pub fn new(component: impl Into<Name>, issue_type: impl Into<Name>) -> Self {
        Self {
            component: component.into(),
            issue_type: issue_type.into(),
        }
    }
}

/// `component/issue_type`.
impl fmt::Display for IssueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.component, self.issue_type)
    }
}

impl fmt::Debug for IssueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Details of a fault as pairs of text: at most 16, further ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Vec<(Name, ShortText)>", into = "Vec<(Name, ShortText)>")]
pub struct Evidence(Option<Arc<Vec<(Name, ShortText)>>>);

impl Evidence {
    /// The maximum number of pairs.
    pub const MAX: usize = 16;

    /// Adds a pair, unless there are already [`MAX`](Self::MAX).
    pub fn push(&mut self, what: impl Into<Name>, found: impl Into<ShortText>) {
        let pairs = Arc::make_mut(self.0.get_or_insert_default());
        if pairs.len() < Self::MAX {
            pairs.push((what.into(), found.into()));
        }
    }

    /// The pairs, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|pairs| pairs.iter())
            .map(|(what, found)| (what.as_str(), found.as_str()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|pairs| pairs.is_empty())
    }
}

impl From<Vec<(Name, ShortText)>> for Evidence {
    fn from(mut pairs: Vec<(Name, ShortText)>) -> Self {
        pairs.truncate(Self::MAX);
        Self((!pairs.is_empty()).then(|| Arc::new(pairs)))
    }
}

impl From<Evidence> for Vec<(Name, ShortText)> {
    fn from(evidence: Evidence) -> Self {
        evidence.0.map_or_else(Vec::new, Arc::unwrap_or_clone)
    }
}

/// A detector's report of one fault, seen once.
///
/// ```
/// use selfheal::healing::{Observation, Severity};
///
/// let seen = Observation::new("db", "down")
///     .severity(Severity::Critical)
///     .samples(3, 3)
///     .evidence("error", "connection refused")
///     .parent("network");
/// assert_eq!(seen.key.to_string(), "db/down");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// Severity; the first sort key.
    pub severity: Severity,
    /// The key of the fault.
    pub key: IssueKey,
    /// How many of the detector's samples confirm the fault.
    pub samples: Samples,
    /// Details of the fault.
    pub evidence: Evidence,
    /// The component that this one depends on: it is healed first.
    pub parent: Option<Name>,
    /// Whether it supersedes the other faults of its component.
    #[serde(default)]
    pub superseding: bool,
}

impl Observation {
    /// A fault of severity [`Severity::Warning`], with one sample of one.
    #[must_use]
    pub fn new(component: impl Into<Name>, issue_type: impl Into<Name>) -> Self {
        Self {
            severity: Severity::default(),
            key: IssueKey::new(component, issue_type),
            samples: Samples::new(1, 1),
            evidence: Evidence::default(),
            parent: None,
            superseding: false,
        }
    }

    /// Sets the severity. Default: warning.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets how many of the detector's samples confirm the fault. Default: 1 of 1.
    ///
    /// An observation with no samples, or with more confirming ones than there are, is refused
    /// and counted as invalid.
    #[must_use]
    pub fn samples(mut self, confirming: u32, total: u32) -> Self {
        self.samples = Samples::new(confirming, total);
        self
    }

    /// Adds a piece of evidence; at most [`Evidence::MAX`] are kept. If the plan only reports the
    /// fault, its alert starts with the evidence `summary`.
    #[must_use]
    pub fn evidence(mut self, what: impl Into<Name>, found: impl Into<ShortText>) -> Self {
        self.evidence.push(what, found);
        self
    }

    /// Names the component that this one depends on. While an issue of the parent is open, this
    /// one is not acted on. Default: none.
    #[must_use]
    pub fn parent(mut self, component: impl Into<Name>) -> Self {
        self.parent = Some(component.into());
        self
    }

    /// Declares that the component has one fault at a time, and that this is the current one: other
    /// issues of the component that the same engine reported close at once as superseded, also
    /// while verifying or settling, and their locks are released. An issue whose attempt or
    /// rollback runs closes when that ends, unless it is reported again. An engine reports at most
    /// one such observation of a component in a detection run. Default: the faults of a component
    /// are independent.
    #[must_use]
    pub fn superseding(mut self) -> Self {
        self.superseding = true;
        self
    }

    /// Whether the engine can use the observation.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let Samples { confirming, total } = self.samples;
        total > 0
            && confirming <= total
            && !self.key.component.as_str().is_empty()
            && !self.key.issue_type.as_str().is_empty()
    }
}

/// A number that changes when an issue reopens or worsens, so that a stale reading of it can be
/// detected.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// An open fault: all observations of one key since it was last good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Issue {
    /// The key.
    pub key: IssueKey,
    /// The worst severity seen.
    pub severity: Severity,
    /// The detector's confidence: see [`Samples::confidence`].
    pub confidence: Estimate,
    /// Latest evidence, from the worst observation of that moment.
    pub evidence: Evidence,
    /// Changes when the issue reopens or worsens.
    pub generation: Generation,
    /// When it opened.
    pub first_seen: Stamp,
    /// When it was last seen.
    pub last_seen: Stamp,
    /// Number of observations.
    pub count: u64,
}

impl Issue {
    /// The issue that an observation opens.
    pub(super) fn opened(now: Stamp, generation: Generation, seen: Observation) -> Self {
        Self {
            key: seen.key,
            severity: seen.severity,
            confidence: seen.samples.confidence(),
            evidence: seen.evidence,
            generation,
            first_seen: now,
            last_seen: now,
            count: 1,
        }
    }
}

#[cfg(test)]
impl Issue {
    /// A sample issue for the tests of engines.
    pub(in crate::healing) fn sample(component: &str, issue_type: &str) -> Self {
        serde_json::from_value(serde_json::json!({
            "key": {"component": component, "issue_type": issue_type},
            "severity": "error",
            "confidence": {"value": 0.5, "n": 1},
            "evidence": [],
            "generation": 1,
            "first_seen": {"at": 0, "wall": 0},
            "last_seen": {"at": 0, "wall": 0},
            "count": 1,
        }))
        .unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_bounded_also_when_read() {
        let mut evidence = Evidence::default();
        assert!(evidence.is_empty());
        for n in 0..40 {
            evidence.push(n.to_string(), "x");
        }
        assert_eq!(evidence.iter().count(), Evidence::MAX);
        let text = serde_json::to_string(&evidence).unwrap();
        let read: Evidence = serde_json::from_str(&text).unwrap();
        assert_eq!(read, evidence);
        let long: Vec<(Name, ShortText)> = vec![("a".into(), "b".into()); 40];
        assert_eq!(Evidence::from(long).iter().count(), Evidence::MAX);
    }

    #[test]
    fn an_observation_needs_samples_and_names() {
        let good = Observation::new("db", "down");
        assert!(good.is_valid());
        assert!(good.clone().samples(0, 3).is_valid());
        assert!(!good.clone().samples(0, 0).is_valid());
        assert!(!good.samples(4, 3).is_valid());
        assert!(!Observation::new("", "down").is_valid());
        assert!(!Observation::new("db", "").is_valid());
    }
}
