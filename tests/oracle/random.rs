//! Random numbers that are the same on every machine: splitmix64.

/// A generator. Cheap to copy; a copy goes on as the original would have.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator of something that has no number: of the same text always the same.
    pub(crate) fn of(seed: u64, text: &str) -> Self {
        let mut random = Self(seed);
        for byte in text.bytes() {
            random.0 = random.0.rotate_left(9) ^ u64::from(byte);
            random.next();
        }
        random
    }

    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    /// True so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// True so many times in ten thousand.
    pub(crate) fn often(&mut self, chance: usize) -> bool {
        self.below(10_000) < chance
    }

    /// One of these.
    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    /// One of these texts.
    pub(crate) fn text(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// Puts these into any order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}
