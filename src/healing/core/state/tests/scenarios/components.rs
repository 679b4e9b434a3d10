//! Scenarios of known and forgotten components.

use super::*;

#[test]
fn components_long_gone_take_no_space_and_do_not_hide_a_storm() {
    let mut small = policy();
    small.limits.components = 20;
    small.settle = Duration::ZERO;
    let mut bench = Bench::new(small);
    bench.feed(Event::EngineAdded {
        engine: Name::new("e"),
        components: ["a", "b", "c", "d", "e", "f"].map(Name::new).to_vec(),
    });
    // Names that come and go, such as those of pods.
    for n in 0..100 {
        bench.wait(SECOND);
        bench.hint(down(&format!("pod-{n}")));
        bench.heal_all();
    }
    bench.wait(1200 * SECOND);
    let snapshot = bench.state.snapshot();
    assert_eq!(snapshot.components_known, 6);
    // Each new one has a budget of its own, however many there were before.
    bench.hint(down("pod-100"));
    assert_eq!(bench.running(), ["pod-100"]);
    bench.heal_all();
    // Five of the six that exist are a storm, though few of all that ever existed.
    bench.detect(["a", "b", "c", "d", "e"].map(down).to_vec());
    assert_eq!(bench.alerts(), [AlertKind::Storm]);
}
