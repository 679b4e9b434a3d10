//! Collects the annotations of an evaluation.

use crate::promql::annotation::{Annotation, Severity};
use crate::promql::error::Place;

/// The limit of annotations of a result.
const MAX_NOTES: usize = 64;

#[derive(Debug)]
pub(crate) struct Notes<'a> {
    text: &'a str,
    list: Vec<Annotation>,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            list: Vec::new(),
        }
    }

    pub(crate) fn into_list(self) -> Vec<Annotation> {
        self.list
    }

    pub(crate) fn info(&mut self, at: usize, message: impl Into<String>) {
        self.add(Severity::Info, at, message.into());
    }

    pub(crate) fn warn(&mut self, at: usize, message: impl Into<String>) {
        self.add(Severity::Warning, at, message.into());
    }

    fn add(&mut self, severity: Severity, at: usize, message: String) {
        let note = Annotation {
            severity,
            message,
            place: Place::of(self.text, at),
        };
        if self.list.len() < MAX_NOTES && !self.list.contains(&note) {
            self.list.push(note);
        }
    }
}
