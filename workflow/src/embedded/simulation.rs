//! The engine in a world that a seed determines: virtual time, a disk that crashes, fills up and
//! fails, activities that fail, signals at any moment. One thread, so a seed repeats itself.
//!
//! An *episode* is a handful of runs over several *lives* of a process. What must hold:
//! - what was acknowledged is there after each crash, each run's results are right, and each signal
//!   is seen once and in order;
//! - no activity begins before the step that asked for it is on the disk, and none begins again
//!   after a later one has;
//! - in the end, with a sound disk, every run completes: nobody is held up by a neighbour.
//!
//! `EPISODES=100000 cargo test --release -p workflow simulation` runs for longer, `MINUTES=60` for
//! so long; `SEED=…` repeats the episode that failed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::store::Store;
use super::store::tests::faults::{self, Faults, Keeps};
use super::store::tests::random::Random;
use crate::prelude::*;
use crate::retention::Retention;

use super::record::Record;
use super::store::bounds::Bounds;

const EPISODES: u64 = 40;
const LIVES_MAX: u64 = 6;
const ACTIONS_MAX: u64 = 40;
const RUNS_MAX: u64 = 8;
/// In virtual time: a run that takes longer is stuck.
const PATIENCE: Duration = Duration::from_hours(24);

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// What this thread's simulation is like.
struct World {
    random: Random,
    /// When this life began, in milliseconds since 1970 and on tokio's clock.
    began_ms: u64,
    began: Option<Instant>,
    directory: PathBuf,
    disk: Arc<Faults>,
    /// The furthest step that each run has begun.
    furthest: BTreeMap<String, u32>,
}

fn world<T>(look: impl FnOnce(&mut World) -> T) -> Option<T> {
    WORLD.with_borrow_mut(|world| world.as_mut().map(look))
}

pub(super) fn now_ms() -> Option<u64> {
    world(|world| {
        let passed = world.began.map_or(Duration::ZERO, |began| began.elapsed());
        world.began_ms + passed.as_millis() as u64
    })
}

pub(super) fn random() -> Option<u64> {
    world(|world| world.random.next())
}

fn below(limit: u64) -> u64 {
    world(|world| world.random.below(limit)).expect("it is simulated")
}

const MARK: &str = "simulated-";

/// How the store of a simulation is opened; its directories are known by their names, for it is
/// opened on another thread.
pub(super) fn bounds(directory: &Path) -> Option<Bounds> {
    let name = directory.file_name()?.to_str()?;
    name.starts_with(MARK).then_some(Bounds {
        checkpoint_journal_bytes: 3_000,
        checkpoint_rows: 7,
        wait_journal_bytes: 12_000,
        delta_image_bytes_min: 0,
        state_cache_bytes: 1 << 20,
        is_single_threaded: true,
        ..Bounds::DEFAULT
    })
}

#[activity(retry(max_attempts = 1000, initial_interval = "10ms", max_interval = "1s"))]
async fn work(context: ActivityContext, step: u32) -> Result<u32, ActivityError> {
    let id = context.workflow_id().to_owned();
    assert_is_durable(&id, step);
    let furthest = world(|world| {
        let furthest = world.furthest.entry(id.clone()).or_default();
        *furthest = (*furthest).max(step);
        *furthest
    });
    assert_eq!(furthest, Some(step), "{id} began a step again");
    tokio::time::sleep(Duration::from_millis(below(50))).await;
    match below(5) {
        0 => Err(ActivityError::new("by chance")),
        _ => Ok(step * 10),
    }
}

