//! Attempts that count against a budget, a share of which is reserved for worse faults and for
//! components that have spent nothing.

use std::collections::VecDeque;

use crate::config::{Budget, Budgets};
use crate::healing::core::{Moment, Severity};

/// The share of a budget that an attempt may draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Draw {
    /// Severity of its fault: the shares of all milder ones are open to it as well.
    pub(super) severity: Severity,
    /// Whether its component has spent nothing in the window.
    pub(super) unspent: bool,
}

const CLASSES: usize = 2 * Severity::ALL.len();

/// The reserved shares of a budget, 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    per_severity: f64,
    for_unspent: f64,
}

/// The last attempts, at most the budget, by the share they drew on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spent([VecDeque<Moment>; CLASSES]);

impl Draw {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Severity::ALL
            .into_iter()
            .flat_map(|severity| [false, true].map(|unspent| Self { severity, unspent }))
    }

    const fn index(self) -> usize {
        2 * self.severity as usize + self.unspent as usize
    }
}

impl Kept {
    /// The reserved shares of the global budget.
    pub(super) const fn of_all(budgets: &Budgets) -> Self {
        Self {
            per_severity: budgets.kept_per_severity,
            for_unspent: budgets.kept_for_unspent,
        }
    }

    /// The reserved shares of a component's budget.
    pub(super) const fn of_one(budgets: &Budgets) -> Self {
        Self {
            per_severity: budgets.kept_per_severity,
            for_unspent: 0.0,
        }
    }

    /// The part of a budget available to faults up to this severity and, unless `unspent`, to
    /// components that have spent before. At least one.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between zero and the budget"
    )]
    fn most(self, budget: &Budget, draw: Draw) -> usize {
        let worse = Severity::Critical.level() - draw.severity.level();
        let for_unspent = if draw.unspent { 0.0 } else { self.for_unspent };
        let share = f64::from(worse) * self.per_severity + for_unspent;
        // The tolerance keeps whole numbers whole despite rounding errors.
        let kept = (f64::from(budget.max) * share - 1e-6).ceil().max(0.0) as usize;
        (budget.max as usize).saturating_sub(kept).max(1)
    }
}

impl Spent {
    /// When the next attempt is within the budget; `None` if it is now.
    ///
    /// For a window of length `w`, an attempt counts from its start `s` until just before
    /// `s + w`.
    pub(super) fn blocked_until(
        &self,
        now: Moment,
        budget: &Budget,
        kept: Kept,
        draw: Draw,
    ) -> Option<Moment> {
        // An attempt counts against every class that may use as much of the budget or more.
        let limits = Draw::all()
            .filter(|limit| limit.severity >= draw.severity && limit.unspent >= draw.unspent);
        limits
            .filter_map(|limit| self.full_until(now, budget, limit, kept.most(budget, limit)))
            .max()
    }

    /// When the attempts within a limit fall below it.
    fn full_until(&self, now: Moment, budget: &Budget, limit: Draw, most: usize) -> Option<Moment> {
        let within = |draw: &Draw| draw.severity <= limit.severity && draw.unspent <= limit.unspent;
        // The first time of each class that still counts.
        let mut next = [0; CLASSES];
        let mut counting = 0;
        for draw in Draw::all().filter(within) {
            let times = &self.0[draw.index()];
            let gone = gone(times, now, budget);
            next[draw.index()] = gone;
            counting += times.len() - gone;
        }
        let mut over = (counting + 1).checked_sub(most)?;
        let mut leaves = None;
        while over > 0 {
            let oldest = |draw: Draw| Some((*self.0[draw.index()].get(next[draw.index()])?, draw));
            let (at, draw) = Draw::all().filter(within).filter_map(oldest).min()?;
            next[draw.index()] += 1;
            leaves = Some(at + budget.window);
            over -= 1;
        }
        leaves
    }

    /// Remembers an attempt.
    pub(super) fn spend(&mut self, now: Moment, budget: &Budget, draw: Draw) {
        while self.0.iter().map(VecDeque::len).sum::<usize>() >= (budget.max as usize).max(1) {
            let oldest = self.0.iter_mut().filter(|times| !times.is_empty());
            if let Some(times) = oldest.min_by_key(|times| times.front().copied()) {
                times.pop_front();
            }
        }
        self.0[draw.index()].push_back(now);
    }

