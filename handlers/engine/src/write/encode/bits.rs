//! Numbers in few bits (Parquet format, "Encodings").

/// Values of a block of deltas, and of each of its parts.
const BLOCK: usize = 128;
const PART: usize = 32;

/// An unsigned number in groups of seven bits.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Bits that a number needs.
pub(super) fn width(value: u64) -> u32 {
    64 - value.leading_zeros()
}

/// Packs numbers of `width` bits one after the other, the lowest bits first.
#[inline]
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut word, mut bits) = (0_u64, 0);
    for value in values {
        word |= value << bits;
        bits += width;
        if bits >= 64 {
            out.extend_from_slice(&word.to_le_bytes());
            bits -= 64;
            word = if bits == 0 { 0 } else { value >> (width - bits) };
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

/// Numbers below `2^width` as one packed run (encoding RLE / bit-packing hybrid).
pub(super) fn packed_run(values: impl Iterator<Item = u64>, count: usize, width: u32, out: &mut Vec<u8>) {
    let groups = count.div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    pack(values, width, out);
    out.resize(end, 0);
}

/// The same number `count` times, in a width of at most eight bits (encoding RLE / bit-packing hybrid).
pub(super) fn repeated_run(value: u8, count: usize, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.push(value);
}

/// Encoding `DELTA_BINARY_PACKED`. No two values may lie further apart than an `i64` can say.
pub(super) fn deltas(values: &[i64], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / PART) as u64, out);
    varint(values.len() as u64, out);
    zigzag(values.first().copied().unwrap_or(0), out);
    let mut at = 1;
    while at < values.len() {
        let end = values.len().min(at + BLOCK);
        let count = end - at;
        let mut block = [0_i64; BLOCK];
        for (delta, pair) in block.iter_mut().zip(values[at - 1..end].windows(2)) {
            *delta = pair[1] - pair[0];
        }
        let least = block[..count].iter().copied().min().unwrap_or(0);
        zigzag(least, out);
        let mut widths = [0_u8; BLOCK / PART];
        for (width, part) in widths.iter_mut().zip(block[..count].chunks(PART)) {
            *width = self::width(part.iter().fold(0, |all, delta| all | (delta - least) as u64)) as u8;
        }
        out.extend_from_slice(&widths);
        for (width, part) in widths.iter().zip(block[..count].chunks(PART)) {
            let bits = u32::from(*width);
            let end = out.len() + PART / 8 * bits as usize;
            pack(part.iter().map(|delta| (delta - least) as u64), bits, out);
            out.resize(end, 0);
        }
        at = end;
    }
}

/// About how many bits [`deltas`] needs for a value, from every eighth block.
pub(super) fn delta_bits(values: &[i64]) -> u32 {
    let (mut total, mut seen) = (0, 0);
    for block in values.chunks(BLOCK).step_by(8) {
        let deltas = block.windows(2).map(|pair| pair[1] - pair[0]);
        let (least, most) = deltas.fold((i64::MAX, i64::MIN), |(least, most), d| (least.min(d), most.max(d)));
        if least <= most {
            total += width((most - least) as u64);
        }
        seen += 1;
    }
    if seen == 0 { 0 } else { total.div_ceil(seen) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_packed_from_the_lowest_bit_on() {
        let mut out = Vec::new();
        pack([1, 2, 3, 4, 5, 6, 7, 0].into_iter(), 3, &mut out);
        // The example of the format's description, one number later.
        assert_eq!(out, [0b1101_0001, 0b0101_1000, 0b0001_1111]);
        out.clear();
        pack([u64::MAX, 1, u64::MAX].into_iter(), 64, &mut out);
        assert_eq!(out, [[0xff; 8], [1, 0, 0, 0, 0, 0, 0, 0], [0xff; 8]].concat());
    }

    #[test]
    fn deltas_are_those_of_the_format() {
        let mut out = Vec::new();
        deltas(&[1, 2, 3, 4, 5], &mut out);
        // Block of 128 in 4 parts, 5 values, the first is 1, least delta 1, all widths 0.
        assert_eq!(out, [0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0]);
    }
}
