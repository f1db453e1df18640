//! What every store promises, one function a promise, and the list of them: an engine's tests run it with
//! [`store_conformance!`](crate::store_conformance).

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_runtime::store::{
    Batch, Claim, ClaimId, ClaimRequest, ClaimTarget, Lease, NodeId, StartOptions, StartOutcome, Store,
};
use process_runtime::{
    Run, RunId,
    run::{Level, LogLine},
};
use serde_json::Map;

pub mod claims;
pub mod controls;
pub mod counts;
pub mod ends;
pub mod hints;
pub mod leases;
pub mod lists;
pub mod logs;
pub mod places;
pub mod pruning;
pub mod starts;

/// A new, empty store as two nodes see it. An engine inside this process returns the same one twice.
#[derive(Clone)]
pub struct Nodes {
    pub here: Arc<dyn Store>,
    pub there: Arc<dyn Store>,
}

impl Nodes {
    /// A store that only one process can have.
    pub fn same(store: Arc<dyn Store>) -> Self {
        Self { here: Arc::clone(&store), there: store }
    }
}

impl std::fmt::Debug for Nodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nodes")
    }
}

/// A lease that does not end during a test.
pub const LONG: Duration = Duration::from_secs(600);
/// A lease whose end a test waits for.
pub const SHORT: Duration = Duration::from_millis(250);
/// After this long, what should have happened never will.
const PATIENCE: Duration = Duration::from_secs(20);

pub fn run_of(process: &str) -> Run {
    Run::queued(process, "A title", Map::new())
}

pub fn with_key(key: &str) -> StartOptions {
    StartOptions::default().idempotency_key(key.to_owned())
}

pub fn claimable(process: &str) -> ClaimTarget {
    ClaimTarget::new(process)
}

/// A claim request of a new node.
pub fn wanted(processes: impl IntoIterator<Item = ClaimTarget>) -> ClaimRequest {
    ClaimRequest::new(NodeId::new(), LONG).processes(processes.into_iter().collect()).suspects(true)
}

pub async fn started(store: &dyn Store, run: Run) -> Run {
    let StartOutcome { run, existing, .. } = store.start(run, StartOptions::default()).await.unwrap();
    assert!(!existing);
    run
}

pub async fn claimed(store: &dyn Store, process: &str) -> Claim {
    store.claim(wanted([claimable(process)])).await.unwrap().expect("a run waits")
}

/// A run with a long lease and a holder that can resume it.
pub async fn held(store: &dyn Store, process: &str) -> Claim {
    let run = started(store, run_of(process)).await;
    let resumable = claimable(process).resumable(true);
    let claim = store.claim(wanted([resumable])).await.unwrap().expect("a run waits");
    assert_eq!(claim.run.id, run.id);
    claim
}

pub async fn stored(store: &dyn Store, id: RunId) -> Run {
    store.run(id).await.unwrap().expect("the run is stored")
}

/// Repeats until there is a value.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Claims what the last holder has abandoned.
pub async fn taken_over(store: &dyn Store, wanted: ClaimRequest) -> Claim {
    let again = || wanted.clone().claim(ClaimId::new());
    let claim = until("the lease ends", || async { store.claim(again()).await.unwrap() }).await;
    assert!(claim.abandoned, "{claim:?}");
    claim
}

pub fn line(seq: u64, level: Level, text: &str) -> LogLine {
    // To the microsecond, as every engine keeps it.
    let at = jiff::Timestamp::from_microsecond(1_700_000_000_000_000 + i64::try_from(seq).unwrap()).unwrap();
    LogLine { seq, at, level, text: text.into(), styles: Vec::new() }
}

