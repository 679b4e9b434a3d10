//! The healing engine under faults: the faults are real, and time is tokio's paused clock where
//! possible. The accounting identities hold at the end of every test, and at scrapes in between.
//!
//! | fault | tests |
//! |---|---|
//! | a million observations from 16 threads during scrapes | `load::a_million_observations_from_16_threads_during_scrapes` |
//! | a hundred thousand duplicates of one key | `load::a_hundred_thousand_duplicates_of_one_key` |
//! | a full queue of low ones, then a critical one | `load::a_full_queue_of_low_ones_then_a_critical_one` |
//! | an engine that observes far too many keys | `load::an_engine_that_observes_far_too_many_keys` |
//! | an action panics before, during and after an await, and in Drop | `actions::an_action_that_panics_…` (six of them) |
//! | a detector panics every tick, hangs, or blocks for ever | `detectors::a_detector_that_…` |
//! | an async action never returns | `actions::an_async_action_that_never_returns` |
//! | a blocking action never returns, then succeeds late | `actions::a_blocking_action_that_never_returns_then_succeeds_late` |
//! | the action says ok, the verification is always red | `actions::an_action_that_lies_is_never_healed` |
//! | flapping at every period around the settling time | in the core: `guards::flapping_is_left_alone_until_acknowledged` |
//! | all components fail at once | `load::all_components_fail_at_once` |
//! | a plan that is empty, contradictory, asks for zero attempts, or panics | `actions::a_plan_that_panics_or_is_empty_leaves_the_rest_alone`; in the core: `plan::tests` |
//! | the engine itself panics | in the shell: `shell::tests::a_panic_of_the_core_stops_nothing_else` |
//! | kill -9 at every boundary of a journal write | `crash::kill_9_at_every_boundary_of_a_journal_write` |
//! | a torn journal, a flipped bit | `journal::a_torn_journal`, `journal::a_journal_with_a_flipped_bit` |
//! | a journal of a newer version | in the journal: its `tests` |
//! | the disk is full, hangs, or is slow | `journal::a_full_disk_…`, `journal::a_disk_that_hangs_is_reported` |
//! | pause races with start, shutdown with trigger, snapshots with both | `control::pause_racing_with_start`; by `loom`: `runtime::model` |
//! | an invalid policy is reloaded while healing | `control::an_invalid_policy_reloaded_while_healing` |
//! | the wall clock jumps by a day, while running or at a restart | `control::the_wall_clock_jumps_by_a_day`, `restarts` |
//! | a file is edited between detection and restore | in the guard: `an_edit_between_detection_and_restore_stays` |
//! | a flood of file events | `file_faults::a_flood_of_events_hides_nothing`; the mark of an overflow: `files::watch` |
//! | the parent directory is deleted | `file_faults::the_parent_directory_is_deleted_and_comes_back` |
//! | Kubernetes swaps `..data` | `file_faults::a_config_map_is_swapped_and_never_written_to` |
//! | a read-only mount | `file_faults::a_mount_that_is_read_only` |
//! | another user writes where a guarded file is | `file_strangers` |
//! | a half-written file, a link that moves, a FIFO, a validator that hangs | `file_writers` |
//! | a full disk, a file that is a mount | `file_mounts` |
//! | shutdown and SIGTERM in each open state | `shutdown::a_shutdown_in_each_state`, `sigterm::sigterm_in_each_state` |
//! | healing gives up and no one intervenes | `escalation`, `giving_up` |
//! | the process is stopped and goes on; the runtime is blocked | `stopped::a_process_that_was_stopped_…`, `stopped::a_runtime_that_was_blocked_…` |
//! | everything at once, for an hour | `chaos::an_hour_of_everything_at_once` |
#![cfg(feature = "healing")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

mod actions;
#[path = "../support/adds_up.rs"]
mod adds_up;
mod bench;
mod chaos;
mod control;
mod crash;
mod detectors;
mod disk;
mod escalation;
#[cfg(all(feature = "files", target_os = "linux"))]
mod file_bench;
#[cfg(all(feature = "files", target_os = "linux"))]
mod file_faults;
#[cfg(all(feature = "files", target_os = "linux"))]
mod file_mounts;
#[cfg(all(feature = "files", target_os = "linux"))]
mod file_strangers;
#[cfg(all(feature = "files", target_os = "linux"))]
mod file_writers;
#[cfg(feature = "files")]
mod files;
mod giving_up;
mod journal;
mod load;
mod restarts;
mod shutdown;
#[cfg(unix)]
mod sigterm;
#[cfg(unix)]
mod stopped;
