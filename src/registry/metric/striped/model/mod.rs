//! Models of a striped histogram's lines under concurrent writers and readers: by `loom`, which
//! knows memory ordering, and by `shuttle`, which tries many more schedules. Each compiles `lines`
//! again, with its own atomics.

mod by_loom;
mod by_shuttle;

/// A shared stripe, the counts aside of it, and a stand-in for a native bucket: its count for the
/// stripe, and the shared one.
macro_rules! shared {
    () => {
        use super::super::{LINE, Padded};

        #[allow(
            clippy::duplicate_mod,
            reason = "the same code, over the model's atomics"
        )]
        #[path = "../lines.rs"]
        mod lines;

        use lines::{Line, Stripe, each, empty};
        use sync::{AtomicU64, Ordering};

        struct Shared {
            stripe: Box<[Line]>,
            aside: Box<[Line]>,
            native: [AtomicU64; 2],
        }

        impl Shared {
            fn new() -> Arc<Self> {
                Arc::new(Self {
                    stripe: empty(each(1)),
                    aside: empty(each(1)),
                    native: [0, 0].map(AtomicU64::new),
                })
            }

            fn observe(&self, bucket: usize, n: u32) {
                let total = f64::from(n);
                let [mine, common] = &self.native;
                let first = || {
                    let before = mine.load(Ordering::Relaxed);
                    mine.store(before + u64::from(n), Ordering::Relaxed);
                };
                if !Stripe(&self.stripe).add_alone(bucket, n, total, first) {
                    common.fetch_add(u64::from(n), Ordering::Relaxed);
                    Stripe(&self.aside).add(bucket, n, total);
                }
            }

            /// Observations in classic buckets, then in native ones.
            fn both(&self) -> [u64; 2] {
                let classic = [&self.stripe, &self.aside].map(|lines| Self::read(lines).0);
                let native = self.native.each_ref().map(|n| n.load(Ordering::Relaxed));
                [classic.as_flattened().iter().sum(), native.iter().sum()]
            }

            fn read(lines: &[Line]) -> ([u64; 2], f64) {
                let mut counts = [0; 2];
                let sum = Stripe(lines).read(&mut counts);
                (counts, sum)
            }
        }
    };
}
use shared;
