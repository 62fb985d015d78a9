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
const SHT_DYNSYM_NAME_LIMIT: usize = 256;
const PT_INTERP: u32 = 3;

/// Bytes of a file, read with bounds.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn at<const N: usize>(self, offset: u64) -> Option<[u8; N]> {
        let start = usize::try_from(offset).ok()?;
        self.0.get(start..start.checked_add(N)?)?.try_into().ok()
    }

    fn u16(self, offset: u64) -> Option<u16> {
        self.at(offset).map(u16::from_le_bytes)
    }

    fn u32(self, offset: u64) -> Option<u32> {
        self.at(offset).map(u32::from_le_bytes)
    }

    fn u64(self, offset: u64) -> Option<u64> {
        self.at(offset).map(u64::from_le_bytes)
    }

    /// A zero-terminated text.
    fn text(self, offset: u64) -> Option<&'a str> {
        let rest = self.0.get(usize::try_from(offset).ok()?..)?;
        let end = rest.iter().take(SHT_DYNSYM_NAME_LIMIT).position(|b| *b == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
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

/// Reads a 64-bit little-endian ELF file; `None` if it is none or is cut.
pub(crate) fn read(file: &[u8]) -> Option<Elf> {
    let bytes = Bytes(file);
    // Magic, 64 bits, little endian.
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let machine = bytes.u16(18)?;
    let interpreter = interpreter(bytes)?;
    let sections = sections(bytes)?;
    let names = sections.get(usize::from(bytes.u16(62)?)).copied();
    let has_debug = names.is_some_and(|names| {
        sections.iter().any(|s| bytes.text(names.offset + u64::from(s.name)).is_some_and(|name| name == ".debug_info"))
    });
    let mut glibc = None;
    for section in sections.iter().filter(|s| s.kind == SHT_GNU_VERNEED) {
        let strings = sections.get(section.link as usize)?.offset;
        glibc = glibc.max(needed_glibc(bytes, section, strings)?);
    }
    Some(Elf { machine, interpreter, glibc, has_debug })
}

/// The loader's path in the segment `PT_INTERP`; the outer `None` says that the file is cut.
fn interpreter(bytes: Bytes<'_>) -> Option<Option<String>> {
    let (offset, size, count) = (bytes.u64(32)?, bytes.u16(54)?, bytes.u16(56)?);
    for n in 0..u64::from(count) {
        let header = offset.checked_add(n * u64::from(size))?;
        if bytes.u32(header)? == PT_INTERP {
            return Some(Some(bytes.text(bytes.u64(header.checked_add(8)?)?)?.to_owned()));
        }
    }
    Some(None)
}

fn sections(bytes: Bytes<'_>) -> Option<Vec<Section>> {
    let (offset, size, count) = (bytes.u64(40)?, bytes.u16(58)?, bytes.u16(60)?);
    (0..u64::from(count))
        .map(|n| {
            let header = offset.checked_add(n * u64::from(size))?;
            let field = |at: u64| bytes.u32(header.checked_add(at)?);
            Some(Section { name: field(0)?, kind: field(4)?, offset: bytes.u64(header.checked_add(24)?)?, link: field(40)?, entries: field(44)? })
        })
        .collect()
}

/// Walks `Elfxx_Verneed` and its `Elfxx_Vernaux` entries.
fn needed_glibc(bytes: Bytes<'_>, section: &Section, strings: u64) -> Option<Option<(u32, u32)>> {
    let mut newest = None;
    let mut need = section.offset;
    for _ in 0..section.entries {
        let mut version = need.checked_add(u64::from(bytes.u32(need + 8)?))?;
        for _ in 0..bytes.u16(need + 2)? {
            let name = bytes.text(strings.checked_add(u64::from(bytes.u32(version + 8)?))?)?;
            newest = newest.max(glibc_version(name));
            version = version.checked_add(u64::from(bytes.u32(version + 12)?))?;
        }
        need = need.checked_add(u64::from(bytes.u32(need + 12)?))?;
    }
    Some(newest)
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
    fn a_cut_file_is_none_or_less_but_never_a_panic() {
        let whole = this_program();
        for len in [0, 4, 6, 63, 64, 100, 1000, whole.len() / 2] {
            let _answer = read(&whole[..len.min(whole.len())]);
        }
        assert_eq!(read(b"MZ\x90\0"), None);
        assert_eq!(read(&whole[..40]), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(glibc_version("GLIBC_2.2.5"), Some((2, 2)));
        assert!(glibc_version("GLIBC_2.31") > glibc_version("GLIBC_2.4"));
        assert_eq!(glibc_version("GLIBC_PRIVATE"), None);
    }
}
