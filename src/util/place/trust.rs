//! Decides which users can write where.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

const STICKY: u32 = 0o1000;

/// The user as whom this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Me {
    pub(super) user: u32,
    pub(super) group: u32,
    /// Whether it is root outside a user namespace, where `/` belongs to someone else.
    pub(super) privileged: bool,
    /// The additional trusted user, if configured.
    pub(super) besides: Option<u32>,
}

impl Me {
    pub(super) fn now(root: &Metadata) -> Self {
        let user = rustix::process::geteuid().as_raw();
        Self {
            user,
            group: rustix::process::getegid().as_raw(),
            privileged: user == 0 && root.uid() == 0,
            besides: None,
        }
    }

    /// Whether what belongs to `user` is trusted.
    pub(super) fn trusts(self, user: u32) -> bool {
        user == 0 || user == self.user || self.besides == Some(user)
    }
}

/// The metadata that decides who can write in a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folder {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
}

impl Folder {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            user: meta.uid(),
            group: meta.gid(),
            mode: meta.mode(),
        }
    }

    /// Returns why an untrusted user can create files in it, if so: the text after "it".
    pub(super) fn others_write(self, me: Me) -> Option<String> {
        let own_group = !me.privileged && self.group == me.group;
        if !me.trusts(self.user) {
            Some(format!("belongs to user {}", self.user))
        } else if self.mode & 0o002 != 0 {
            Some("is writable for every user".to_owned())
        } else if self.mode & 0o020 != 0 && !own_group {
            Some(format!("is writable for group {}", self.group))
        } else {
            None
        }
    }

    /// Returns why an untrusted user can replace a trusted user's files in it, if so.
    pub(super) fn others_replace(self, me: Me) -> Option<String> {
        if self.mode & STICKY != 0 && me.trusts(self.user) {
            return None;
        }
        self.others_write(me)
    }
}

/// Whether no one can write in a folder because of its mount.
pub(super) fn is_read_only(folder: &File) -> io::Result<bool> {
    let mount = rustix::fs::fstatvfs(folder)?;
    Ok(mount.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_write_and_replace() {
        let root = Me {
            user: 0,
            group: 0,
            privileged: true,
            besides: None,
        };
        let ann = Me {
            user: 1000,
            group: 100,
            privileged: false,
            besides: Some(70),
        };
        for (me, (user, group, mode), write, replace) in [
            (root, (0, 0, 0o755), false, false),
            (root, (0, 0, 0o775), true, true),
            (root, (0, 7, 0o770), true, true),
            (root, (0, 0, 0o777), true, true),
            (root, (0, 0, 0o1777), true, false),
            (root, (7, 0, 0o700), true, true),
            (root, (7, 0, 0o1777), true, true),
            (ann, (1000, 100, 0o775), false, false),
            (ann, (0, 100, 0o775), false, false),
            (ann, (1000, 101, 0o775), true, true),
            (ann, (0, 0, 0o1777), true, false),
            (ann, (1001, 100, 0o755), true, true),
            (ann, (70, 100, 0o755), false, false),
            (ann, (70, 101, 0o775), true, true),
            (ann, (70, 101, 0o1777), true, false),
        ] {
            let folder = Folder { user, group, mode };
            let said = (folder.others_write(me), folder.others_replace(me));
            let found = (said.0.is_some(), said.1.is_some());
            assert_eq!(found, (write, replace), "{me:?} {folder:?}: {said:?}");
        }
    }
}
