//! The bytes of the journal's file: pure.
//!
//! ```text
//! header, 4096 bytes: magic 8 | version u32 | crc u32 | database 16 | extents u64      of every version
//!                     | start u64, crc u32 | crc of all before u32                    from version 3 on
//! row, at a multiple of 8:  magic u32 | crc u32 | number u64 | length u32 | crc of the row before u32 | record
//! ```
//!
//! A row is found by its head, wherever it stands. Its CRC-32 is of the database, of where it
//! stands, of its number, of the CRC of the row before, and of its bytes, so that nothing else is
//! taken for one: not what is left of an older row, and not a row that somebody keeps in a value.
//! And the rows are a chain: those of two copies of a directory do not follow one another.

use std::cell::OnceCell;
use std::ops::Range;

use super::extents::EXTENT_BYTES;
use super::meta::{DatabaseId, FORMAT_VERSION};

/// The extents begin here.
pub(super) const HEADER_BYTES: u64 = 4096;

const FILE_HEAD_BYTES: usize = 56;
/// What every version wrote the same way, so that each knows a newer one.
const COMMON_HEAD_BYTES: usize = 40;
/// The last version whose rows are no chain: what says which row was before is 0 in them.
pub(super) const UNCHAINED: u32 = 2;

const FILE_MAGIC: &[u8; 8] = b"wf-jrnl\n";
const ROW_MAGIC: &[u8; 4] = b"row\n";
const HEAD_BYTES: usize = 24;
const ALIGNMENT: usize = 8;

/// What the file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub version: u32,
    pub database: DatabaseId,
    /// The file has so many; what is behind them is not used.
    pub extents: u64,
    /// A row that the state contained when this was written; `None` in version 2, which had no chain.
    pub start: Option<Link>,
}

/// A row, by its number and its checksum: a place in the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub row: u64,
    pub crc: u32,
}

/// Why a file has no header that can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Foreign,
    Damaged,
    /// Of a version that this library does not know.
    Newer(u32),
}

impl Header {
    /// Of a file of this version.
    pub(super) fn new(database: DatabaseId, extents: u64, start: Link) -> Self {
        Self {
            version: FORMAT_VERSION,
            database,
            extents,
            start: Some(start),
        }
    }

    /// The header as it is written: one sector, which a disk writes whole or not at all.
    pub(super) fn to_bytes(self) -> [u8; FILE_HEAD_BYTES] {
        let mut bytes = [0; FILE_HEAD_BYTES];
        let start = self.start.unwrap_or_default();
        bytes[..8].copy_from_slice(FILE_MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.database);
        bytes[32..40].copy_from_slice(&self.extents.to_le_bytes());
        bytes[40..48].copy_from_slice(&start.row.to_le_bytes());
        bytes[48..52].copy_from_slice(&start.crc.to_le_bytes());
        let crc = common_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..52]);
        bytes[52..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn read(file: &[u8]) -> Result<Self, Unread> {
        if !file.starts_with(FILE_MAGIC) {
            return Err(Unread::Foreign);
        }
        let bytes = file.first_chunk::<FILE_HEAD_BYTES>();
        let bytes = bytes.ok_or(Unread::Damaged)?;
        if u32_at(bytes, 12) != common_crc(bytes) {
            return Err(Unread::Damaged);
        }
        let version = u32_at(bytes, 8);
        if version > FORMAT_VERSION {
            return Err(Unread::Newer(version));
        }
        let is_chained = version > UNCHAINED;
        if is_chained && u32_at(bytes, 52) != crc32fast::hash(&bytes[..52]) {
            return Err(Unread::Damaged);
        }
        Ok(Self {
            version,
            database: bytes[16..32].try_into().expect("it is as long"),
            extents: u64_at(bytes, 32),
            start: is_chained.then(|| Link {
                row: u64_at(bytes, 40),
                crc: u32_at(bytes, 48),
            }),
        })
    }
}

