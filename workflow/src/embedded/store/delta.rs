//! The difference between two images, in proportion to what changed.
//!
//! A changed section is compared from both ends. That finds the append (a history, an agent's
//! messages) and the removal at the front (a queue, `for x in vec`), and needs no search.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::image::{Image, Section};

/// A splice has to save this much, or the new bytes are written whole.
const SPLICE_SAVES_BYTES_MIN: usize = 16;

/// How to make an image out of the one before: what each section of the new image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delta {
    parts: Vec<Part>,
}

/// Where sections of the new image come from. A section that no part names is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Part {
    /// Sections of the old image that stand unchanged, one after the other.
    Keep { first: usize, count: usize },
    /// A section of the old image with other bytes between its two ends.
    Splice {
        from: usize,
        prefix: usize,
        suffix: usize,
        #[serde(with = "super::bytes")]
        middle: Vec<u8>,
        /// Of the whole new bytes: a delta applied to another image than it was made from fails.
        crc32: u32,
    },
    /// A section that is new, or has little in common with the old one.
    Whole(Section),
}

impl Delta {
    /// The delta that makes `after` out of `before`; no image before is an empty one.
    pub(super) fn between(before: Option<&Image>, after: &Image) -> Self {
        let old = before.map_or(&[][..], |image| &image.sections);
        let mut index = Index::new(old);
        let mut parts: Vec<Part> = Vec::new();
        for section in &after.sections {
            let Some(from) = index.find(section) else {
                parts.push(Part::Whole(section.clone()));
                continue;
            };
            if !is_same(&old[from], section) {
                parts.push(Part::changed(from, &old[from], section));
                continue;
            }
            match parts.last_mut() {
                Some(Part::Keep { first, count }) if *first + *count == from => *count += 1,
                _ => parts.push(Part::Keep {
                    first: from,
                    count: 1,
                }),
            }
        }
        Self { parts }
    }

    /// The new image, or what is wrong: this delta does not belong to that image.
    pub(super) fn apply(self, before: Option<&Image>) -> Result<Image, &'static str> {
        let old = before.map_or(&[][..], |image| &image.sections);
        let mut sections = Vec::with_capacity(old.len());
        for part in self.parts {
            match part {
                Part::Keep { first, count } => {
                    let kept = first
                        .checked_add(count)
                        .and_then(|end| old.get(first..end))
                        .ok_or("a section that is kept was never there")?;
                    sections.extend_from_slice(kept);
                }
                Part::Splice {
                    from,
                    prefix,
                    suffix,
                    middle,
                    crc32,
                } => {
                    let old = old.get(from).ok_or("a changed section was never there")?;
                    let bytes = splice(&old.bytes, prefix, &middle, suffix)
                        .filter(|bytes| crc32fast::hash(bytes) == crc32)
                        .map(Arc::from)
                        .ok_or("a changed section is not what the change was made from")?;
                    sections.push(Section {
                        key: old.key.clone(),
                        bytes,
                    });
                }
                Part::Whole(section) => sections.push(section),
            }
        }
        Ok(Image { sections })
    }

    /// Bytes this delta takes in a row, nearly.
    pub(super) fn size_bytes(&self) -> usize {
        let carried = |part: &Part| match part {
            Part::Keep { .. } => 0,
            Part::Splice { middle, .. } => middle.len(),
            Part::Whole(section) => section.key.len() + section.bytes.len(),
        };
        self.parts
            .iter()
            .map(|part| SPLICE_SAVES_BYTES_MIN + carried(part))
            .sum()
    }
}

impl Part {
    fn changed(from: usize, old: &Section, new: &Section) -> Self {
        let prefix = common_prefix(&old.bytes, &new.bytes);
        let suffix = common_suffix(&old.bytes[prefix..], &new.bytes[prefix..]);
        if prefix + suffix < SPLICE_SAVES_BYTES_MIN {
            return Self::Whole(new.clone());
        }
        Self::Splice {
            from,
            prefix,
            suffix,
            middle: new.bytes[prefix..new.bytes.len() - suffix].to_vec(),
            crc32: crc32fast::hash(&new.bytes),
        }
    }
}

fn splice(old: &[u8], prefix: usize, middle: &[u8], suffix: usize) -> Option<Vec<u8>> {
    let tail = old.len().checked_sub(suffix)?;
    if prefix > tail {
        return None;
    }
    Some([&old[..prefix], middle, &old[tail..]].concat())
}

fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    // Blocks first: comparing slices is far faster than comparing bytes.
    const BLOCK: usize = 64;
    let blocks = a
        .chunks_exact(BLOCK)
        .zip(b.chunks_exact(BLOCK))
        .take_while(|(a, b)| a == b)
        .count();
    let done = blocks * BLOCK;
    done + a[done..]
        .iter()
        .zip(&b[done..])
        .take_while(|(a, b)| a == b)
        .count()
}

fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let blocks = a
        .rchunks_exact(BLOCK)
        .zip(b.rchunks_exact(BLOCK))
        .take_while(|(a, b)| a == b)
        .count();
    let done = blocks * BLOCK;
    done + a[..a.len() - done]
        .iter()
        .rev()
        .zip(b[..b.len() - done].iter().rev())
        .take_while(|(a, b)| a == b)
        .count()
}

fn is_same(old: &Section, new: &Section) -> bool {
    Arc::ptr_eq(&old.bytes, &new.bytes) || old.bytes == new.bytes
}

/// Finds old sections by key: nearly always the one after the last one found.
struct Index<'a> {
    old: &'a [Section],
    next: usize,
    by_key: Option<HashMap<&'a str, usize>>,
}

impl<'a> Index<'a> {
    fn new(old: &'a [Section]) -> Self {
        Self {
            old,
            next: 0,
            by_key: None,
        }
    }

    fn find(&mut self, section: &Section) -> Option<usize> {
        let key = &*section.key;
        let found = if self.old.get(self.next).is_some_and(|old| old.key == key) {
            // In a queue whose front was taken, the same section stands further on.
            let queue = self.old[self.next..].iter();
            let mut queue = queue.take_while(|old| old.key == key);
            let ahead = queue.position(|old| is_same(old, section));
            self.next + ahead.unwrap_or(0)
        } else {
            let by_key = self.by_key.get_or_insert_with(|| {
                let keys = self.old.iter().map(|section| &*section.key);
                keys.zip(0..).collect()
            });
            *by_key.get(key)?
        };
        self.next = found + 1;
        Some(found)
    }
}
