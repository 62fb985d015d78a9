//! What kind of file it is, from its first bytes: compression, and kinds that are taken for text now and then.

use sluice_contract::{Compression, Format, Plan};

use crate::{Code, Refusal, Splitting};

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// First bytes of kinds of files that are taken for text now and then.
const KINDS: &[(&[u8], &str)] = &[
    (b"PAR1", "a Parquet file"),
    (b"PK\x03\x04", "a zip archive (perhaps an Excel workbook)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (GZIP, "a gzip file"),
    (ZSTD, "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a SQLite database"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
];

/// Bytes that tell of what kind a text is. Fewer could tell something else, so a stream waits for as many.
pub(crate) const SAMPLE: usize = 4096;

/// How a text is compressed, from its first bytes.
pub(crate) fn detect_compression(first_bytes: &[u8]) -> Compression {
    match () {
        () if first_bytes.starts_with(GZIP) => Compression::Gzip,
        () if first_bytes.starts_with(ZSTD) => Compression::Zstd,
        () => Compression::None,
    }
}

/// How a file can be worked through, from its first bytes (16 are enough). `path` is not looked at: names lie.
pub fn splittable(plan: &Plan, first_bytes: &[u8], _path: &str) -> Splitting {
    let intake = &plan.pipeline.intake;
    match &intake.format {
        Format::Parquet => return Splitting::RowGroups,
        // Its line ends are not single bytes: it is read as the UTF-8 made from it, in one stream.
        Format::Csv(csv) if csv.encoding.is_utf16() => return Splitting::Whole,
        Format::Csv(_) | Format::Ndjson(_) => {}
    }
    match intake.compression {
        Compression::Auto if detect_compression(first_bytes) != Compression::None => Splitting::Whole,
        Compression::Auto | Compression::None => Splitting::Records,
        Compression::Gzip | Compression::Zstd => Splitting::Whole,
    }
}

/// Refuses files whose first bytes are those of another kind of file.
pub(crate) fn refuse_magic(bytes: &[u8]) -> Result<(), Refusal> {
    if let Some((_, kind)) = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Refusal::new(
            Code::WrongKind,
            format!("the file looks like {kind}; expected text as the pipeline's intake.format says"),
        ));
    }
    Ok(())
}

/// Refuses bytes that are no text of one byte (or UTF-8) a character.
pub(crate) fn refuse_other_kinds(bytes: &[u8]) -> Result<(), Refusal> {
    const HOW: &str = "set intake.format.csv.encoding to utf-16, or save the file as UTF-8";
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Refusal::new(Code::WrongEncoding, format!("the file is UTF-16 text; {HOW}")));
    }
    refuse_magic(bytes)?;
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let nul = memchr::memchr_iter(0, sample).count();
    let odd = sample.iter().filter(|b| **b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1b | 0x1c..=0x1f)).count();
    if sample.len() >= 8 && nul * 3 >= sample.len() && nul * 5 <= sample.len() * 3 {
        return Err(Refusal::new(Code::WrongEncoding, format!("the file looks like UTF-16 text without a byte order mark; {HOW}")));
    }
    if nul > 0 && odd * 10 > sample.len() {
        return Err(Refusal::new(Code::WrongKind, "the file looks like binary data; expected text as the pipeline's intake.format says"));
    }
    Ok(())
}
