//! What the embedded engine keeps of one run.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError, Sealed};
use crate::contract::{CancelRequest, Operation, Pending, Run, SavedField, Snapshot};
use crate::failure::Failure;
use crate::provider::RunInfo;
use crate::status::Status;

use super::clock;
use super::store::{Image, Section};

/// What the embedded engine keeps of one run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub head: Head,
    pub run: Run,
    /// How the operation that the run awaits is getting on; `None` when nothing is under way.
    pub waiting: Option<Waiting>,
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

    /// What the run awaits.
    pub(super) fn awaited(&self) -> Option<&Operation> {
        let pending = self.run.awaiting.as_ref()?;
        Some(&pending.operation)
    }

    /// When the run's own timeout passes.
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        let timeout = self.head.timeout?;
        Some(clock::after(self.head.started_ms, timeout))
    }

    /// As sections, so that a delta touches only what changed: each saved local is one.
    pub(super) fn encode(&self) -> Result<Image, CodecError> {
        let state = &self.run.state;
        let progress = Progress {
            name: state.name.clone(),
            base: state.base.clone(),
            shape: state.shape,
            fingerprint: state.fingerprint,
            surroundings: state.surroundings,
            fields: state
                .fields
                .iter()
                .map(|field| (field.name.clone(), field.value.shape))
                .collect(),
            next_op: self.run.next_op,
            seed: self.run.seed,
            cancel: self.run.cancel,
            ended: self.run.ended,
            waiting: self.waiting.clone(),
        };
        let mut sections = vec![
            section("head", &self.head)?,
            section("progress", &progress)?,
            section("awaiting", &self.run.awaiting)?,
            section("mailbox", &self.run.mailbox)?,
            section("end", &self.end)?,
        ];
        for field in &state.fields {
            sections.push(Section {
                key: field_key(&field.name),
                bytes: field.value.payload.as_bytes().to_vec(),
            });
        }
        Ok(Image { sections })
    }

    pub(super) fn decode(image: &Image) -> Result<Self, CodecError> {
        let progress: Progress = read(image, "progress")?;
        let mut fields = Vec::with_capacity(progress.fields.len());
        for (name, shape) in progress.fields {
            let payload = codec::Payload::from_bytes(bytes(image, &field_key(&name))?)?;
            let value = Sealed { shape, payload };
            fields.push(SavedField { name, value });
        }
        Ok(Self {
            head: read(image, "head")?,
            run: Run {
                state: Snapshot {
                    name: progress.name,
                    base: progress.base,
                    shape: progress.shape,
                    fingerprint: progress.fingerprint,
                    surroundings: progress.surroundings,
                    fields,
                },
                awaiting: read::<Option<Pending>>(image, "awaiting")?,
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
    name: String,
    base: String,
    shape: u64,
    fingerprint: u64,
    surroundings: u64,
    fields: Vec<(String, u64)>,
    next_op: u64,
    seed: u64,
    cancel: CancelRequest,
    ended: bool,
    waiting: Option<Waiting>,
}

fn field_key(name: &str) -> String {
    format!("field {name}")
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
