//! Texts with `*` for any run of characters and `?` for any one, as IAM and EventBridge write them.

/// Whether the text is one that the pattern means. Time is the product of their lengths at the most.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star is, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, t) = (at + 1, taken + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_any_run_and_a_question_mark_any_one() {
        for (pattern, text) in [
            ("*", ""),
            ("ses:*", "ses:SendEmail"),
            ("ses:*Email", "ses:SendEmail"),
            ("*:Send*mail", "ses:SendRawEmail"),
            ("ses:Send?mail", "ses:SendEmail"),
            ("a*b*c", "aXbYbZc"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "x"),
            ("ses:*", "sns:Publish"),
            ("a*b", "abc"),
            ("?", ""),
            ("ses", "SES"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_stars_takes_no_long_time() {
        assert!(!matches(&"*a".repeat(200), &"b".repeat(5_000)));
    }
}
