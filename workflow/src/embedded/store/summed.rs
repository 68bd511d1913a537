//! A file whose pages carry checksums, so that a flipped bit is found when its page is read,
//! whatever the file's size. redb has checksums too, and looks at them only when it repairs.
//!
//! ```text
//! sums of 1024 pages | 1024 pages | sums of 1024 pages | 1024 pages | …
//! ```
//!
//! A sum is the CRC-32 of a page and of its number, 4 bytes, little endian; 0 is a page that was
//! never written. Sums are written with the sync that makes their pages durable, and before the
//! first page, which is redb's header: that is where a commit takes effect. The header itself has
//! no sum, since redb writes its halves apart and checks them.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// The page size of redb.
const PAGE_BYTES: u64 = 4096;
const SUM_BYTES: u64 = size_of::<u32>() as u64;
/// Pages whose sums fill a page.
const GROUP_PAGES: u64 = PAGE_BYTES / SUM_BYTES;
/// Bytes of a group as redb sees it, and as it stands in the file.
const GROUP_BYTES: u64 = GROUP_PAGES * PAGE_BYTES;
const STORED_GROUP_BYTES: u64 = GROUP_BYTES + PAGE_BYTES;

/// A backend on another, with checksums.
#[derive(Debug)]
pub(super) struct Summed<B> {
    inner: B,
    /// The groups whose sums were read or changed: 4 kB for each 4 MB of the file.
    groups: Mutex<BTreeMap<u64, Group>>,
}

#[derive(Debug)]
struct Group {
    sums: Vec<u32>,
    /// Whether the file has other sums.
    is_dirty: bool,
}

/// Where a byte of redb's stands in the file.
fn stored(offset: u64) -> u64 {
    offset + (offset / GROUP_BYTES + 1) * PAGE_BYTES
}

/// The length of the file that has room for so many bytes of redb's.
fn stored_len(len: u64) -> u64 {
    len + len.div_ceil(GROUP_BYTES) * PAGE_BYTES
}

/// The inverse of [`stored_len`].
fn visible_len(stored_len: u64) -> u64 {
    stored_len.saturating_sub(stored_len.div_ceil(STORED_GROUP_BYTES) * PAGE_BYTES)
}

fn sum(page: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&page.to_le_bytes());
    hasher.update(bytes);
    // 0 is a page that was never written.
    hasher.finalize().max(1)
}

impl<B: StorageBackend> Summed<B> {
    pub(super) fn new(inner: B) -> Self {
        Self {
            inner,
            groups: Mutex::default(),
        }
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<u64, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sums of a group, read where they are not known yet.
    fn group<'g>(
        &self,
        groups: &'g mut BTreeMap<u64, Group>,
        number: u64,
    ) -> io::Result<&'g mut Group> {
        use std::collections::btree_map::Entry;
        Ok(match groups.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let at = number * STORED_GROUP_BYTES;
                let mut sums = vec![0; PAGE_BYTES as usize];
                // A file that is being made longer has no such page yet.
                if at + PAGE_BYTES <= self.inner.len()? {
                    self.inner.read(at, &mut sums)?;
                }
                let sums = sums.as_chunks().0.iter().copied();
                unknown.insert(Group {
                    sums: sums.map(u32::from_le_bytes).collect(),
                    is_dirty: false,
                })
            }
        })
    }

    /// Reads whole pages of one group, and checks them.
    fn read_pages(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(stored(offset), out)?;
        let first = offset / PAGE_BYTES;
        let mut groups = self.groups();
        let group = self.group(&mut groups, offset / GROUP_BYTES)?;
        for (page, bytes) in (first..).zip(out.chunks(PAGE_BYTES as usize)) {
            let expected = group.sums[(page % GROUP_PAGES) as usize];
            let is_right = match expected {
                0 => bytes.iter().all(|byte| *byte == 0),
                expected => sum(page, bytes) == expected,
            };
            if page != 0 && !is_right {
                return Err(io::Error::other(DamagedPage { page }));
            }
        }
        Ok(())
    }

    /// Writes whole pages of one group.
    fn write_pages(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let first = offset / PAGE_BYTES;
        if first == 0 {
            self.write_sums()?;
        }
        let mut groups = self.groups();
        let group = self.group(&mut groups, offset / GROUP_BYTES)?;
        self.inner.write(stored(offset), data)?;
        for (page, bytes) in (first..).zip(data.chunks(PAGE_BYTES as usize)) {
            group.sums[(page % GROUP_PAGES) as usize] = sum(page, bytes);
        }
        group.is_dirty = true;
        Ok(())
    }

    fn write_sums(&self) -> io::Result<()> {
        for (number, group) in &mut *self.groups() {
            if group.is_dirty {
                let sums: Vec<u8> = group
                    .sums
                    .iter()
                    .flat_map(|sum| sum.to_le_bytes())
                    .collect();
                self.inner.write(number * STORED_GROUP_BYTES, &sums)?;
                group.is_dirty = false;
            }
        }
        Ok(())
    }
}

/// A page is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("page {page} has a wrong checksum")]
pub(super) struct DamagedPage {
    page: u64,
}

/// The range in whole pages, cut where a group ends.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize)> {
    let end = offset + len as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        let piece_end = end.min((at / GROUP_BYTES + 1) * GROUP_BYTES);
        let piece = (at, (piece_end - at) as usize);
        at = piece_end;
        (piece.1 > 0).then_some(piece)
    })
}

impl<B: StorageBackend> StorageBackend for Summed<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(visible_len(self.inner.len()?))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let lead = (offset % PAGE_BYTES) as usize;
        let is_whole = lead == 0 && out.len().is_multiple_of(PAGE_BYTES as usize);
        if is_whole {
            for (at, len) in pieces(offset, out.len()) {
                let begin = (at - offset) as usize;
                self.read_pages(at, &mut out[begin..begin + len])?;
            }
            return Ok(());
        }
        let mut pages = vec![0; (lead + out.len()).next_multiple_of(PAGE_BYTES as usize)];
        self.read(offset - lead as u64, &mut pages)?;
        out.copy_from_slice(&pages[lead..lead + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut groups = self.groups();
        // What lies behind the end is zeroes when the file grows again.
        let (last, kept) = (len / GROUP_BYTES, len % GROUP_BYTES / PAGE_BYTES);
        groups.retain(|number, _| *number <= last);
        let shrinks = len < visible_len(self.inner.len()?);
        if shrinks && kept > 0 {
            let group = self.group(&mut groups, last)?;
            group.sums[kept as usize..].fill(0);
            group.is_dirty = true;
        }
        self.inner.set_len(stored_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write_sums()?;
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let lead = (offset % PAGE_BYTES) as usize;
        let is_whole = lead == 0 && data.len().is_multiple_of(PAGE_BYTES as usize);
        if is_whole {
            for (at, len) in pieces(offset, data.len()) {
                let begin = (at - offset) as usize;
                self.write_pages(at, &data[begin..begin + len])?;
            }
            return Ok(());
        }
        let mut pages = vec![0; (lead + data.len()).next_multiple_of(PAGE_BYTES as usize)];
        self.read(offset - lead as u64, &mut pages)?;
        pages[lead..lead + data.len()].copy_from_slice(data);
        self.write(offset - lead as u64, &pages)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, redb::BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, redb::BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), redb::BackendError> {
        self.inner.unlock_range(start, end)
    }
}
