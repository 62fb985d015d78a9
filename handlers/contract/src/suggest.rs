//! "did you mean": the nearest known word.

/// Most words that are looked through.
const MAX_WORDS: usize = 2000;

/// `; did you mean ...?` for the word nearest to `found`, or nothing if none is near.
pub(crate) fn did_you_mean(found: &str, words: &[&str]) -> String {
    nearest(found, words).map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// The word at the smallest edit distance, if it is at most a third of its length (and at least one edit is allowed).
fn nearest<'a>(found: &str, words: &[&'a str]) -> Option<&'a str> {
    if found.len() > 64 || words.len() > MAX_WORDS {
        return None;
    }
    let wanted = fold(found);
    words
        .iter()
        .map(|word| (distance(&wanted, &fold(word)), *word))
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Case and the separators that styles of writing differ in do not count.
fn fold(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let words = ["delimiter", "nullValues", "trim", "quote"];
        for (found, word) in [("delimter", "delimiter"), ("null_values", "nullValues"), ("Trim", "trim"), ("qoute", "quote")] {
            assert_eq!(nearest(found, &words), Some(word), "{found}");
        }
    }

    #[test]
    fn a_far_word_finds_nothing() {
        assert_eq!(did_you_mean("colour", &["delimiter", "trim"]), "");
        assert_eq!(did_you_mean(&"x".repeat(10_000), &["delimiter"]), "");
    }
}