/// Now and then, looks at the disk as it would be if the power were lost now.
fn assert_is_durable(workflow_id: &str, step: u32) {
    if below(15) != 0 {
        return;
    }
    let copy = tempfile::Builder::new().prefix(MARK).tempdir().unwrap();
    let crashed = world(|world| {
        world.disk.write_left(copy.path(), Keeps::Nothing);
        world.disk.has_crashed()
    });
    if crashed == Some(true) {
        // What is begun after the crash is begun by nobody.
        return;
    }
    let bounds = bounds(copy.path()).unwrap();
    let store = Store::open_with(copy.path(), bounds, Retention::default()).unwrap();
    let (run, _) = store.find(workflow_id, None).unwrap().expect("it is there");
    let (_, image) = store.load(run).unwrap().expect("it is there");
    let record = Record::decode(&image).unwrap();
    let expected = crate::codec::Sealed::seal(&step).unwrap();
    let awaited = record
        .run
        .under_way()
        .any(|pending| match &pending.operation {
            crate::contract::Operation::Activity(call) => call.arguments == [expected.clone()],
            _ => false,
        });
    assert!(
        awaited,
        "{workflow_id} began step {step} before that was durable"
    );
}

#[workflow]
async fn subject(ctx: &mut Context, steps: u32) -> Result<(u32, Vec<u32>), WorkflowError> {
    let mut sum = 0u32;
    let mut seen: Vec<u32> = Vec::new();
    for step in 0..steps {
        sum += work(step).await?;
        if step % 2 == 0 {
            let pause = ctx.random() % 100;
            ctx.sleep(Duration::from_millis(pause)).await?;
        } else {
            let number = ctx.wait_for_signal::<u32>("go", Duration::MAX).await?;
            seen.push(number);
        }
    }
    Ok((sum, seen))
}

/// What is known of one run from outside.
#[derive(Debug)]
struct Known {
    steps: u32,
    run_id: String,
    /// The next number to send; each is sent once.
    next: u32,
    acknowledged: Vec<u32>,
    result: Option<(u32, Vec<u32>)>,
}

struct Episode {
    seed: u64,
    runs: BTreeMap<String, Known>,
}

