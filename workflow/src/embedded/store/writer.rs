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
    pub done: oneshot::Sender<Result<(), StoreError>>,
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
        for (caller, outcome) in callers.into_iter().zip(outcomes) {
            // A caller that went away changes nothing.
            let _ = caller.send(outcome);
        }
    }
}
