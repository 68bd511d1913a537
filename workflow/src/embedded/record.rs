//! What the embedded engine keeps of one run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError, Sealed};
use crate::contract::{CancelRequest, Operation, Pending, Run, SavedField, Snapshot, Wait};
use crate::failure::{Failure, FailureKind};
use crate::provider::RunInfo;
use crate::status::Status;

use super::store::{Awaiter, Identity, Image, Kinship, Section, Standing, Summary};
use super::{clock, fit};

/// What the embedded engine keeps of one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub head: Head,
    pub run: Run,
    /// How the operations that are under way are getting on, by their numbers.
    pub waiting: Vec<Waiting>,
    pub end: Option<End>,
}

/// What is fixed when a run starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub workflow_id: String,
    pub run_id: String,
    pub workflow: String,
    pub started_ms: u64,
    pub timeout: Option<Duration>,
    /// The run that started it as a child.
    pub parent: Option<Parent>,
}

/// The run that started another one as a child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parent {
    pub workflow_id: String,
    pub run_id: String,
    /// The operation that ends when the child does.
    pub op: u64,
}

impl Parent {
    /// A run with an operation that is a child.
    pub(super) fn of(head: &Head, op: u64) -> Self {
        Self {
            workflow_id: head.workflow_id.clone(),
            run_id: head.run_id.clone(),
            op,
        }
    }
}

