//! What every store promises, one function a promise, and the list of them: an engine's tests run it with
//! [`store_conformance!`](crate::store_conformance).

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_runtime::store::{
    Batch, Claim, ClaimId, ClaimRequest, ClaimTarget, Lease, NodeId, StartOptions, StartOutcome, Store,
};
use process_runtime::{Level, LogLine, Run, RunId};
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

/// One store, new and empty, as two nodes have it. An engine in this process gives the same one twice.
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
    StartOptions { idempotency_key: Some(key.into()), ..StartOptions::default() }
}

pub fn claimable(process: &str) -> ClaimTarget {
    ClaimTarget { process: process.into(), concurrency: usize::MAX, resumable: false }
}

/// What a node asks for that was never heard of before.
pub fn wanted(processes: impl IntoIterator<Item = ClaimTarget>) -> ClaimRequest {
    ClaimRequest {
        processes: processes.into_iter().collect(),
        orphans: false,
        suspects: true,
        lease: LONG,
        node: NodeId::new(),
        claim: ClaimId::new(),
    }
}

pub async fn started(store: &dyn Store, run: Run) -> Run {
    let StartOutcome { run, existing } = store.start(run, StartOptions::default()).await.unwrap();
    assert!(!existing);
    run
}

pub async fn claimed(store: &dyn Store, process: &str) -> Claim {
    store.claim(wanted([claimable(process)])).await.unwrap().expect("a run waits")
}

/// A run that is held for long, by a holder that could go on where it was.
pub async fn held(store: &dyn Store, process: &str) -> Claim {
    let run = started(store, run_of(process)).await;
    let resumable = ClaimTarget { resumable: true, ..claimable(process) };
    let claim = store.claim(wanted([resumable])).await.unwrap().expect("a run waits");
    assert_eq!(claim.run.id, run.id);
    claim
}

pub async fn stored(store: &dyn Store, id: RunId) -> Run {
    store.run(id).await.unwrap().expect("the run is stored")
}

/// Asks again and again, until there is something.
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

/// Takes what the last holder has let fall.
pub async fn taken_over(store: &dyn Store, wanted: ClaimRequest) -> Claim {
    let again = || ClaimRequest { claim: ClaimId::new(), ..wanted.clone() };
    let claim = until("the lease ends", || async { store.claim(again()).await.unwrap() }).await;
    assert!(claim.abandoned, "{claim:?}");
    claim
}

pub fn line(seq: u64, level: Level, text: &str) -> LogLine {
    // To the microsecond, as every engine keeps it.
    let at = jiff::Timestamp::from_microsecond(1_700_000_000_000_000 + i64::try_from(seq).unwrap()).unwrap();
    LogLine { seq, at, level, text: text.into() }
}

pub fn lines(text: &str, numbers: impl IntoIterator<Item = u64>) -> Vec<LogLine> {
    numbers.into_iter().map(|seq| line(seq, Level::Info, &format!("{text} {seq}"))).collect()
}

pub fn batch_of(lines: Vec<LogLine>) -> Batch {
    Batch { lines, ..Batch::default() }
}

/// A lease on the same run that was given before this one.
pub fn stale(lease: Lease) -> Lease {
    Lease { epoch: lease.epoch - 1, ..lease }
}

