//! Where rows stand in the journal's file: pure.
//!
//! The file is made of *extents*, and an extent whose rows the state contains is used again. Rows
//! with even and with odd numbers stand in extents of their own, so that damage in one place, but
//! to the last row of all, leaves a gap in their numbers and is noticed.

use std::ops::Range;

/// Bytes of an extent. A row that is larger takes several.
pub(super) const EXTENT_BYTES: u64 = 64 << 10;

/// The extents of a file.
#[derive(Debug, Default)]
pub(super) struct Extents {
    /// The last row in each; 0 is none.
    last_rows: Vec<u64>,
    /// Where rows with even and with odd numbers go on: the rest of an extent.
    rests: [Range<u64>; 2],
}

impl Extents {
    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.last_rows.len() as u64
    }

    /// Adds extents at the end, without a row.
    pub(super) fn grow(&mut self, count: u64) {
        let count = self.last_rows.len() + count as usize;
        self.last_rows.resize(count, 0);
    }

    /// A place for a row, where nothing stands but rows up to the mark; `None` where the file has
    /// to grow.
    ///
    /// Nor is it where the row before stands: until this one is durable, that one is what shows how
    /// far the journal goes.
    pub(super) fn place(&mut self, row: u64, bytes: u64, mark: u64) -> Option<Range<u64>> {
        let mark = mark.min(row.saturating_sub(2));
        let turn = (row % 2) as usize;
        let rest = &self.rests[turn];
        if rest.end - rest.start < bytes {
            self.rests[turn] = self.find(bytes.div_ceil(EXTENT_BYTES), turn, mark)?;
        }
        let start = self.rests[turn].start;
        Some(start..start + bytes)
    }

    /// A row stands there; the next one of its turn may follow it.
    pub(super) fn take(&mut self, row: u64, place: &Range<u64>) {
        let extents = place.start / EXTENT_BYTES..place.end.div_ceil(EXTENT_BYTES);
        self.rests[(row % 2) as usize] = place.end..extents.end * EXTENT_BYTES;
        for extent in extents {
            let last = &mut self.last_rows[extent as usize];
            *last = row.max(*last);
        }
    }

    /// The first so many extents in a row that can be used again.
    fn find(&self, count: u64, turn: usize, mark: u64) -> Option<Range<u64>> {
        let other = &self.rests[1 - turn];
        let mut free = 0;
        for (extent, last) in (0..).zip(&self.last_rows) {
            let bytes = extent * EXTENT_BYTES..(extent + 1) * EXTENT_BYTES;
            let is_other = other.start < bytes.end && bytes.start < other.end;
            free = if *last <= mark && !is_other {
                free + 1
            } else {
                0
            };
            if free == count {
                return Some(bytes.end - count * EXTENT_BYTES..bytes.end);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents(count: u64) -> Extents {
        let mut extents = Extents::default();
        extents.grow(count);
        extents
    }

    #[test]
    fn neighbours_stand_apart() {
        let mut extents = extents(2);
        let places: Vec<_> = (1..=4)
            .map(|row| {
                let place = extents.place(row, 100, 0).unwrap();
                extents.take(row, &place);
                place.start
            })
            .collect();
        assert_eq!(places, [0, EXTENT_BYTES, 100, EXTENT_BYTES + 100]);
    }

    #[test]
    fn rows_go_on_where_those_before_an_opening_end() {
        let mut extents = extents(2);
        for (row, extent) in [(7, 0), (8, 1)] {
            let start = extent * EXTENT_BYTES;
            extents.take(row, &(start..start + 100));
        }
        assert_eq!(extents.place(9, 50, 0), Some(100..150));
    }

    #[test]
    fn only_what_the_state_contains_is_overwritten() {
        let mut extents = extents(3);
        let mut mark = 0;
        let mut standing: Vec<(u64, Range<u64>)> = Vec::new();
        for row in 1..2_000 {
            let bytes = 1 + row * 7919 % (2 * EXTENT_BYTES);
            let place = extents.place(row, bytes, mark).unwrap_or_else(|| {
                extents.grow(bytes.div_ceil(EXTENT_BYTES));
                extents.place(row, bytes, mark).unwrap()
            });
            standing.retain(|(row, _)| *row > mark);
            for (other, theirs) in &standing {
                let is_apart = theirs.end <= place.start || place.end <= theirs.start;
                assert!(is_apart, "row {row} on row {other}");
            }
            extents.take(row, &place);
            standing.push((row, place));
            if row % 13 == 0 {
                mark = row - 5;
            }
        }
        assert!(extents.count() < 60, "{} extents", extents.count());
    }
}