/// How an operation is getting on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub op: u64,
    pub since_ms: u64,
    /// When a timer fires, `None` is never; or when the next attempt of an activity begins, `None`
    /// is at once.
    pub due_ms: Option<u64>,
    /// Which attempt of an activity is under way or due, counted from 1.
    pub attempt: u32,
    /// How often in a row an attempt died with its process.
    pub lost: u32,
    /// Why the last attempt failed.
    pub last_failure: Option<Failure>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct End {
    pub at_ms: u64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Outcome {
    Completed(Sealed),
    Failed(Failure),
    Canceled(Failure),
    Terminated(String),
    TimedOut,
}

impl Outcome {
    /// What it is for the parent that waits for this child.
    pub(super) fn for_parent(&self) -> Result<Sealed, Failure> {
        Err(match self {
            Self::Completed(output) => return Ok(output.clone()),
            Self::Failed(failure) | Self::Canceled(failure) => failure.clone(),
            Self::Terminated(reason) => {
                let text = format!("the child workflow was terminated: {reason}");
                Failure::new(FailureKind::Terminated, text)
            }
            Self::TimedOut => Failure::new(FailureKind::TimedOut, "the child workflow timed out"),
        })
    }
}

impl Record {
    pub(super) fn status(&self) -> Status {
        match self.end.as_ref().map(|end| &end.outcome) {
            None => Status::Running,
            Some(Outcome::Completed(_)) => Status::Completed,
            Some(Outcome::Failed(_)) => Status::Failed,
            Some(Outcome::Canceled(_)) => Status::Canceled,
            Some(Outcome::Terminated(_)) => Status::Terminated,
            Some(Outcome::TimedOut) => Status::TimedOut,
        }
    }

    /// How an operation is getting on, if it is under way.
    pub(super) fn waiting(&self, op: u64) -> Option<&Waiting> {
        let place = self.waiting.binary_search_by_key(&op, |waiting| waiting.op);
        place.ok().map(|place| &self.waiting[place])
    }

    /// When the run's own timeout passes.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let timeout = self.head.timeout?;
        Some(clock::after(self.head.started_ms, timeout))
    }

    /// When an engine has to look at the run, in milliseconds since 1970, though nobody asks it to;
    /// 0 is as soon as it is opened. `None` for a run that waits for a signal for ever, or has ended.
    pub(super) fn wake_ms(&self) -> Option<u64> {
        if self.end.is_some() {
            return None;
        }
        let mut under_way = self.run.under_way();
        let has_children = under_way.any(|p| matches!(p.operation, Operation::Child(_)));
        // It can take a step; or it is to be seen whether its child was started, and its parent
        // still waits for it.
        if self.run.is_ready() || has_children || self.head.parent.is_some() {
            return Some(0);
        }
        let due_ms = self.run.under_way().filter_map(|pending| {
            let due_ms = self.waiting(pending.op)?.due_ms;
            match pending.operation {
                Operation::Activity(_) => Some(due_ms.unwrap_or(0)),
                _ => due_ms,
            }
        });
        due_ms.chain(self.deadline_ms()).min()
    }

    /// What the run is found by, from now on.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            status: status_number(self.status()),
            closed_ms: self.end.as_ref().map(|end| end.at_ms),
            wake_ms: self.wake_ms(),
            fit: fit::key(self),
        }
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            workflow_id: self.head.workflow_id.clone(),
            run_id: self.head.run_id.clone(),
            workflow: self.head.workflow.clone(),
            started_ms: self.head.started_ms,
        }
    }

    /// As sections, so that a delta touches only what changed: each saved local is one, and each
    /// signal that waits. `before` is the image of the record before: what is equal is shared.
    pub(super) fn encode(&self, before: &Image) -> Result<Image, CodecError> {
        let frames = &self.run.frames;
        let progress = Progress {
            frames: frames.iter().map(Frame::of).collect(),
            wait: self.run.wait.clone(),
            next_op: self.run.next_op,
            seed: self.run.seed,
            cancel: self.run.cancel,
            ended: self.run.ended,
            waiting: self.waiting.clone(),
        };
        // What is fixed when a run starts is not encoded again.
        let head = before.sections.first().cloned();
        let mut sections = vec![
            head.map_or_else(|| section(HEAD, &self.head), Ok)?,
            section(PROGRESS, &progress)?,
            section(PENDING, &self.run.pending)?,
            section(END, &self.end)?,
        ];
        for (depth, frame) in frames.iter().enumerate() {
            sections.extend(frame.fields.iter().map(|field| Section {
                key: field_key(depth, &field.name).into(),
                bytes: field.value.payload.shared(),
            }));
        }
        for (name, queue) in &self.run.mailbox {
            sections.extend(queue.iter().map(|signal| Section {
                key: signal_key(name, signal.shape).into(),
                bytes: signal.payload.shared(),
            }));
        }
        Ok(Image { sections })
    }

    pub(super) fn decode(image: &Image) -> Result<Self, CodecError> {
        let progress: Progress = read(image, PROGRESS)?;
        let frames = progress.frames.into_iter().enumerate();
        let frames = frames.map(|(depth, frame)| frame.with_fields(image, depth));
        let mut mailbox: BTreeMap<String, VecDeque<Sealed>> = BTreeMap::new();
        for section in &image.sections {
            if let Some((name, shape)) = signal_of(&section.key) {
                let payload = codec::Payload::from_bytes(section.bytes.clone())?;
                let queue = mailbox.entry(name.to_owned()).or_default();
                queue.push_back(Sealed { shape, payload });
            }
        }
        Ok(Self {
            head: read(image, HEAD)?,
            run: Run {
                frames: frames.collect::<Result<_, _>>()?,
                pending: read::<Vec<Pending>>(image, PENDING)?,
                wait: progress.wait,
                mailbox,
                next_op: progress.next_op,
                seed: progress.seed,
                cancel: progress.cancel,
                ended: progress.ended,
            },
            waiting: progress.waiting,
            end: read(image, END)?,
        })
    }

    /// How a run ended, without decoding all of it; and its timeout.
    pub(super) fn decode_end(image: &Image) -> Result<(Option<End>, Option<Duration>), CodecError> {
        let head: Head = read(image, HEAD)?;
        Ok((read(image, END)?, head.timeout))
    }
}

/// What changes with every step and is small.
#[derive(Serialize, Deserialize)]
struct Progress {
    frames: Vec<Frame>,
    wait: Option<Wait>,
    next_op: u64,
    seed: u64,
    cancel: CancelRequest,
    ended: bool,
    waiting: Vec<Waiting>,
}

/// A snapshot without the values of its fields, each of which is a section.
#[derive(Serialize, Deserialize)]
struct Frame {
    workflow: String,
    name: String,
    base: String,
    shape: u64,
    fingerprint: u64,
    surroundings: u64,
    fields: Vec<(String, u64)>,
}

