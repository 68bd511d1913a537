//! Names in another case.

/// `research_workflow`, `approval-needed`, `MANAGER_DECISION` → `ResearchWorkflow`,
/// `ApprovalNeeded`, `ManagerDecision`. What is no letter or digit breaks words.
pub(crate) fn upper_camel(text: &str) -> String {
    let text = text.strip_prefix("r#").unwrap_or(text);
    let screaming = !text.chars().any(char::is_lowercase);
    let mut camel = String::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        if screaming {
            camel.extend(letters.flat_map(char::to_lowercase));
        } else {
            camel.extend(letters);
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::upper_camel;

    #[test]
    fn words_become_upper_camel() {
        for (text, camel) in [
            ("research_workflow", "ResearchWorkflow"),
            ("approval", "Approval"),
            ("approval needed!", "ApprovalNeeded"),
            ("MANAGER_DECISION", "ManagerDecision"),
            ("order.paidInFull", "OrderPaidInFull"),
            ("r#type", "Type"),
            ("step_2", "Step2"),
            ("", ""),
        ] {
            assert_eq!(upper_camel(text), camel);
        }
    }
}
