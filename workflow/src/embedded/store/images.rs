//! The tables `runs` and `deltas` of the state: images.
//!
//! A checkpoint writes the image of a run whole, or, where it is large, what changed since the last
//! one: so a run whose state grows costs what it grows by. What the state has of a run takes at most
//! twice the run's image, and reading it applies few deltas.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, TableError};

use super::bounds::Bounds;
use super::delta::Delta;
use super::encoding::{decode, encode};
use super::error::StoreError;
use super::fault::Fault;
use super::image::Image;
use super::overlay::Written;

/// Run -> image.
pub(super) const RUNS: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("runs");
pub(super) const DELTAS: TableDefinition<'static, DeltaKey, DeltaValue> =
    TableDefinition::new("deltas");

/// Run, and number from 1.
pub(super) type DeltaKey = (u64, u64);
/// Bytes that the image and its deltas up to this one take, and the delta.
pub(super) type DeltaValue = (u64, &'static [u8]);

/// What the state has of a run's image.
pub(super) struct Stored {
    deltas: u64,
    bytes: u64,
}

/// How a checkpoint writes an image.
pub(super) enum Form {
    Whole(Vec<u8>),
    Delta { stored: Stored, delta: Vec<u8> },
}

impl Form {
    pub(super) fn of(
        written: &Written,
        stored: Option<Stored>,
        bounds: &Bounds,
    ) -> Result<Self, StoreError> {
        if let (Some(base), Some(before)) = (&written.base, stored)
            && before.deltas < bounds.deltas_max
        {
            let delta = encode(&Delta::between(Some(base), &written.image))?;
            let stored = Stored {
                deltas: before.deltas + 1,
                bytes: before.bytes + delta.len() as u64,
            };
            if stored.bytes <= 2 * written.image.size_bytes() {
                return Ok(Self::Delta { stored, delta });
            }
        }
        Ok(Self::Whole(encode(&*written.image)?))
    }
}

/// Both tables, to be written.
pub(super) struct Images<'t> {
    pub runs: Table<'t, u64, &'static [u8]>,
    pub deltas: Table<'t, DeltaKey, DeltaValue>,
}

impl Images<'_> {
    pub(super) fn put(&mut self, run: u64, form: &Form) -> Result<(), Fault> {
        match form {
            Form::Whole(image) => {
                self.runs.insert(run, image.as_slice())?;
                self.remove_deltas(run)?;
            }
            Form::Delta { stored, delta } => {
                let value = (stored.bytes, delta.as_slice());
                self.deltas.insert((run, stored.deltas), value)?;
            }
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, run: u64) -> Result<(), Fault> {
        self.runs.remove(run)?;
        self.remove_deltas(run)
    }

    fn remove_deltas(&mut self, run: u64) -> Result<(), Fault> {
        self.deltas
            .retain_in((run, 0)..=(run, u64::MAX), |_, _| false)?;
        Ok(())
    }
}

/// What the state has of the image of a run that it knows.
pub(super) fn stored(transaction: &ReadTransaction, run: u64) -> Result<Option<Stored>, Fault> {
    let deltas = transaction.open_table(DELTAS)?;
    if let Some(last) = deltas.range((run, 0)..=(run, u64::MAX))?.next_back() {
        let (key, value) = last?;
        return Ok(Some(Stored {
            deltas: key.value().1,
            bytes: value.value().0,
        }));
    }
    let image = transaction.open_table(RUNS)?.get(run)?;
    Ok(image.map(|image| Stored {
        deltas: 0,
        bytes: image.value().len() as u64,
    }))
}

/// The image of a run.
pub(super) fn read(
    runs: &impl ReadableTable<u64, &'static [u8]>,
    deltas: Option<&impl ReadableTable<DeltaKey, DeltaValue>>,
    run: u64,
) -> Result<Option<Image>, Fault> {
    let Some(bytes) = runs.get(run)? else {
        return Ok(None);
    };
    let mut image: Image = decode(&format!("run {run}"), bytes.value())?;
    let Some(deltas) = deltas else {
        return Ok(Some(image));
    };
    for (entry, expected) in deltas.range((run, 0)..=(run, u64::MAX))?.zip(1..) {
        let (key, value) = entry?;
        let what = format!("delta {expected} of run {run}");
        if key.value().1 != expected {
            return Err(Fault::Damaged(format!("{what} is gone")));
        }
        let delta: Delta = decode(&what, value.value().1)?;
        let applied = delta.apply(Some(&image));
        image = applied.map_err(|reason| Fault::Damaged(format!("{what}: {reason}")))?;
    }
    Ok(Some(image))
}

/// The deltas; data of version 2 has none.
pub(super) fn open_deltas(
    transaction: &ReadTransaction,
) -> Result<Option<ReadOnlyTable<DeltaKey, DeltaValue>>, Fault> {
    match transaction.open_table(DELTAS) {
        Ok(deltas) => Ok(Some(deltas)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
