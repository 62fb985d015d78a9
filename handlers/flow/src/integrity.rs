//! Content identity in blocks: BLAKE3 is a tree, so aligned blocks can be hashed apart, in any order, and joined to what `b3sum` prints for
//! the whole file. The same values later prove each block on its own, whenever it is read.

use blake3::{
    Hash, Hasher,
    hazmat::{ChainingValue, HasherExt as _, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root},
};

/// Bytes of a block: the unit that is hashed and verified on its own.
pub const BLOCK: u64 = 1 << 20;

/// Value of one block: its BLAKE3 chaining value, or, for a file of a single block, its hash.
pub type BlockValue = [u8; 32];

/// Hashes a part of a file, block by block. The part starts at a block boundary.
#[derive(Debug)]
pub struct BlockHasher {
    /// Bytes of the whole file.
    total: u64,
    /// Offset of the current block.
    start: u64,
    /// Bytes of the current block so far.
    filled: u64,
    hasher: Hasher,
    values: Vec<BlockValue>,
}

impl BlockHasher {
    /// For the part of a file of `total` bytes that starts at `offset`, a multiple of [`BLOCK`].
    pub fn new(offset: u64, total: u64) -> Self {
        assert!(offset.is_multiple_of(BLOCK), "a part starts at a block boundary, found {offset}");
        Self { total, start: offset, filled: 0, hasher: at(offset), values: Vec::new() }
    }

    /// Takes the next bytes of the part.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let take = bytes.len().min((BLOCK - self.filled) as usize);
            self.hasher.update(&bytes[..take]);
            self.filled += take as u64;
            bytes = &bytes[take..];
            if self.filled == BLOCK {
                self.close();
            }
        }
    }

    /// Values of all blocks of the part; the last may be short.
    pub fn finish(mut self) -> Vec<BlockValue> {
        if self.filled > 0 || self.total == 0 {
            self.close();
        }
        self.values
    }

    fn close(&mut self) {
        self.values.push(value(&self.hasher, self.total));
        self.start += BLOCK;
        self.filled = 0;
        self.hasher = at(self.start);
    }
}

fn at(offset: u64) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(offset);
    hasher
}

fn value(hasher: &Hasher, total: u64) -> BlockValue {
    if total <= BLOCK { *hasher.finalize().as_bytes() } else { hasher.finalize_non_root() }
}

/// How many blocks a file of `total` bytes has; an empty file has one.
pub fn block_count(total: u64) -> u64 {
    total.div_ceil(BLOCK).max(1)
}

/// BLAKE3 of a file of `total` bytes from the values of all its blocks; `None` if there are too few or too many of them.
pub fn merge(blocks: &[BlockValue], total: u64) -> Option<Hash> {
    if blocks.len() as u64 != block_count(total) {
        return None;
    }
    if let [only] = blocks {
        return Some(Hash::from_bytes(*only));
    }
    let (left, right) = halves(blocks, total);
    Some(merge_subtrees_root(&left, &right, Mode::Hash))
}

/// Values of the two subtrees below a node over `len` bytes, more than a block.
fn halves(blocks: &[BlockValue], len: u64) -> (ChainingValue, ChainingValue) {
    let left_len = left_subtree_len(len);
    let (left, right) = blocks.split_at((left_len / BLOCK) as usize);
    (subtree(left, left_len), subtree(right, len - left_len))
}

fn subtree(blocks: &[BlockValue], len: u64) -> ChainingValue {
    if let [only] = blocks {
        return *only;
    }
    let (left, right) = halves(blocks, len);
    merge_subtrees_non_root(&left, &right, Mode::Hash)
}

/// Whether `bytes` are block `index` (0-based) of a file of `total` bytes with this value.
pub fn verify_block(index: u64, bytes: &[u8], total: u64, expected: &BlockValue) -> bool {
    let start = index * BLOCK;
    if bytes.len() as u64 != total.saturating_sub(start).min(BLOCK) {
        return false;
    }
    if bytes.is_empty() {
        return *blake3::hash(b"").as_bytes() == *expected;
    }
    value(at(start).update(bytes), total) == *expected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes that differ from block to block.
    fn file(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i ^ (i >> 8) ^ (i >> 16) ^ (i >> 20)) as u8).collect()
    }

    fn values(file: &[u8], segment_blocks: usize, piece: usize) -> Vec<BlockValue> {
        let mut values = Vec::new();
        for (n, segment) in file.chunks(segment_blocks * BLOCK as usize).enumerate() {
            let mut hasher = BlockHasher::new((n * segment_blocks) as u64 * BLOCK, file.len() as u64);
            segment.chunks(piece).for_each(|bytes| hasher.update(bytes));
            values.extend(hasher.finish());
        }
        values
    }

    #[test]
    fn joined_blocks_equal_the_hash_of_the_whole_at_every_boundary() {
        let block = BLOCK as usize;
        for len in [
            1,
            1023,
            1024,
            1025,
            block - 1,
            block,
            block + 1,
            2 * block,
            3 * block - 1,
            3 * block,
            4 * block + 1,
            5 * block + 77,
            8 * block,
        ] {
            let file = file(len);
            let values = values(&file, 2, block);
            assert_eq!(merge(&values, len as u64), Some(blake3::hash(&file)), "{len} bytes");
            assert_eq!(merge(&values[1..], len as u64), None, "a missing block is noticed at {len} bytes");
        }
    }

    #[test]
    fn an_empty_file_has_one_block() {
        let values = BlockHasher::new(0, 0).finish();
        assert_eq!(merge(&values, 0), Some(blake3::hash(b"")));
        assert!(verify_block(0, b"", 0, &values[0]));
        assert!(!verify_block(0, b"x", 0, &values[0]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn joined_blocks_equal_the_hash_of_the_whole(len in 1usize..6_500_000, segment_log in 0u32..4, piece in 1000usize..3_000_000) {
            let file = file(len);
            let values = values(&file, 1 << segment_log, piece);
            prop_assert_eq!(merge(&values, len as u64), Some(blake3::hash(&file)));
        }

        #[test]
        fn a_block_is_verified_and_a_flipped_bit_is_not(len in 1usize..3_500_000, at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut file = file(len);
            let values = values(&file, 1, BLOCK as usize);
            let check = |file: &[u8], index: usize| {
                let block = &file[index * BLOCK as usize..file.len().min((index + 1) * BLOCK as usize)];
                verify_block(index as u64, block, len as u64, &values[index])
            };
            for index in 0..values.len() {
                prop_assert!(check(&file, index));
            }
            let at = at.index(len);
            file[at] ^= 1 << bit;
            prop_assert!(!check(&file, at / BLOCK as usize));
        }
    }
}
