//! Random numbers from a seed: SplitMix64.

/// A sequence that its seed determines.
pub(in crate::embedded) struct Random(u64);

impl Random {
    pub(in crate::embedded) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(in crate::embedded) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(in crate::embedded) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(in crate::embedded) fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}
