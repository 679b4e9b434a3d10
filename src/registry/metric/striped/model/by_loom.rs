//! Writes with the weakest sufficient ordering must not be lost. loom skips readers' interleavings
//! where a writer reads a number before it writes it; shuttle tries those.

mod sync {
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

use loom::sync::Arc;
use loom::thread;

super::shared!();

#[test]
fn nothing_is_lost_between_two_that_share_a_stripe() {
    loom::model(|| {
        let shared = Shared::new();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.observe(0, 1))
        };
        shared.observe(1, 2);
        other.join().unwrap();
        let (stripe, stripe_sum) = Shared::read(&shared.stripe);
        let (aside, aside_sum) = Shared::read(&shared.aside);
        assert_eq!([stripe[0] + aside[0], stripe[1] + aside[1]], [1, 2]);
        assert!((stripe_sum + aside_sum - 3.0).abs() < 1e-9);
        assert_eq!(shared.both(), [3, 3]);
        assert!(Stripe(&shared.stripe).turn().is_some(), "it is given back");
    });
}

#[test]
fn what_a_reader_sees_in_a_classic_bucket_it_sees_in_a_native_one() {
    for taken in [false, true] {
        loom::model(move || {
            let shared = Shared::new();
            if taken {
                Stripe(&shared.stripe).take();
            }
            let other = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.observe(0, 1))
            };
            // Which of the two a reader would otherwise retry for long.
            let (lines, at) = if taken {
                (&shared.aside, 1)
            } else {
                (&shared.stripe, 0)
            };
            let (counts, _) = Shared::read(lines);
            assert!(counts[0] <= shared.native[at].load(Ordering::Relaxed));
            other.join().unwrap();
        });
    }
}

#[test]
fn two_that_are_sent_aside_lose_nothing_either() {
    loom::model(|| {
        let shared = Shared::new();
        Stripe(&shared.stripe).take();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.observe(0, 1))
        };
        shared.observe(0, 2);
        other.join().unwrap();
        let (counts, sum) = Shared::read(&shared.aside);
        assert_eq!(counts, [3, 0]);
        assert!((sum - 3.0).abs() < 1e-9);
    });
}
