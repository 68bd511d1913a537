//! Inputs and what they do, without disk or clock.

use std::time::Duration;

use super::*;
use crate::codec::Sealed;
use crate::embedded::record::Head;
use crate::embedded::store::Image;
use crate::prelude::*;
use crate::status::Status;

#[activity(
    schedule_to_close = "1m",
    retry(max_attempts = 3, initial_interval = "4s", max_interval = "1h")
)]
async fn fetch() -> Result<u32, ActivityError> {
    Ok(1)
}

#[activity(retry(max_attempts = 1))]
async fn once() -> Result<u32, ActivityError> {
    Ok(1)
}

#[workflow]
async fn sample(ctx: &mut Context, careful: bool) -> Result<u32, WorkflowError> {
    let fetched = if careful {
        once().await?
    } else {
        fetch().await?
    };
    ctx.sleep(Duration::from_secs(10)).await?;
    let added: u32 = ctx.wait_for_signal("add", Duration::from_secs(5)).await?;
    Ok(fetched + added)
}

struct Bench {
    machine: Machine,
    record: Record,
    now_ms: u64,
}

impl Bench {
    fn start(careful: bool, timeout: Option<Duration>) -> Self {
        let machine = Machine::of::<sample>().unwrap();
        let arguments = sample(careful).into_arguments().unwrap();
        let record = Record {
            head: Head {
                workflow_id: "w".to_owned(),
                run_id: "r".to_owned(),
                workflow: "sample".to_owned(),
                started_ms: 0,
                timeout,
                parent: None,
            },
            run: crate::contract::Run::start(&machine, arguments, 1).unwrap(),
            waiting: Vec::new(),
            end: None,
        };
        let mut bench = Self {
            machine,
            record,
            now_ms: 0,
        };
        bench.input(Input::Started);
        bench
    }

    /// Applies an input, and keeps the record as the disk would.
    fn input(&mut self, input: Input) {
        let moment = Moment {
            now_ms: self.now_ms,
            random: 0.5,
        };
        apply(&mut self.record, &self.machine, input, moment).unwrap();
        let image = self.record.encode(&Image::default()).unwrap();
        assert_eq!(Record::decode(&image).unwrap(), self.record);
    }

    fn at_s(&mut self, seconds: u64, input: Input) {
        self.now_ms = seconds * 1000;
        self.input(input);
    }

    fn attempted(&mut self, result: Result<u32, &str>) {
        let (op, attempt) = {
            let waiting = &self.record.waiting[0];
            (waiting.op, waiting.attempt)
        };
        self.input(Input::Attempted {
            op,
            attempt,
            result: result
                .map(|output| Sealed::seal(&output).unwrap())
                .map_err(|text| Failure::new(FailureKind::Application, text)),
        });
    }

    fn waiting(&self) -> (u32, Option<u64>) {
        let waiting = &self.record.waiting[0];
        (waiting.attempt, waiting.due_ms)
    }

    fn state(&self) -> String {
        self.record.run.position()
    }
}

#[test]
fn attempts_back_off_and_are_used_up() {
    let mut bench = Bench::start(false, None);
    assert_eq!(bench.waiting(), (1, None));
    bench.attempted(Err("busy"));
    assert_eq!(bench.waiting(), (2, Some(4_000)));
    bench.at_s(4, Input::Tick);
    bench.attempted(Err("busy"));
    assert_eq!(bench.waiting(), (3, Some(12_000)));
    bench.at_s(12, Input::Tick);
    bench.attempted(Err("busy at last"));
    assert_eq!(bench.record.status(), Status::Failed);
}

#[test]
fn no_attempt_begins_after_the_overall_limit() {
    let mut bench = Bench::start(false, None);
    bench.now_ms = 57_000;
    bench.attempted(Err("slow and busy"));
    assert_eq!(bench.record.status(), Status::Failed);
}

#[test]
fn an_attempt_that_would_begin_too_late_leaves_the_failure_of_the_last() {
    let mut bench = Bench::start(false, None);
    bench.attempted(Err("busy"));
    // It was due after 4 s.
    bench.at_s(61, Input::Tick);
    let Some(Outcome::Failed(failure)) = bench.record.end.map(|end| end.outcome) else {
        panic!("the workflow returns the error");
    };
    assert_eq!(failure.message, "busy");
}

