//! The expression of a rule.

use std::fmt;
use std::sync::Arc;

use promql_parser::parser::Expr;

/// An expression in PromQL, parsed.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    parsed: Arc<Expr>,
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self {
            parsed: Arc::new(promql_parser::parser::parse(text)?),
            text: Arc::from(text),
        })
    }

    /// As it stands in the file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its syntax tree.
    pub(super) fn parsed(&self) -> &Expr {
        &self.parsed
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