fn common_crc(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes[..12]);
    hasher.update(&bytes[16..COMMON_HEAD_BYTES]);
    hasher.finalize()
}

/// The length of a file of so many extents.
pub(super) fn file_bytes(extents: u64) -> u64 {
    HEADER_BYTES + extents * EXTENT_BYTES
}

/// Bytes that a row with a record of so many bytes takes.
pub(super) fn row_bytes(record_bytes: usize) -> u64 {
    (HEAD_BYTES + record_bytes).next_multiple_of(ALIGNMENT) as u64
}

/// The row that follows another one, as it stands at an offset of the file; and its link.
pub(super) fn row(
    database: &DatabaseId,
    offset: u64,
    before: Link,
    record: &[u8],
) -> (Vec<u8>, Link) {
    let head = RowHead {
        number: before.row + 1,
        record_bytes: u32::try_from(record.len()).expect("a row is smaller"),
        before_crc: before.crc,
    };
    let mut hasher = head.hasher(database, offset);
    hasher.update(record);
    let crc = hasher.finalize();
    let mut bytes = Vec::with_capacity(HEAD_BYTES + record.len() + ALIGNMENT);
    bytes.extend_from_slice(ROW_MAGIC);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&head.to_bytes());
    bytes.extend_from_slice(record);
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    let row = head.number;
    (bytes, Link { row, crc })
}

/// What stands in the place of a row that is to be found no more.
pub(super) const NO_ROW: &[u8] = &[0; HEAD_BYTES];

/// What a row says of itself, behind its CRC.
struct RowHead {
    number: u64,
    record_bytes: u32,
    before_crc: u32,
}

impl RowHead {
    fn to_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.record_bytes.to_le_bytes());
        bytes[12..].copy_from_slice(&self.before_crc.to_le_bytes());
        bytes
    }

    fn read(head: &[u8]) -> Self {
        Self {
            number: u64_at(head, 8),
            record_bytes: u32_at(head, 16),
            before_crc: u32_at(head, 20),
        }
    }

    /// What the row's CRC is of, before its record.
    fn hasher(&self, database: &DatabaseId, offset: u64) -> crc32fast::Hasher {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(database);
        hasher.update(&offset.to_le_bytes());
        hasher.update(&self.to_bytes());
        hasher
    }
}

/// CRCs of ranges of a file. The CRC of a long one is made of those of what is before its two ends,
/// so that a value which is full of heads of long rows does not make an opening take for ever.
struct Crcs<'f> {
    file: &'f [u8],
    /// Of what is before each block; made when they are asked for.
    before: OnceCell<Vec<u32>>,
}

const BLOCK_BYTES: usize = 4096;

/// A shorter range is read.
const LONG_BYTES: usize = 4 * BLOCK_BYTES;

impl Crcs<'_> {
    fn of(&self, range: Range<usize>) -> u32 {
        if range.len() < LONG_BYTES {
            return crc32fast::hash(&self.file[range]);
        }
        let mut begin = crc32fast::Hasher::new_with_initial(self.before(range.start));
        begin.combine(&of_bytes(0, range.len()));
        self.before(range.end) ^ begin.finalize()
    }

    /// Of all that is before a place.
    fn before(&self, at: usize) -> u32 {
        let before = self.before.get_or_init(|| {
            let mut hasher = crc32fast::Hasher::new();
            let mut before = vec![0];
            for block in self.file.chunks_exact(BLOCK_BYTES) {
                hasher.update(block);
                before.push(hasher.clone().finalize());
            }
            before
        });
        let block = at / BLOCK_BYTES;
        let mut hasher = crc32fast::Hasher::new_with_initial(before[block]);
        hasher.update(&self.file[block * BLOCK_BYTES..at]);
        hasher.finalize()
    }
}