/// Makes a test of every promise. Takes the path of an `async fn() -> (Nodes, T)` that makes a new, empty
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
                a_started_run_is_there_as_it_was_given
                an_unknown_run_is_nowhere
                the_same_key_gives_the_run_that_was_started_first
                a_key_stands_after_its_run_has_ended
                a_key_belongs_to_one_process
                a_thousand_identical_starts_at_once_make_one_run
                an_exclusive_start_gives_the_active_run_of_its_process
                a_run_that_ended_does_not_stand_for_an_exclusive_start
                when_so_many_runs_wait_no_more_are_started
                a_process_and_a_person_have_queues_of_their_own
                what_stands_already_is_given_even_when_the_queue_is_full;
            claims:
                the_oldest_goes_first
                a_higher_priority_goes_first
                among_several_processes_the_highest_priority_and_then_the_oldest_goes_first
                only_wanted_processes_are_claimed
                a_claimed_run_is_running_and_its_attempt_is_counted
                the_last_number_of_the_log_comes_with_the_claim
                the_same_claim_gives_the_same_run
                a_run_that_is_not_due_is_passed_over
                of_many_claimers_one_gets_the_run
                many_claimers_share_all_runs_without_doubling_one;
            places:
                no_more_runs_of_a_process_are_held_than_it_has_places
                an_end_or_a_release_frees_a_place
                each_concurrency_key_has_places_of_its_own
                a_run_without_a_place_does_not_hold_up_those_behind_it
                places_hold_among_many_claimers;
            leases:
                a_lease_that_ended_is_given_to_another_with_a_higher_epoch
                a_heartbeat_keeps_the_lease
                a_node_takes_over_nothing_it_holds
                orphans_are_given_to_those_who_ask_for_them
                suspects_are_left_to_those_who_ask_for_them
                the_abandoned_goes_before_the_queued
                an_abandoned_run_stays_with_those_who_want_its_process
                an_abandoned_run_that_cannot_go_on_is_given_as_it_was
                an_abandoned_run_that_can_go_on_counts_its_attempt_and_its_crash
                an_abandoned_run_that_was_cancelled_or_to_pause_counts_nothing
                a_cursor_that_moves_ends_a_row_of_crashes
                an_abandoned_run_keeps_its_place_until_it_is_claimed
                of_many_claimers_one_gets_the_abandoned_run
                a_stale_holder_can_write_nothing
                a_holder_that_was_never_one_can_write_nothing;
            ends:
                each_outcome_leads_to_its_status
                a_success_leaves_no_cursor_and_a_failure_keeps_it
                the_last_batch_is_stored_with_the_end
                there_is_one_end
                an_end_whose_answer_was_lost_is_given_again
                a_release_whose_answer_was_lost_is_given_again
                an_ended_run_is_never_claimed_again
                a_released_run_is_queued_and_goes_before_younger_ones
                a_retry_counts_a_failure_and_waits_until_it_is_due
                a_run_released_as_paused_waits_until_it_is_resumed
                a_release_does_what_was_asked_of_the_run
                a_released_run_is_no_longer_its_holders
                a_release_ends_a_row_of_crashes;
            controls:
                an_unknown_run_cannot_be_asked
                a_waiting_run_is_cancelled_at_once
                a_held_run_is_cancelled_by_its_holder
                force_ends_a_held_run_at_once
                a_queued_run_is_paused_and_resumed_at_once
                a_held_run_pauses_at_its_holders_pleasure
                a_pause_that_was_taken_back_is_not_asked_for
                cancel_goes_before_pause
                resume_makes_a_retry_due
                a_running_run_without_cursor_is_not_paused
                what_makes_no_sense_changes_nothing;
            logs:
                lines_come_back_as_they_were_given
                lines_that_are_stored_already_are_left_as_they_are
                a_batch_is_stored_as_a_whole
                a_fenced_batch_leaves_nothing
                what_a_batch_does_not_say_stays
                omitted_lines_are_gone_but_for_those_to_keep
                a_log_is_read_from_a_number_on_and_so_much_of_it
                a_log_is_read_within_a_budget_of_bytes
                a_search_goes_on_from_slice_to_slice
                a_tail_is_bounded_in_bytes
                a_log_is_read_by_level
                a_log_is_searched_for_the_very_text
                the_tail_is_the_end_of_the_log
                each_run_has_a_log_of_its_own;
            lists:
                the_newest_come_first
                runs_are_listed_by_process_status_and_actor
                runs_are_listed_by_the_moment_of_their_start
                a_list_is_read_page_by_page;
            counts:
                runs_that_have_not_ended_are_counted_by_process_and_state
                the_oldest_that_waits_says_since_when
                what_can_be_written_says_so;
            pruning:
                nothing_is_pruned_without_a_rule
                runs_that_ended_long_ago_are_pruned_with_their_logs
                of_each_process_the_newest_are_kept
                both_rules_hold_together
                what_has_not_ended_is_never_pruned
                the_key_of_a_pruned_run_is_free
                a_long_log_is_pruned_in_steps;
            hints:
                a_start_a_release_and_a_resume_hint_that_a_run_waits
                a_request_hints_at_its_run
                news_and_ends_hint_at_their_run;
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
