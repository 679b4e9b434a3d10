/// The number of 8-byte values on an unshared cache line.
pub(crate) const LINE: usize = 16;

/// A value on cache lines that no other data shares. Lines have 64 bytes on most processors; some
/// fetch two at a time, and some have lines of 128.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);