    /// Attempts left now, for the worst fault of a component that has spent nothing.
    pub(super) fn left(&self, now: Moment, budget: &Budget) -> u32 {
        let counting: usize = self
            .0
            .iter()
            .map(|times| times.len() - gone(times, now, budget))
            .sum();
        budget
            .max
            .saturating_sub(u32::try_from(counting).unwrap_or(u32::MAX))
    }

    /// When the last attempt started.
    pub(super) fn last(&self) -> Option<Moment> {
        self.0
            .iter()
            .filter_map(|times| times.back().copied())
            .max()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(VecDeque::is_empty)
    }

    /// The times of attempts, by the share they drew on.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Draw, &VecDeque<Moment>)> {
        let all = Draw::all().map(|draw| (draw, &self.0[draw.index()]));
        all.filter(|(_, times)| !times.is_empty())
    }
}

/// The number of attempts that no longer count.
fn gone(times: &VecDeque<Moment>, now: Moment, budget: &Budget) -> usize {
    times.partition_point(|&at| at + budget.window <= now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(600);
    const KEPT: Kept = Kept {
        per_severity: 0.1,
        for_unspent: 0.2,
    };

    fn draw(level: usize, unspent: bool) -> Draw {
        let severity = Severity::ALL[level];
        Draw { severity, unspent }
    }

    /// Starts attempts until the budget is spent; returns their number.
    fn fill(spent: &mut Spent, budget: &Budget, draw: Draw) -> usize {
        let now = Moment::START;
        let mut started = 0;
        while spent.blocked_until(now, budget, KEPT, draw).is_none() {
            spent.spend(now, budget, draw);
            started += 1;
        }
        started
    }

    #[test]
    fn a_share_is_left_for_each_higher_severity_and_for_the_unspent() {
        let budget = Budget::new(60, WINDOW);
        let mut spent = Spent::default();
        let takes = [(0, false), (1, false), (3, false), (0, true), (3, true)];
        let started = takes.map(|(level, unspent)| fill(&mut spent, &budget, draw(level, unspent)));
        // 60 less three tenths and a fifth; a tenth more; two tenths more; then the share for
        // unspent ones.
        assert_eq!(started, [30, 6, 12, 12, 0]);
        let mut spent = Spent::default();
        assert_eq!(fill(&mut spent, &budget, draw(3, false)), 48);
        assert_eq!(fill(&mut spent, &budget, draw(0, true)), 12, "however mild");
        let mut spent = Spent::default();
        assert_eq!(fill(&mut spent, &budget, draw(0, true)), 42);
        assert_eq!(
            fill(&mut spent, &budget, draw(3, false)),
            18,
            "however often"
        );
        for max in 2..10 {
            let budget = Budget::new(max, WINDOW);
            let mut spent = Spent::default();
            assert!(fill(&mut spent, &budget, draw(2, false)) > 0);
            assert!(fill(&mut spent, &budget, draw(3, true)) > 0, "{max}");
        }
        let mut spent = Spent::default();
        assert_eq!(fill(&mut spent, &Budget::new(1, WINDOW), draw(0, false)), 1);
    }

    proptest! {
        #[test]
        fn it_is_free_exactly_when_it_says_and_never_beyond_its_limits(
            max in 1u32..12, attempts in prop::collection::vec((0u64..4, 0usize..4, any::<bool>()), 1..60),
        ) {
            let budget = Budget::new(max, Duration::from_secs(10));
            let mut spent = Spent::default();
            let mut now = Moment::START;
            let mut started: Vec<(Moment, Draw)> = Vec::new();
            for (gap, level, unspent) in attempts {
                now = now + Duration::from_secs(gap);
                let draw = draw(level, unspent);
                if let Some(until) = spent.blocked_until(now, &budget, KEPT, draw) {
                    prop_assert!(until > now);
                    let before = until.back(Duration::from_nanos(1));
                    prop_assert!(spent.blocked_until(before, &budget, KEPT, draw).is_some());
                    prop_assert_eq!(spent.blocked_until(until, &budget, KEPT, draw), None);
                } else {
                    spent.spend(now, &budget, draw);
                    started.push((now, draw));
                }
                for limit in Draw::all() {
                    let within = started.iter().filter(|(at, draw)| {
                        *at + budget.window > now
                            && draw.severity <= limit.severity && draw.unspent <= limit.unspent
                    });
                    prop_assert!(within.count() <= KEPT.most(&budget, limit));
                }
            }
        }
    }
}
