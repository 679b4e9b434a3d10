//! The lines of a striped histogram in the orders in which writers and readers can meet: tried by
//! `loom`, which knows the rules of memory ordering, and by `shuttle`, which tries many more turns
//! that threads can take. Each compiles `lines` once more, over atomics of its own.

mod by_loom;
mod by_shuttle;

/// One stripe that threads share, and where goes who finds it taken.
macro_rules! shared {
    () => {
        use super::super::Padded;

        #[allow(
            clippy::duplicate_mod,
            reason = "the same code, over atomics that the model knows"
        )]
        #[path = "../lines.rs"]
        mod lines;

        use lines::{Line, Stripe, each, empty};

        struct Shared {
            stripe: Box<[Line]>,
            aside: Box<[Line]>,
        }

        impl Shared {
            fn new() -> Arc<Self> {
                Arc::new(Self {
                    stripe: empty(each(1)),
                    aside: empty(each(1)),
                })
            }

            fn observe(&self, bucket: usize, n: u32) {
                let total = f64::from(n);
                if !Stripe(&self.stripe).add_alone(bucket, n, total) {
                    Stripe(&self.aside).add(bucket, n, total);
                }
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
