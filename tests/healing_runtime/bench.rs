//! An engine under test: its registry, its events, and a fault that can be switched on and off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;
use selfheal::config::{Backoff, Budget, Budgets, HealingPolicy, Mode, Modes};
use selfheal::encode::{Format, append};
use selfheal::healing::core::{Snapshot, identities};
use selfheal::healing::engine::BoxedEngine;
use selfheal::healing::{
    AttemptResult, Closed, Confirm, Context, EngineHandle, Events, HealError, Healing,
    HealingBuilder, HealingEngine, HealingEvent, Issue, IssueKey, Observation, ParkReason, Phase,
    Plan, Record, Rule, Severity, What,
};
use selfheal::registry::Registry;

use crate::adds_up;

/// The timeout of any wait, longer than any test takes.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A policy that acts at the first detection and waits little, with large budgets.
pub(crate) fn eager() -> HealingPolicy {
    let mut policy = HealingPolicy::default();
    policy.modes = Modes {
        reversible: Mode::Run,
        disruptive: Mode::Run,
        destructive: Mode::Run,
    };
    policy.min_confidence.reversible = 0.0;
    policy.min_confidence.disruptive = 0.0;
    policy.min_confidence.destructive = 0.0;
    policy.confirm = Confirm::at_once();
    policy.settle = seconds(2);
    policy.timeout = seconds(10);
    policy.grace = seconds(4);
    policy.attempts = 2;
    policy.backoff = Backoff {
        base: Duration::from_millis(10),
        ..Backoff::default()
    };
    policy.budget = Budgets::default();
    policy.budget.component = Budget::new(1_000, seconds(60));
    policy.budget.global = Budget::new(1_000, seconds(60));
    policy.intensity = Budget::new(1_000, seconds(60));
    policy.storm.min_components = u32::MAX;
    policy.flap.heals = 64;
    policy.flap.window = seconds(1);
    policy
}

/// The faults of one engine, which its detector finds.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<BTreeMap<IssueKey, Severity>>>);

impl Faults {
    pub(crate) fn one(component: &str) -> Self {
        let faults = Self::default();
        faults.break_it(component);
        faults
    }

    pub(crate) fn break_it(&self, component: &str) {
        self.set(component, Severity::Error);
    }

    pub(crate) fn set(&self, component: &str, severity: Severity) {
        self.0.lock().insert(key(component), severity);
    }

    pub(crate) fn repair(&self, component: &str) {
        self.0.lock().remove(&key(component));
    }

    pub(crate) fn found(&self) -> Vec<Observation> {
        let faults = self.0.lock();
        let found = faults.iter().map(|(key, severity)| {
            Observation::new(key.component.clone(), key.issue_type.clone()).severity(*severity)
        });
        found.collect()
    }

    /// A detector of these faults, and an action.
    pub(crate) fn rule<A, F>(&self, act: A) -> Rule
    where
        A: Fn(Context, Issue) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), HealError>> + Send + 'static,
    {
        let faults = self.clone();
        Rule::when("engine", move |_: Context| {
            let found = faults.found();
            async move { Ok(found) }
        })
        .run("act", act)
    }

    /// A detector of these faults, and an action that returns ok and heals nothing.
    pub(crate) fn useless_rule(&self) -> Rule {
        self.rule(|_, _| async { Ok(()) })
    }

    /// A detector of these faults, and an action that heals them.
    pub(crate) fn mending_rule(&self) -> Rule {
        let faults = self.clone();
        self.rule(move |_, issue: Issue| {
            faults.repair(issue.key.component.as_str());
            async { Ok(()) }
        })
    }
}

pub(crate) fn key(component: &str) -> IssueKey {
    IssueKey::new(component, "broken")
}

pub(crate) struct Bench {
    pub(crate) healing: Healing,
    pub(crate) registry: Registry,
    events: Events,
}

impl Bench {
    pub(crate) fn start(policy: HealingPolicy) -> Self {
        Self::build(Healing::builder().policy(policy))
    }

    pub(crate) fn build(builder: HealingBuilder) -> Self {
        let registry = Registry::new();
        let healing = builder.registry(&registry).seed(7).start().unwrap();
        Self {
            events: healing.subscribe(),
            healing,
            registry,
        }
    }

    pub(crate) fn register(&self, engine: impl Into<BoxedEngine>) -> EngineHandle {
        self.healing.register(engine).unwrap()
    }

