//! What the embedded engine keeps of one run.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError, Sealed};
use crate::contract::{CancelRequest, Pending, Run, SavedField, Snapshot, Wait};
use crate::failure::{Failure, FailureKind};
use crate::provider::RunInfo;
use crate::status::Status;

use super::clock;
use super::store::{Image, Section};

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

    pub(super) fn info(&self) -> RunInfo {
        RunInfo {
            workflow_id: self.head.workflow_id.clone(),
            run_id: self.head.run_id.clone(),
            workflow: self.head.workflow.clone(),
            status: self.status(),
            started_at: clock::to_time(self.head.started_ms),
            closed_at: self.end.as_ref().map(|end| clock::to_time(end.at_ms)),
        }
    }

    /// How an operation is getting on, if it is under way.
    pub(super) fn waiting(&self, op: u64) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| waiting.op == op)
    }

    /// When the run's own timeout passes.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let timeout = self.head.timeout?;
        Some(clock::after(self.head.started_ms, timeout))
    }

    /// As sections, so that a delta touches only what changed: each saved local is one.
    pub(super) fn encode(&self) -> Result<Image, CodecError> {
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
        let mut sections = vec![
            section("head", &self.head)?,
            section("progress", &progress)?,
            section("pending", &self.run.pending)?,
            section("mailbox", &self.run.mailbox)?,
            section("end", &self.end)?,
        ];
        for (depth, frame) in frames.iter().enumerate() {
            sections.extend(frame.fields.iter().map(|field| Section {
                key: field_key(depth, &field.name),
                bytes: field.value.payload.as_bytes().to_vec(),
            }));
        }
        Ok(Image { sections })
    }

    pub(super) fn decode(image: &Image) -> Result<Self, CodecError> {
        let progress: Progress = read(image, "progress")?;
        let frames = progress.frames.into_iter().enumerate();
        let frames = frames.map(|(depth, frame)| frame.with_fields(image, depth));
        Ok(Self {
            head: read(image, "head")?,
            run: Run {
                frames: frames.collect::<Result<_, _>>()?,
                pending: read::<Vec<Pending>>(image, "pending")?,
                wait: progress.wait,
                mailbox: read::<BTreeMap<String, VecDeque<Sealed>>>(image, "mailbox")?,
                next_op: progress.next_op,
                seed: progress.seed,
                cancel: progress.cancel,
                ended: progress.ended,
            },
            waiting: progress.waiting,
            end: read(image, "end")?,
        })
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
            let payload = codec::Payload::from_bytes(bytes(image, &field_key(depth, &name))?)?;
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

fn field_key(depth: usize, name: &str) -> String {
    format!("field {depth} {name}")
}

fn section<T: Serialize>(key: &str, value: &T) -> Result<Section, CodecError> {
    Ok(Section {
        key: key.to_owned(),
        bytes: codec::encode_record(value)?,
    })
}

fn bytes<'a>(image: &'a Image, key: &str) -> Result<&'a [u8], CodecError> {
    image
        .sections
        .iter()
        .find(|section| section.key == key)
        .map(|section| &section.bytes[..])
        .ok_or_else(|| CodecError::Decode {
            type_name: std::any::type_name::<Record>(),
            reason: format!("section `{key}` is missing"),
        })
}

fn read<T: serde::de::DeserializeOwned>(image: &Image, key: &str) -> Result<T, CodecError> {
    codec::decode_record(bytes(image, key)?)
}
