//! What the disk allows: append a record, `fdatasync`, and nothing else.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// A record is about what one step of a run writes.
const RECORD_BYTES: usize = 256;
const APPENDS: u32 = 200;

/// Seconds that one append and its sync take, on average.
pub(crate) fn append_s(directory: &Path) -> f64 {
    let mut file = File::create(directory.join("append")).expect("a file can be made");
    let record = [b'x'; RECORD_BYTES];
    let begin = Instant::now();
    for _ in 0..APPENDS {
        file.write_all(&record).expect("it can be written");
        file.sync_data().expect("it can be synced");
    }
    begin.elapsed().as_secs_f64() / f64::from(APPENDS)
}
