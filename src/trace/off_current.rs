use super::Trace;
use crate::registry::{DeclareError, Group, Registry};

#[derive(Debug)]
pub(crate) struct Current(());

#[expect(clippy::unused_self, reason = "as the room has it")]
impl Current {
    pub(crate) fn trace(&self) -> Trace {
        Trace::default()
    }
}

impl Group for Current {
    const NAME: &'static str = "trace";

    fn declare(_: &Registry) -> Result<Self, DeclareError> {
        Ok(Self(()))
    }
}