/// A hasher that took so many bytes, of which this is the CRC.
fn of_bytes(crc: u32, bytes: usize) -> crc32fast::Hasher {
    crc32fast::Hasher::new_with_initial_len(crc, bytes as u64)
}

/// A row in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub link: Link,
    /// The CRC of the row before.
    pub before_crc: u32,
    /// Where it stands, and within that its record.
    pub place: Range<u64>,
    pub record: Range<usize>,
}

/// The rows from a number on, ascending.
pub(super) fn rows(database: &DatabaseId, file: &[u8], first: u64) -> Vec<Found> {
    let crcs = Crcs {
        file,
        before: OnceCell::new(),
    };
    let mut rows = Vec::new();
    let mut at = HEADER_BYTES as usize;
    while at + HEAD_BYTES <= file.len() {
        at += match row_at(database, &crcs, at, first) {
            Some(found) => {
                let bytes = found.place.end - found.place.start;
                rows.push(found);
                bytes as usize
            }
            None => ALIGNMENT,
        };
    }
    rows.sort_unstable_by_key(|row| row.link.row);
    rows
}

/// Why rows do not go on where the state stands, if they do not: `rows` are those from the mark on.
pub(super) fn check(rows: &[Found], start: Option<Link>, mark: Link) -> Result<(), String> {
    let mut last = mark;
    for row in rows {
        let link = row.link;
        let (is_next, is_chained) = match link.row == mark.row {
            true => (true, link == mark),
            false => (link.row == last.row + 1, row.before_crc == last.crc),
        };
        if !is_next {
            return Err(format!(
                "the journal goes on with row {} instead of {}",
                link.row,
                last.row + 1
            ));
        }
        if start.is_some() && !is_chained {
            return Err(other_row(last));
        }
        last = link;
    }
    match start {
        Some(start) if start.row > last.row => Err(format!(
            "the journal begins after row {}, and the state ends with row {}",
            start.row, mark.row
        )),
        // The last row stays in the journal until there is a next one.
        Some(start) if rows.is_empty() && start.row < mark.row => Err(format!(
            "the journal ends before row {}, which the state contains",
            mark.row
        )),
        Some(start) if start.row == mark.row && start != mark => Err(other_row(mark)),
        _ => Ok(()),
    }
}

fn other_row(link: Link) -> String {
    format!(
        "they are of two copies of the data that went on apart, with a row {} each",
        link.row
    )
}