pub fn lines(text: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<LogLine> {
    numbers.into_iter().map(|seq| line(seq, Level::Info, &format!("{text} {seq}"))).collect()
}

pub fn batch_of(lines: Vec<LogLine>) -> Batch {
    Batch::default().lines(lines)
}

/// An earlier lease on the same run.
pub fn stale(lease: Lease) -> Lease {
    Lease::new(lease.run, lease.epoch - 1, lease.claim)
}

/// Makes a test of each guarantee. Takes the path of an `async fn() -> (Nodes, T)` that creates a new, empty
/// store; `T` is kept until the test is over.
///
/// ```ignore
/// process_tests::store_conformance!(crate::nodes);
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($nodes:path) => {
        $crate::store_conformance! { $nodes =>
            starts:
                started_run_is_stored_as_given
                runs_are_numbered_per_process
                parallel_starts_share_no_number
                unknown_run_is_not_found
                same_idempotency_key_gives_first_run
                idempotency_key_outlives_its_run
                idempotency_key_belongs_to_process
                thousand_identical_starts_make_one_run
                exclusive_start_gives_active_run
                ended_run_allows_exclusive_start
                full_queue_refuses_starts
                processes_and_actors_have_own_queues
                full_queue_still_gives_existing_run;
            claims:
                oldest_run_is_claimed_first
                higher_priority_is_claimed_first
                priority_precedes_age_across_processes
                only_requested_processes_are_claimed
                claim_marks_running_and_counts_attempt
                claim_returns_last_log_number
                repeated_claim_returns_same_run
                run_not_yet_due_is_skipped
                concurrent_claims_have_one_winner
                concurrent_claims_never_double_runs;
            places:
                process_concurrency_limit_holds
                end_or_release_frees_a_slot
                concurrency_keys_have_separate_limits
                blocked_run_does_not_block_others
                concurrency_limit_holds_among_claimers;
            leases:
                expired_lease_moves_with_higher_epoch
                heartbeat_keeps_the_lease
                node_does_not_take_own_runs
                orphans_are_claimed_on_request
                suspects_are_claimed_on_request
                abandoned_run_precedes_queued
                abandoned_run_needs_its_process
                pinned_run_needs_its_folder
                run_is_pinned_by_its_files
                nonresumable_abandoned_run_is_unchanged
                resumable_abandoned_run_counts_crash
                cancelled_or_pausing_abandoned_counts_nothing
                moving_cursor_resets_crash_count
                abandoned_run_keeps_its_slot
                abandoned_run_has_one_claimer
                stale_holder_can_write_nothing
                unknown_holder_can_write_nothing;
            ends:
                each_outcome_sets_its_status
                success_clears_cursor_failure_keeps_it
                last_batch_is_stored_with_end
                success_without_steps_left_has_100_percent
                run_ends_only_once
                repeated_end_gets_same_answer
                repeated_release_gets_same_answer
                ended_run_is_never_claimed
                released_run_precedes_younger_ones
                retry_counts_failure_and_waits
                paused_release_waits_for_resume
                release_applies_pending_control
                released_run_has_no_holder
                release_resets_crash_count;
            controls:
                unknown_run_cannot_be_controlled
                queued_run_is_cancelled_immediately
                held_run_is_cancelled_by_holder
                force_stop_ends_held_run
                queued_run_pauses_and_resumes_immediately
                held_run_is_paused_by_holder
                withdrawn_pause_is_not_requested
                cancel_precedes_pause
                resume_makes_retry_due
                running_run_without_cursor_cannot_pause
                invalid_control_changes_nothing;
            logs:
                log_lines_round_trip
                stored_lines_are_not_overwritten
                batch_is_stored_atomically
                fenced_batch_stores_nothing
                unset_batch_fields_stay
                omission_keeps_requested_lines
                log_reads_from_number_with_limit
                log_read_has_byte_budget
                log_search_continues_between_slices
                log_tail_has_byte_limit
                log_filters_by_level
                log_search_matches_exact_text
                log_tail_is_the_end
                each_run_has_its_own_log;
            lists:
                newest_runs_come_first
                runs_list_by_process_status_actor
                runs_list_by_start_time
                run_list_is_paged
                pages_stay_while_runs_change
                same_microsecond_loses_no_run
                ranked_runs_lead_with_running
                runs_are_found_by_number
                runs_are_found_by_text
                text_search_continues_between_slices
                runs_are_found_by_failed_items
                matching_runs_are_counted_by_status;
            counts:
                active_runs_counted_by_process_status
                oldest_queued_time_is_reported
                probe_reports_a_writable_store;
            pruning:
                nothing_is_pruned_without_rule
                old_runs_are_pruned_with_logs
                newest_runs_per_process_are_kept
                both_retention_rules_apply
                active_runs_are_never_pruned
                pruned_run_frees_idempotency_key
                number_of_pruned_run_is_not_reused
                long_log_is_pruned_in_steps;
            hints:
                start_release_and_resume_notify
                request_notifies_of_its_run
                changes_and_ends_notify_of_run;
        }
    };
    ($nodes:path => $($module:ident: $($promise:ident)+;)+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                let (nodes, _kept) = $nodes().await;
                $crate::conformance::$module::$promise(nodes).await;
            })+
        })+

        /// Every promise by its module and name, for a test that none was forgotten.
        const PROMISES: &[(&str, &str)] = &[$($((stringify!($module), stringify!($promise)),)+)+];
    };
}