    /// A scrape. The identities must hold on the page and in the snapshot.
    pub(crate) fn scrape(&self) -> Snapshot {
        self.page();
        let snapshot = self.healing.snapshot();
        assert_eq!(identities::check(&snapshot), Ok(()));
        snapshot
    }

    pub(crate) fn page(&self) -> String {
        let mut page = Vec::new();
        append(&self.registry.scrape(), Format::TEXT, &mut page);
        let page = String::from_utf8(page).unwrap();
        assert_eq!(adds_up::check(&page, ""), Ok(()), "{page}");
        page
    }

    /// The first record for which `pick` returns a value; scrapes at every record before it.
    pub(crate) async fn until<T>(&mut self, pick: impl Fn(&Record) -> Option<T>) -> T {
        let search = async {
            loop {
                match self.events.next().await.expect("the engine runs") {
                    HealingEvent::Record(record) => {
                        let snapshot = self.healing.snapshot();
                        assert_eq!(identities::check(&snapshot), Ok(()));
                        if let Some(found) = pick(&record) {
                            return found;
                        }
                    }
                    HealingEvent::Missed(missed) => panic!("missed {missed} events"),
                    _ => {}
                }
            }
        };
        let found = tokio::time::timeout(FOREVER, search).await;
        found.expect("it never happened")
    }

    /// Waits until the issue of a component has closed.
    pub(crate) async fn closed(&mut self, component: &str) -> Closed {
        let key = key(component);
        self.until(|record| match &record.what {
            What::Closed {
                key: of, outcome, ..
            } if *of == key => Some(*outcome),
            _ => None,
        })
        .await
    }

    /// Waits until healing has given up on the issue of a component.
    pub(crate) async fn gives_up(&mut self, component: &str) {
        self.gives_up_on(&key(component)).await;
    }

    pub(crate) async fn gives_up_on(&mut self, key: &IssueKey) {
        self.until(|record| match &record.what {
            What::Moved {
                key: of,
                reason: Some(ParkReason::Exhausted),
                ..
            } => (of.component == key.component).then_some(()),
            _ => None,
        })
        .await;
    }

    /// Waits until the issue of a component is in this phase.
    pub(crate) async fn reaches(&mut self, component: &str, phase: Phase) {
        let key = key(component);
        self.until(|record| match &record.what {
            What::Moved { key: of, to, .. } if *of == key && *to == phase => Some(()),
            What::AttemptStarted(intent) if intent.key == key && phase == Phase::Running => {
                Some(())
            }
            _ => None,
        })
        .await;
    }

    /// Waits for the end of the next attempt: its result and its message.
    pub(crate) async fn attempt(&mut self) -> (AttemptResult, String) {
        self.until(|record| match &record.what {
            What::AttemptFinished {
                result, message, ..
            } => Some((*result, message.to_string())),
            _ => None,
        })
        .await
    }

    pub(crate) fn finished(&self, result: AttemptResult) -> u64 {
        self.healing.snapshot().attempts_finished.get(result)
    }

    /// The end of every test: the identities hold, and after the shutdown nothing is open.
    pub(crate) async fn end(self) {
        self.scrape();
        self.healing.shutdown(seconds(30)).await;
        let last = self.scrape();
        assert_eq!(last.open.sum(), 0);
    }
}

/// Lets every task that can run do so, without time passing.
pub(crate) async fn settle_down() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Runs a job on a thread. The paused clock does not wait for threads, so that it is kept from
/// going on until the job has begun.
pub(crate) async fn begun<T: Send + 'static>(
    cx: &Context,
    job: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    let began = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&began);
    let awake = async {
        while !began.load(SeqCst) {
            tokio::task::yield_now().await;
        }
        std::future::pending().await
    };
    let job = cx.on_thread(move || {
        begins.store(true, SeqCst);
        job()
    });
    tokio::select! {
        done = job => done,
        never = awake => never,
    }
}

/// A rule under another name.
pub(crate) struct Renamed(pub(crate) &'static str, pub(crate) Rule);

impl HealingEngine for Renamed {
    fn name(&self) -> &str {
        self.0
    }

    async fn detect(&self, cx: &Context) -> Result<Vec<Observation>, HealError> {
        self.1.detect(cx).await
    }

    fn plan(&self, issue: &Issue) -> Plan {
        HealingEngine::plan(&self.1, issue)
    }

    async fn heal(&self, cx: &Context, issue: &Issue, action: &str) -> Result<(), HealError> {
        self.1.heal(cx, issue, action).await
    }
}

/// Plans whose steps must not be tried again.
pub(crate) fn once(plan: Plan) -> Plan {
    plan.attempts(1)
}