fn row_at(database: &DatabaseId, crcs: &Crcs<'_>, at: usize, first: u64) -> Option<Found> {
    let head = &crcs.file[at..at + HEAD_BYTES];
    if !head.starts_with(ROW_MAGIC) {
        return None;
    }
    let (crc, head) = (u32_at(head, 4), RowHead::read(head));
    if head.number < first {
        return None;
    }
    let begin = at + HEAD_BYTES;
    let length = head.record_bytes as usize;
    let record = begin..begin.checked_add(length)?;
    if record.end > crcs.file.len() {
        return None;
    }
    let offset = at as u64;
    let mut hasher = head.hasher(database, offset);
    hasher.combine(&of_bytes(crcs.of(record.clone()), length));
    let is_whole = hasher.finalize() == crc;
    is_whole.then(|| Found {
        link: Link {
            row: head.number,
            crc,
        },
        before_crc: head.before_crc,
        place: offset..offset + row_bytes(length),
        record,
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("it is as long"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("it is as long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: DatabaseId = [7; 16];

    fn row_of(offset: u64, number: u64, record: &[u8]) -> Vec<u8> {
        let before = Link {
            row: number - 1,
            crc: 3,
        };
        row(&DATABASE, offset, before, record).0
    }

    fn numbers_of(found: &[Found]) -> Vec<u64> {
        found.iter().map(|row| row.link.row).collect()
    }

    #[test]
    fn rows_are_found_where_they_stand() {
        let mut file = vec![0; HEADER_BYTES as usize];
        let numbers = [3, 1, 2];
        for number in numbers {
            let record = vec![number as u8; number as usize * 5];
            let bytes = row_of(file.len() as u64, number, &record);
            assert_eq!(bytes.len() as u64, row_bytes(record.len()));
            file.extend(bytes);
            file.resize(file.len() + 16, 1);
        }
        let found = rows(&DATABASE, &file, 2);
        assert_eq!(numbers_of(&found), [2, 3]);
        assert_eq!(file[found[0].record.clone()], [2; 10]);
        assert_eq!(rows(&[8; 16], &file, 0), []);
    }

    #[test]
    fn a_row_within_a_row_is_none() {
        let mut file = vec![0; HEADER_BYTES as usize];
        let within = row_of(HEADER_BYTES + HEAD_BYTES as u64, 9, b"nine");
        file.extend(row_of(HEADER_BYTES, 1, &within));
        // Nor what is a copy of a row, at another place.
        file.extend(row_of(HEADER_BYTES, 2, b"two"));
        assert_eq!(numbers_of(&rows(&DATABASE, &file, 0)), [1]);
    }

    #[test]
    fn rows_of_any_length_are_found() {
        let bytes = |length: usize| (0..length).map(|at| (at * at) as u8);
        for length in (0..40).chain([4095, LONG_BYTES - 1, LONG_BYTES, LONG_BYTES + 1, 99_999]) {
            let record: Vec<u8> = bytes(length).collect();
            let mut file: Vec<u8> = bytes(HEADER_BYTES as usize + 8 * length).collect();
            let at = file.len();
            file.extend(row_of(at as u64, 5, &record));
            let found = rows(&DATABASE, &file, 0);
            assert_eq!(found.len(), 1, "{length}");
            assert_eq!(file[found[0].record.clone()], record);
            if length > 0 {
                file[at + HEAD_BYTES + length / 2] ^= 1;
                assert_eq!(rows(&DATABASE, &file, 0), []);
            }
        }
    }

    /// Else a caller's value could make an opening take hours.
    #[test]
    fn a_value_full_of_heads_is_read_in_time() {
        let mut file = vec![0; HEADER_BYTES as usize];
        const HEADS: usize = 120_000;
        for head in 0..HEADS {
            file.extend_from_slice(ROW_MAGIC);
            file.extend_from_slice(&[0; 4]);
            file.extend_from_slice(&u64::MAX.to_le_bytes());
            let rest = (HEADS - 1 - head) * HEAD_BYTES;
            file.extend_from_slice(&(rest as u32).to_le_bytes());
            file.extend_from_slice(&[0; 4]);
        }
        let begin = std::time::Instant::now();
        assert_eq!(rows(&DATABASE, &file, 0), []);
        // It takes a second; where each head costs what is behind it, minutes.
        assert!(begin.elapsed().as_secs() < 60);
    }

    #[test]
    fn a_header_says_what_it_was_told() {
        let header = Header::new(DATABASE, 4, Link { row: 9, crc: 5 });
        let bytes = header.to_bytes();
        assert_eq!(Header::read(&bytes), Ok(header));
        assert_eq!(Header::read(&bytes[..20]), Err(Unread::Damaged));
        for at in 8..bytes.len() {
            let mut damaged = bytes;
            damaged[at] ^= 1;
            assert_eq!(Header::read(&damaged), Err(Unread::Damaged), "{at}");
        }
        assert_eq!(Header::read(b"other"), Err(Unread::Foreign));
    }

    /// By what every version wrote, whatever a newer one puts behind it.
    #[test]
    fn a_newer_header_is_known() {
        let mut header = Header::new(DATABASE, 4, Link::default());
        header.version = 7;
        let mut bytes = header.to_bytes();
        bytes[COMMON_HEAD_BYTES..].fill(9);
        assert_eq!(Header::read(&bytes), Err(Unread::Newer(7)));
    }
}