impl Episode {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            runs: BTreeMap::new(),
        }
    }

    /// Lives one after the other, each on what the one before left.
    fn run(&mut self) {
        let mut directory = tempfile::Builder::new().prefix(MARK).tempdir().unwrap();
        WORLD.set(Some(World {
            random: Random::new(self.seed),
            began_ms: 1_700_000_000_000,
            began: None,
            directory: directory.path().to_owned(),
            disk: faults::of(&directory.path().join("state.redb")),
            furthest: BTreeMap::new(),
        }));
        // The files are made before the disk is watched.
        let bounds = bounds(directory.path()).unwrap();
        drop(Store::open_with(directory.path(), bounds, Retention::default()).unwrap());
        let lives = 1 + below(LIVES_MAX);
        for life in 0..=lives {
            let is_last = life == lives;
            world(|world| world.disk.watch(&world.directory));
            self.live(is_last);
            let next = tempfile::Builder::new().prefix(MARK).tempdir().unwrap();
            world(|world| {
                let World { random, disk, .. } = world;
                let keeps = match random.below(2) {
                    0 => Keeps::All,
                    _ => Keeps::Any(random),
                };
                disk.write_left(next.path(), keeps);
                world.directory = next.path().to_owned();
                world.disk = faults::of(&next.path().join("state.redb"));
                world.began = None;
                // The clock goes on while the machine is down.
                world.began_ms += 1_000_000;
            });
            directory = next;
        }
        drop(directory);
        WORLD.set(None);
    }

    fn live(&mut self, is_last: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            world(|world| world.began = Some(Instant::now()));
            let path = world(|world| world.directory.clone()).unwrap();
            let disk = world(|world| world.disk.clone()).unwrap();
            if !is_last {
                match below(4) {
                    0 => disk.crash_after(below(30)),
                    1 => disk.crash_after(below(1_000)),
                    _ => {}
                }
            }
            let config = Config::new().path(&path).register::<subject>();
            let opened = crate::new("default", config).await;
            let executor = match opened {
                Ok(executor) => executor,
                Err(error) if disk.has_crashed() => return drop(error),
                Err(error) => panic!("{error}"),
            };
            if is_last {
                return self.finish(&executor).await;
            }
            for _ in 0..below(ACTIONS_MAX) {
                match below(20) {
                    0 => disk.fill_after(below(20) as i64),
                    1 => disk.fail_syncs_after(below(20) as i64),
                    2..5 => disk.heal(),
                    _ => {}
                }
                self.act(&executor).await;
                if disk.has_crashed() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(below(200))).await;
            }
        });
        // Nothing that ends with the runtime reaches the disk that the next life finds.
        world(|world| world.disk.crash_after(0));
        drop(runtime);
    }

    async fn act(&mut self, executor: &Executor) {
        let number = below(RUNS_MAX);
        let id = format!("run-{number}");
        let Some(known) = self.runs.get_mut(&id) else {
            let steps = 1 + number as u32 % 6;
            let call = executor.start(subject(steps)).id(&id);
            // Whoever is told of an error does not know whether it is there.
            if let Ok(run) = call.id_policy(IdPolicy::UseExisting).await {
                let known = Known {
                    steps,
                    run_id: run.run_id().to_owned(),
                    next: 0,
                    acknowledged: Vec::new(),
                    result: None,
                };
                self.runs.insert(id, known);
            }
            return;
        };
        match below(3) {
            0 => {
                if let Ok(description) = executor.describe(&id).await {
                    assert_eq!(description.info.run_id, known.run_id, "{id}");
                    assert_eq!(description.set_aside, None, "{id}");
                }
            }
            _ => {
                let signal = known.next;
                known.next += 1;
                if executor.signal(&id, "go", signal).await.is_ok() {
                    known.acknowledged.push(signal);
                }
            }
        }
    }

    /// With a sound disk every run comes to its end.
    async fn finish(&mut self, executor: &Executor) {
        for (id, known) in &mut self.runs {
            let run = executor.handle::<subject>(id).await;
            let run = run.unwrap_or_else(|error| panic!("{id} is lost: {error}"));
            assert_eq!(run.run_id(), known.run_id);
            if run.status().await.unwrap() == Status::Running {
                for _ in 0..known.steps {
                    if run.signal("go", known.next).await.is_ok() {
                        known.acknowledged.push(known.next);
                    }
                    known.next += 1;
                }
            }
            let result = tokio::time::timeout(PATIENCE, run.result()).await;
            let result = result.unwrap_or_else(|_| panic!("{id} is stuck"));
            let (sum, seen) = result.unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(
                sum,
                (0..known.steps).map(|step| step * 10).sum::<u32>(),
                "{id}"
            );
            assert_eq!(seen.len(), known.steps as usize / 2, "{id}");
            assert!(seen.is_sorted_by(|a, b| a < b), "{id}: {seen:?}");
            let last = seen.last().copied().unwrap_or(0);
            for number in known.acknowledged.iter().filter(|number| **number < last) {
                assert!(seen.contains(number), "{id} lost signal {number}: {seen:?}");
            }
            known.result = Some((sum, seen));
        }
    }
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The results of an episode, which prints its seed if it fails.
fn episode(seed: u64) -> String {
    struct Printed(u64);
    impl Drop for Printed {
        fn drop(&mut self) {
            if std::thread::panicking() {
                println!("SEED={}", self.0);
            }
        }
    }
    let _printed = Printed(seed);
    let mut episode = Episode::new(seed);
    episode.run();
    format!("{:?}", episode.runs)
}

#[test]
fn episodes() {
    if let Some(seed) = from_env("SEED") {
        println!("{}", episode(seed));
        return;
    }
    let begin = std::time::Instant::now();
    let minutes = from_env("MINUTES").unwrap_or(0);
    let episodes = from_env("EPISODES").unwrap_or(EPISODES);
    let first = super::clock::random() >> 16;
    let mut done = 0;
    while done < episodes || begin.elapsed() < Duration::from_mins(minutes) {
        episode(first + done);
        done += 1;
    }
    println!("{done} episodes from seed {first}");
}

#[test]
fn a_seed_repeats_itself() {
    for seed in 0..3 {
        assert_eq!(episode(seed), episode(seed));
    }
}
