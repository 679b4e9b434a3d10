use std::any::{Any, TypeId};
use std::sync::{Arc, OnceLock};

/// A group of any type.
pub(super) type AnyGroup = Arc<dyn Any + Send + Sync>;

/// The groups in use, by type. Lookups take no lock, since every tracker looks up its group when
/// it starts; groups live as long as the registry. A service has few of them, so a list is fast
/// enough.
#[derive(Default)]
pub(super) struct Groups(Next);

type Next = OnceLock<Box<Node>>;

struct Node {
    id: TypeId,
    group: AnyGroup,
    next: Next,
}

impl Groups {
    pub(super) fn get(&self, id: TypeId) -> Option<&AnyGroup> {
        let mut place = &self.0;
        while let Some(node) = place.get() {
            if node.id == id {
                return Some(&node.group);
            }
            place = &node.next;
        }
        None
    }

    /// Keeps a group, unless there is one of its type, and returns the kept one.
    pub(super) fn keep(&self, id: TypeId, group: AnyGroup) -> AnyGroup {
        let mut place = &self.0;
        let mut new = Box::new(Node {
            id,
            group: Arc::clone(&group),
            next: Next::new(),
        });
        loop {
            while let Some(node) = place.get() {
                if node.id == id {
                    return Arc::clone(&node.group);
                }
                place = &node.next;
            }
            match place.set(new) {
                Ok(()) => return group,
                // Another thread was first and stored its group here.
                Err(back) => new = back,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_declare_at_once_agree_on_one_group_for_each_type() {
        fn kept<T: Any + Send + Sync + Default>(groups: &Groups) -> usize {
            let id = TypeId::of::<T>();
            let kept = groups.keep(id, Arc::new(T::default()));
            let found = groups.get(id).unwrap();
            assert!(Arc::ptr_eq(&kept, found));
            assert!(found.is::<T>());
            Arc::as_ptr(&kept).cast::<()>().addr()
        }
        // All of them are kept, so that no two have the same address.
        for _ in 0..100 {
            let groups = Groups::default();
            let barrier = std::sync::Barrier::new(4);
            let all = std::thread::scope(|scope| {
                let keeps = || {
                    barrier.wait();
                    (
                        kept::<u8>(&groups),
                        kept::<u16>(&groups),
                        kept::<u32>(&groups),
                    )
                };
                let threads = [(); 4].map(|()| scope.spawn(keeps));
                threads.map(|thread| thread.join().unwrap())
            });
            assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
            assert_eq!(groups.get(TypeId::of::<String>()).map(|_| ()), None);
        }
    }
}