impl Frame {
    fn of(snapshot: &Snapshot) -> Self {
        let fields = snapshot.fields.iter();
        Self {
            workflow: snapshot.workflow.clone(),
            name: snapshot.name.clone(),
            base: snapshot.base.clone(),
            shape: snapshot.shape,
            fingerprint: snapshot.fingerprint,
            surroundings: snapshot.surroundings,
            fields: fields
                .map(|field| (field.name.clone(), field.value.shape))
                .collect(),
        }
    }

    fn with_fields(self, image: &Image, depth: usize) -> Result<Snapshot, CodecError> {
        let fields = self.fields.into_iter().map(|(name, shape)| {
            let payload =
                codec::Payload::from_bytes(bytes(image, &field_key(depth, &name))?.clone())?;
            let value = Sealed { shape, payload };
            Ok(SavedField { name, value })
        });
        Ok(Snapshot {
            fields: fields.collect::<Result<_, CodecError>>()?,
            workflow: self.workflow,
            name: self.name,
            base: self.base,
            shape: self.shape,
            fingerprint: self.fingerprint,
            surroundings: self.surroundings,
        })
    }
}

/// What the store asks of records before it removes a run.
pub(super) const KINSHIP: Kinship = Kinship {
    awaited_by: |image| {
        let parent = read::<Head>(image, HEAD).ok()?.parent?;
        Some(Awaiter {
            workflow_id: parent.workflow_id,
            run_id: parent.run_id,
            number: parent.op,
        })
    },
    awaits: |image| {
        let record = Record::decode(image).ok()?;
        Some(record.run.under_way().map(|pending| pending.op).collect())
    },
};

const HEAD: &str = "head";
const PROGRESS: &str = "progress";
const PENDING: &str = "pending";
const END: &str = "end";
const SIGNAL: &str = "signal ";

fn field_key(depth: usize, name: &str) -> String {
    format!("field {depth} {name}")
}

/// The key of a signal that waits; those of one name stand in their order.
fn signal_key(name: &str, shape: u64) -> String {
    format!("{SIGNAL}{shape:016x} {name}")
}

fn signal_of(key: &str) -> Option<(&str, u64)> {
    let (shape, name) = key.strip_prefix(SIGNAL)?.split_once(' ')?;
    Some((name, u64::from_str_radix(shape, 16).ok()?))
}

const STATUSES: [Status; 6] = [
    Status::Running,
    Status::Completed,
    Status::Failed,
    Status::Canceled,
    Status::Terminated,
    Status::TimedOut,
];

/// How the store knows a status; a run in flight is [`IN_FLIGHT`](super::store::IN_FLIGHT).
pub(super) fn status_number(status: Status) -> u8 {
    let number = STATUSES.iter().position(|known| *known == status);
    u8::try_from(number.expect("every status has a number")).expect("there are few")
}

/// What there is to know about a run without looking at its state.
pub(super) fn info(summary: &Summary) -> RunInfo {
    let Summary { identity, standing } = summary;
    RunInfo {
        workflow_id: identity.workflow_id.clone(),
        run_id: identity.run_id.clone(),
        workflow: identity.workflow.clone(),
        status: STATUSES[usize::from(standing.status)],
        started_at: clock::to_time(identity.started_ms),
        closed_at: standing.closed_ms.map(clock::to_time),
    }
}

fn section<T: Serialize>(key: &'static str, value: &T) -> Result<Section, CodecError> {
    Ok(Section {
        key: key.into(),
        bytes: codec::encode_record(value)?.into(),
    })
}

fn bytes<'a>(image: &'a Image, key: &str) -> Result<&'a Arc<[u8]>, CodecError> {
    image
        .sections
        .iter()
        .find(|section| section.key == key)
        .map(|section| &section.bytes)
        .ok_or_else(|| CodecError::Decode {
            type_name: std::any::type_name::<Record>(),
            reason: format!("section `{key}` is missing"),
        })
}

fn read<T: serde::de::DeserializeOwned>(image: &Image, key: &str) -> Result<T, CodecError> {
    codec::decode_record(bytes(image, key)?)
}
