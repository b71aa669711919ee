//! Which known word an unknown one was meant to be, for messages that teach.

/// The known word that `word` resembles most, unless half of it would have to change.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (distance(known, word), known))
        .filter(|&(distance, known)| distance <= known.len() / 2)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

/// Levenshtein's: how many characters to add, drop or replace.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_word_that_was_meant_and_none_that_was_not() {
        let known = ["ECSSD_DRY_RUN", "ECSSD_REMOVE", "ECSSD_RATE"];
        assert_eq!(nearest("ECSSD_DRYRUN", known), Some("ECSSD_DRY_RUN"));
        assert_eq!(nearest("ECSSD_REMOVED", known), Some("ECSSD_REMOVE"));
        assert_eq!(nearest("ECSSD_ENTIRELY_ELSE", known), None);
        assert_eq!(nearest("X", []), None);
    }
}
