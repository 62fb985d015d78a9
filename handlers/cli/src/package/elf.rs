//! The few facts of an ELF file that decide whether it starts in Azure: machine, dynamic loader, needed glibc, debug information.
//!
//! Layouts: ELF-64 Object File Format 1.5 and the Linux Standard Base, "Symbol Versioning".

/// What an executable needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elf {
    /// `e_machine`; 62 is x86-64.
    pub(crate) machine: u16,
    /// The dynamic loader; `None` if statically linked.
    pub(crate) interpreter: Option<String>,
    /// Newest `GLIBC_x.y` that a symbol is needed from.
    pub(crate) glibc: Option<(u32, u32)>,
    /// There is a section with full debug information.
    pub(crate) has_debug: bool,
}

/// `EM_X86_64`.
pub(crate) const X86_64: u16 = 62;

const SHT_GNU_VERNEED: u32 = 0x6fff_fffe;
/// Longest name that is looked at.
const LONGEST_NAME: usize = 256;
const PT_INTERP: u32 = 3;

/// The file is no such ELF file, or is cut.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoElf;

type Result<T> = std::result::Result<T, NoElf>;

/// Bytes of a file, read with bounds.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn at<const N: usize>(self, offset: u64, plus: u64) -> Result<[u8; N]> {
        let start = offset.checked_add(plus).and_then(|start| usize::try_from(start).ok()).ok_or(NoElf)?;
        let end = start.checked_add(N).ok_or(NoElf)?;
        self.0.get(start..end).and_then(|bytes| bytes.try_into().ok()).ok_or(NoElf)
    }

    fn u16(self, offset: u64, plus: u64) -> Result<u16> {
        self.at(offset, plus).map(u16::from_le_bytes)
    }

    fn u32(self, offset: u64, plus: u64) -> Result<u32> {
        self.at(offset, plus).map(u32::from_le_bytes)
    }

    fn u64(self, offset: u64, plus: u64) -> Result<u64> {
        self.at(offset, plus).map(u64::from_le_bytes)
    }

    /// A zero-terminated text.
    fn text(self, offset: u64, plus: u64) -> Result<&'a str> {
        let start = offset.checked_add(plus).and_then(|start| usize::try_from(start).ok()).ok_or(NoElf)?;
        let rest = self.0.get(start..).ok_or(NoElf)?;
        let end = rest.iter().take(LONGEST_NAME).position(|b| *b == 0).ok_or(NoElf)?;
        std::str::from_utf8(&rest[..end]).map_err(|_| NoElf)
    }
}

#[derive(Clone, Copy)]
struct Section {
    name: u32,
    kind: u32,
    offset: u64,
    link: u32,
    entries: u32,
}

/// Reads a 64-bit little-endian ELF file.
pub(crate) fn read(file: &[u8]) -> Result<Elf> {
    let bytes = Bytes(file);
    // Magic, 64 bits, little endian.
    if !file.starts_with(b"\x7fELF\x02\x01") {
        return Err(NoElf);
    }
    let machine = bytes.u16(18, 0)?;
    let interpreter = interpreter(bytes)?;
    let sections = sections(bytes)?;
    let names = sections.get(usize::from(bytes.u16(62, 0)?)).copied();
    let has_debug = names.is_some_and(|names| sections.iter().any(|s| bytes.text(names.offset, s.name.into()) == Ok(".debug_info")));
    let mut glibc = None;
    for section in sections.iter().filter(|s| s.kind == SHT_GNU_VERNEED) {
        let strings = sections.get(section.link as usize).ok_or(NoElf)?.offset;
        glibc = glibc.max(needed_glibc(bytes, section, strings)?);
    }
    Ok(Elf { machine, interpreter, glibc, has_debug })
}

/// The loader's path in the segment `PT_INTERP`.
fn interpreter(bytes: Bytes<'_>) -> Result<Option<String>> {
    let (offset, size, count) = (bytes.u64(32, 0)?, bytes.u16(54, 0)?, bytes.u16(56, 0)?);
    for n in 0..u64::from(count) {
        let header = n * u64::from(size);
        if bytes.u32(offset, header)? == PT_INTERP {
            return Ok(Some(bytes.text(bytes.u64(offset, header + 8)?, 0)?.to_owned()));
        }
    }
    Ok(None)
}

fn sections(bytes: Bytes<'_>) -> Result<Vec<Section>> {
    let (offset, size, count) = (bytes.u64(40, 0)?, bytes.u16(58, 0)?, bytes.u16(60, 0)?);
    (0..u64::from(count))
        .map(|n| {
            let header = n * u64::from(size);
            let field = |at: u64| bytes.u32(offset, header + at);
            Ok(Section { name: field(0)?, kind: field(4)?, offset: bytes.u64(offset, header + 24)?, link: field(40)?, entries: field(44)? })
        })
        .collect()
}

/// Walks `Elfxx_Verneed` and its `Elfxx_Vernaux` entries.
fn needed_glibc(bytes: Bytes<'_>, section: &Section, strings: u64) -> Result<Option<(u32, u32)>> {
    let mut newest = None;
    let mut need = 0;
    for _ in 0..section.entries {
        let mut version = need + u64::from(bytes.u32(section.offset, need + 8)?);
        for _ in 0..bytes.u16(section.offset, need + 2)? {
            let name = bytes.text(strings, bytes.u32(section.offset, version + 8)?.into())?;
            newest = newest.max(glibc_version(name));
            version += u64::from(bytes.u32(section.offset, version + 12)?);
        }
        need += u64::from(bytes.u32(section.offset, need + 12)?);
    }
    Ok(newest)
}

fn glibc_version(name: &str) -> Option<(u32, u32)> {
    let mut parts = name.strip_prefix("GLIBC_")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this_program() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    fn this_test_is_read() {
        let elf = read(&this_program()).unwrap();
        assert_eq!(elf.machine, X86_64);
        assert!(elf.interpreter.unwrap().contains("ld-linux"));
        assert!(elf.glibc.unwrap() >= (2, 17), "{:?}", elf.glibc);
    }

    #[test]
    fn a_cut_file_is_never_a_panic() {
        let whole = this_program();
        for len in [0, 4, 6, 63, 64, 100, 1000, whole.len() / 2] {
            let _answer = read(&whole[..len.min(whole.len())]);
        }
        assert_eq!(read(b"MZ\x90\0"), Err(NoElf));
        assert_eq!(read(&whole[..40]), Err(NoElf));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(glibc_version("GLIBC_2.2.5"), Some((2, 2)));
        assert!(glibc_version("GLIBC_2.31") > glibc_version("GLIBC_2.4"));
        assert_eq!(glibc_version("GLIBC_PRIVATE"), None);
    }
}
