use serde::Serialize;

use super::component::Component;
use super::window::Traffic;

/// The share of traffic that is expected to be served well, 0 to 100, as an interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// The score if everything unknown is bad: the number to publish.
    pub low: f64,
    /// The score if everything unknown is good.
    pub high: f64,
    /// The known share of the score's inputs, 0 to 1.
    pub coverage: f64,
    /// The derivation of the low end, as a sum.
    pub explanation: String,
}

/// Computes the score:
///
/// `100 · min(S, 1 − max over components of w·(1 − h))`
///
/// with S the share of requests served well in the last minutes, w the share of the traffic that
/// needs a component and h the component's health. An unknown w or h counts as the worst in
/// [`Score::low`] and as the best in [`Score::high`]. Without traffic no failures are expected, so
/// S is 1, and the coverage shows that it is unknown.
///
/// It stays within 0 to 100, never rises when an input worsens, does not change when another
/// healthy component is added, and is 0 when a component that all traffic needs is down.
#[must_use]
pub fn score(traffic: Option<Traffic>, components: &[Component]) -> Score {
    let served = traffic.and_then(Traffic::success_ratio);
    let worst = |unknown: Unknown| {
        components
            .iter()
            .map(|component| (component, loss(component, unknown)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
    };
    let lost_requests = 1.0 - served.unwrap_or(1.0);
    let low = worst(Unknown::Bad);
    let (loss, why) = match low {
        Some((component, loss)) if loss >= lost_requests && loss > 0.0 => {
            (loss, because(component))
        }
        _ if lost_requests > 0.0 => (lost_requests, "requests that failed".to_owned()),
        _ => (0.0, String::new()),
    };
    let high = worst(Unknown::Good)
        .map_or(0.0, |(_, loss)| loss)
        .max(lost_requests);
    Score {
        low: 100.0 - 100.0 * loss,
        high: 100.0 - 100.0 * high,
        coverage: coverage(served, components),
        explanation: explain(loss, &why),
    }
}

#[derive(Clone, Copy)]
enum Unknown {
    Good,
    Bad,
}

/// The share of the traffic lost by a component.
fn loss(component: &Component, unknown: Unknown) -> f64 {
    let (share, health) = match unknown {
        Unknown::Bad => (1.0, 0.0),
        Unknown::Good => (0.0, 1.0),
    };
    component.share.unwrap_or(share) * (1.0 - component.health.unwrap_or(health))
}

fn because(component: &Component) -> String {
    let name = &component.name;
    let detail = match (component.detail.as_str(), component.health) {
        ("", None) => "not checked yet",
        ("", Some(_)) => "impaired",
        (detail, _) => detail,
    };
    match component.share {
        Some(share) => format!(
            "{name} {detail}, carries {} % of traffic",
            short(share * 100.0)
        ),
        None => format!("{name} {detail}, carries an unknown share of traffic"),
    }
}

fn explain(loss: f64, why: &str) -> String {
    if why.is_empty() {
        return "100 = 100 − 0: nothing is known to be wrong".to_owned();
    }
    // The score is derived from the rounded loss, so that the sum adds up as it is written.
    let loss = (loss * 1_000.0).round() / 10.0;
    format!("{} = 100 − {}: {why}", short(100.0 - loss), short(loss))
}

/// Formats with at most one decimal, and none if it is zero.
fn short(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    format!("{rounded}")
}

/// The known share of the inputs: a component is known if its loss does not depend on an unset
/// share.
fn coverage(served: Option<f64>, components: &[Component]) -> f64 {
    let known = components
        .iter()
        .filter(|component| loss(component, Unknown::Bad) <= loss(component, Unknown::Good))
        .count();
    (known + usize::from(served.is_some())) as f64 / (components.len() + 1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn component() -> impl Strategy<Value = Component> {
        let ratio = || proptest::option::of(0.0..=1.0_f64);
        (ratio(), ratio()).prop_map(|(share, health)| Component {
            share,
            health,
            ..Component::new("c")
        })
    }

    fn traffic() -> impl Strategy<Value = Option<Traffic>> {
        proptest::option::of((0..=100_u64, 0..=100_u64).prop_map(|(good, bad)| Traffic {
            good,
            total: good + bad,
        }))
    }

    proptest! {
        #[test]
        fn stays_in_bounds(traffic in traffic(), parts in prop::collection::vec(component(), 0..6)) {
            let score = score(traffic, &parts);
            prop_assert!((0.0..=100.0).contains(&score.low));
            prop_assert!(score.low <= score.high && score.high <= 100.0);
            prop_assert!((0.0..=1.0).contains(&score.coverage));
        }

        #[test]
        fn worse_never_raises_it(
            traffic in traffic(),
            parts in prop::collection::vec(component(), 1..6),
            at in any::<prop::sample::Index>(),
            by in 0.0..=1.0_f64,
        ) {
            let before = score(traffic, &parts);
            let mut worse = parts;
            let at = at.index(worse.len());
            worse[at].health = worse[at].health.map(|health| health * by);
            let after = score(traffic, &worse);
            prop_assert!(after.low <= before.low && after.high <= before.high);
        }

        #[test]
        fn a_further_healthy_component_changes_nothing(
            traffic in traffic(),
            mut parts in prop::collection::vec(component(), 0..6),
            share in 0.0..=1.0_f64,
        ) {
            let before = score(traffic, &parts);
            parts.push(Component::new("well").share(share).health(1.0, ""));
            let after = score(traffic, &parts);
            prop_assert_eq!((before.low, before.high), (after.low, after.high));
            prop_assert_eq!(before.explanation, after.explanation);
        }

        #[test]
        fn a_critical_component_down_is_zero(
            traffic in traffic(),
            mut parts in prop::collection::vec(component(), 0..6),
        ) {
            parts.push(Component::new("db").share(1.0).health(0.0, "down"));
            prop_assert!(score(traffic, &parts).low.abs() < f64::EPSILON);
        }

        #[test]
        fn the_explanation_adds_up(traffic in traffic(), parts in prop::collection::vec(component(), 0..6)) {
            let score = score(traffic, &parts);
            let (sum, _) = score.explanation.split_once(':').unwrap();
            let (left, right) = sum.split_once(" = ").unwrap();
            let (whole, loss) = right.split_once(" − ").unwrap();
            let number = |text: &str| text.trim().parse::<f64>().unwrap();
            prop_assert!((number(left) - (number(whole) - number(loss))).abs() < 1e-9);
            prop_assert!((number(left) - score.low).abs() <= 0.051);
        }
    }

    #[test]
    fn failed_requests_lower_it_when_no_component_explains_more() {
        let traffic = Traffic {
            good: 75,
            total: 100,
        };
        let db = Component::new("db").share(0.1).health(0.0, "down");
        let score = score(Some(traffic), &[db]);
        assert_eq!(score.explanation, "75 = 100 − 25: requests that failed");
    }

    #[test]
    fn what_is_not_known_widens_the_interval() {
        let score = score(None, &[Component::new("cache")]);
        assert_eq!((score.low, score.high, score.coverage), (0.0, 100.0, 0.0));
        assert!(score.explanation.contains("not checked yet"));
        let traffic = Some(Traffic { good: 1, total: 1 });
        let half = Component::new("cache").health(0.5, "slow");
        let half = super::score(traffic, &[half]).coverage;
        assert!((half - 0.5).abs() < 1e-9, "its weight was not said");
        let well = Component::new("cache").health(1.0, "");
        let well = super::score(traffic, &[well]).coverage;
        assert!((well - 1.0).abs() < 1e-9, "then it does not matter");
    }
}
