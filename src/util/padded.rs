/// How many numbers of 8 bytes there are on what nobody else's data shares a cache line with.
pub(crate) const LINE: usize = 16;

/// What nobody else's data shares a cache line with. Lines have 64 bytes on most processors;
/// some fetch two at a time, and some have lines of 128.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);
