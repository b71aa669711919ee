//! The two forms of a name: the one that names are compared in, and the one that lists sort by.

/// A DNS name in the form that keys are compared by: lower case, no final dot.
pub fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// What lists sort names by: the labels reversed, with a final dot (`internal.sd.web.`), octet by octet. The
/// names under a name share its key as a prefix.
/// Source: Route 53 API reference, ListResourceRecordSets.
pub fn list_order(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 1);
    for label in name.strip_suffix('.').unwrap_or(name).rsplit('.') {
        key.push_str(label);
        key.push('.');
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_sort_the_text_of_reversed_labels_with_its_final_dot() {
        assert_eq!(list_order("_web._tcp.sd.internal."), "internal.sd._tcp._web.");
        // A hyphen comes before the dot, and so a longer label before the shorter that it begins with.
        assert!(list_order("web-api.sd.internal") < list_order("web.sd.internal"));
        assert!(list_order("sd.internal") < list_order("a.sd.internal"));
    }
}
