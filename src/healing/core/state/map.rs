//! The hash map of the core.

use std::collections::HashMap;

/// A map for keys from outside: the hash is seeded for each map, and no decision depends on the
/// order of a map.
pub(super) type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
