//! The writer: one thread that turns everything waiting into one row, and one sync.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use crate::embedded::telemetry;

use super::bounds::COMMIT_CHANGES_MAX;
use super::committer::{Committer, Work};
use super::error::StoreError;

pub(super) enum Message {
    Commit(HandIn),
    Close,
}

/// What one caller of `commit` wants to be durable.
pub(super) struct HandIn {
    pub work: Work,
    pub done: oneshot::Sender<Told>,
}

/// What a caller is told. It tells the others of its group when it drops this: to wake a task from
/// within the runtime costs far less than from the writer's thread.
pub(super) struct Told {
    pub outcome: Result<(), StoreError>,
    _others: Others,
}

/// Callers who are still to be told.
#[derive(Default)]
struct Others(Vec<(oneshot::Sender<Told>, Result<(), StoreError>)>);

impl Drop for Others {
    fn drop(&mut self) {
        for (caller, outcome) in self.0.drain(..) {
            // A caller that went away changes nothing.
            let _ = caller.send(Told {
                outcome,
                _others: Self::default(),
            });
        }
    }
}

pub(super) struct Writer {
    pub inbox: Receiver<Message>,
    pub committer: Arc<Committer>,
}

impl Writer {
    /// The writer thread: until the store is closed.
    pub(super) fn run(self) {
        let mut closing = false;
        while !closing {
            let group;
            (group, closing) = self.gather();
            if !group.is_empty() {
                self.commit(group);
            }
        }
        self.committer.finish();
    }

    /// Waits for one caller and takes all others that wait; and whether the store is being closed.
    fn gather(&self) -> (Vec<HandIn>, bool) {
        let mut group = Vec::new();
        let (mut bytes, mut changes) = (0, 0);
        // A lost sender means that nobody is left to hand anything in.
        let mut next = self.inbox.recv().unwrap_or(Message::Close);
        loop {
            match next {
                Message::Commit(hand_in) => {
                    bytes += hand_in.work.bytes();
                    changes += hand_in.work.changes();
                    group.push(hand_in);
                }
                Message::Close => return (group, true),
            }
            if bytes >= self.committer.group_bytes_max() || changes >= COMMIT_CHANGES_MAX {
                return (group, false);
            }
            match self.inbox.try_recv() {
                Ok(message) => next = message,
                Err(_) => return (group, false),
            }
        }
    }

    /// Commits a group and wakes its callers.
    fn commit(&self, group: Vec<HandIn>) {
        telemetry::commit_queue(group.len());
        let (callers, works) = group
            .into_iter()
            .map(|hand_in| (hand_in.done, hand_in.work))
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let outcomes = self.committer.commit(works);
        let mut callers: Vec<_> = callers.into_iter().zip(outcomes).collect();
        let (first, outcome) = callers.swap_remove(0);
        // If it went away, the others are told here, where this is dropped.
        let _ = first.send(Told {
            outcome,
            _others: Others(callers),
        });
    }
}