#[test]
fn a_result_of_an_attempt_that_is_not_awaited_changes_nothing() {
    let mut bench = Bench::start(false, None);
    bench.attempted(Err("busy"));
    let before = bench.record.clone();
    for (op, attempt) in [(1, 1), (2, 2), (7, 1)] {
        let result = Ok(Sealed::seal(&9u32).unwrap());
        bench.input(Input::Attempted {
            op,
            attempt,
            result,
        });
        assert_eq!(bench.record, before);
    }
}

#[test]
fn a_lost_attempt_is_made_again_under_its_number() {
    let mut bench = Bench::start(false, None);
    bench.input(Input::Reopened);
    let waiting = &bench.record.waiting[0];
    assert_eq!((waiting.attempt, waiting.lost), (1, 1));
    // In a back-off no attempt is under way, so none is lost.
    bench.attempted(Err("busy"));
    bench.input(Input::Reopened);
    let waiting = &bench.record.waiting[0];
    assert_eq!((waiting.attempt, waiting.lost), (2, 0));
}

#[test]
fn at_most_once_fails_as_lost() {
    let mut bench = Bench::start(true, None);
    bench.input(Input::Reopened);
    let Some(Outcome::Failed(failure)) = bench.record.end.map(|end| end.outcome) else {
        panic!("the workflow returns the error");
    };
    assert_eq!(failure.kind, FailureKind::Lost);
}

#[test]
fn timers_fire_at_their_time_and_signals_wait_for_their_turn() {
    let mut bench = Bench::start(false, None);
    bench.attempted(Ok(1));
    assert_eq!(
        (bench.state(), bench.waiting()),
        ("Sleep".to_owned(), (1, Some(10_000)))
    );
    let payload = Sealed::seal(&41u32).unwrap();
    let name = "add".to_owned();
    bench.at_s(9, Input::Signal { name, payload });
    bench.at_s(9, Input::Tick);
    assert_eq!(bench.state(), "Sleep");
    bench.at_s(10, Input::Tick);
    assert_eq!(bench.record.status(), Status::Completed);
}

#[test]
fn a_wait_times_out() {
    let mut bench = Bench::start(false, None);
    bench.attempted(Ok(1));
    bench.at_s(10, Input::Tick);
    assert_eq!(
        (bench.state(), bench.waiting()),
        ("Add".to_owned(), (1, Some(15_000)))
    );
    bench.at_s(15, Input::Reopened);
    assert_eq!(bench.record.status(), Status::Failed);
}

#[test]
fn nothing_comes_in_after_the_deadline() {
    let mut bench = Bench::start(false, Some(Duration::from_secs(3)));
    bench.now_ms = 3_000;
    bench.attempted(Ok(1));
    assert_eq!(bench.record.status(), Status::TimedOut);
    let ended = bench.record.clone();
    bench.input(Input::Cancel);
    bench.input(Input::Reopened);
    assert_eq!(bench.record, ended);
}

#[test]
fn cancel_interrupts_and_terminate_ends() {
    let mut bench = Bench::start(false, None);
    bench.input(Input::Cancel);
    assert_eq!(bench.record.status(), Status::Canceled);
    let mut bench = Bench::start(false, None);
    let reason = "enough".to_owned();
    bench.input(Input::Terminate { reason });
    assert_eq!(bench.record.status(), Status::Terminated);
}

#[test]
fn the_overall_limit_may_pass_while_down() {
    let mut bench = Bench::start(false, None);
    bench.at_s(60, Input::Reopened);
    let Some(Outcome::Failed(failure)) = bench.record.end.map(|end| end.outcome) else {
        panic!("the workflow returns the error");
    };
    assert_eq!(failure.kind, FailureKind::TimedOut);
}

#[test]
fn a_clock_that_was_set_back_makes_no_second_attempt_and_no_long_wait() {
    let mut bench = Bench::start(true, None);
    bench.record.waiting[0].since_ms = 7_000;
    bench.input(Input::Reopened);
    assert_eq!(bench.record.status(), Status::Failed);

    let mut bench = Bench::start(false, None);
    bench.now_ms = 30_000;
    bench.attempted(Err("busy"));
    assert_eq!(bench.waiting(), (2, Some(34_000)));
    bench.at_s(10, Input::Reopened);
    // An interval of 8 s at most, times 1.5.
    assert_eq!(bench.waiting(), (2, Some(22_000)));
}
