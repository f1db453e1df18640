//! Owns how a text that is too long is cut.
//! Refuses to know what the text says, where it is shown and how long it may be.

/// Cuts a text at a character's border and says so.
pub(crate) fn clip(text: impl Into<String>, limit: usize) -> String {
    let mut text = text.into();
    if text.len() > limit {
        let whole = text.len();
        let mut end = limit;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.shrink_to_fit();
        text.push_str(&format!("… [cut: {whole} bytes in all]"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character_and_says_so() {
        let text = clip("é".repeat(5_000_000), 2_047);
        assert!(text.starts_with("éé") && text.ends_with("é… [cut: 10000000 bytes in all]"));
        assert_eq!(text.matches('é').count(), 1_023);
        assert_eq!(clip("short", 5), "short");
    }
}
