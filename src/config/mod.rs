//! What a program can set: serde data, one file per section, checked as a whole.

// How a section is written, so that every fault in it is found and told with its path:
// - `#[serde(default, deny_unknown_fields)]` on the struct, `Default` as the one place of its
//   defaults; an `Option` field is `None` by default; no `flatten` and no `untagged`, since
//   serde forgets the path below them;
// - durations through `duration`;
// - a `Deserialize` or `FromStr` of one's own says "what is wrong; what to do about it";
// - `pub(super) fn check(&self, faults: &mut Faults)` adds every fault of the values, with
//   field names relative to the section; it never stops at the first.

pub mod duration;
mod faults;
mod healing;

pub use faults::{Fault, Faults, Origin};
pub use healing::{
    Approval, Backoff, Budget, Budgets, ByRisk, Confirm, Flap, HealingPolicy, Limits, Mode, Modes,
    Override, Recurrence, Storm, Verify,
};
