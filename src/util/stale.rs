/// The bits of the NaN by which Prometheus marks a series as ended.
pub const STALE: u64 = 0x7ff0_0000_0000_0002;
