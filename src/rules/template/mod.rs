//! Templates of labels and annotations: the part of Go's `text/template` that rule files use, with
//! Prometheus' functions, limited in steps, queries and bytes.

mod asking;
mod error;
mod functions;
mod humanize;
mod lexer;
mod number;
mod parser;
mod printf;
mod reads;
mod run;
mod text;
mod value;

use std::fmt;
use std::sync::Arc;

pub(super) use self::asking::Ask;
use self::asking::Asking;
pub(super) use self::error::{RenderError, TemplateError};
use self::parser::Node;
pub(super) use self::reads::Reads;
use self::run::Run;
pub(super) use self::value::{Data, Found};

/// The variables that Prometheus defines.
const VARIABLES: [&str; 5] = ["", "labels", "externalLabels", "externalURL", "value"];

/// A parsed text with `{{ … }}` actions.
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    /// `None` for plain text.
    nodes: Option<Arc<[Node]>>,
    reads: Reads,
}

impl Template {
    /// Creates a template from plain text.
    pub(in crate::rules) fn plain(text: &str) -> Self {
        Self {
            text: Arc::from(text),
            nodes: None,
            reads: Reads::Labels,
        }
    }

    pub(in crate::rules) fn parse(text: &str) -> Result<Self, TemplateError> {
        if !text.contains("{{") {
            return Ok(Self::plain(text));
        }
        let nodes = parser::parse(text, &VARIABLES)?;
        Ok(Self {
            reads: Reads::of(&nodes),
            nodes: Some(nodes.into()),
            text: Arc::from(text),
        })
    }

    /// What the rendered text depends on.
    pub(in crate::rules) fn reads(&self) -> Reads {
        self.reads
    }

    /// Returns the text as in the file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Evaluates the template with these data.
    pub(in crate::rules) fn render(
        &self,
        data: &Arc<Data>,
        ask: &mut Ask<'_>,
    ) -> Result<Arc<str>, RenderError> {
        let Some(nodes) = &self.nodes else {
            return Ok(Arc::clone(&self.text));
        };
        // Reborrowed, since the trait object's lifetime is that of the call.
        let mut ask = |text: &str| ask(text);
        let mut run = Run::new(Asking::new(Arc::clone(data), &mut ask));
        run.all(nodes)?;
        Ok(Arc::from(run.out))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.nodes.is_some() == other.nodes.is_some()
    }
}

impl Eq for Template {}

#[cfg(test)]
mod tests;
