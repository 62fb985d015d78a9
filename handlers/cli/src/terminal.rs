//! Where a command writes: results to standard output, notes and progress to standard error.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Result;

/// Prints a result. A reader that has gone away ends the command.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints a line of a result.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Prints a value as JSON, for programs.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| crate::Fault::internal(format!("cannot write JSON: {error}")))?;
    line(text)
}

/// Says something beside the result.
pub(crate) fn note(text: impl std::fmt::Display) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether somebody watches standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether lines on standard error may be coloured: on a terminal only, and not if `NO_COLOR` is set to anything (<https://no-color.org>).
pub(crate) fn wants_colours() -> bool {
    has_colours(is_watched(), std::env::var_os("NO_COLOR").as_deref())
}

fn has_colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

/// A bar over `total` bytes, which only shows on a terminal.
pub(crate) fn byte_bar(total: u64, doing: &'static str) -> ProgressBar {
    if !is_watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}");
    // The template above is a constant; a test holds it.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(doing);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_whose_user_does_not_mind() {
        assert!(has_colours(true, None) && has_colours(true, Some(OsStr::new(""))));
        assert!(!has_colours(true, Some(OsStr::new("1"))) && !has_colours(false, None));
    }
}
