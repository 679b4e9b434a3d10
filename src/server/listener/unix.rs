//! Unix sockets, whose file exists while the listener does.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// Only this user can connect; the application grants others access.
const MODE: u32 = 0o600;

/// The file of a socket, removed on drop.
pub(super) struct File(PathBuf);

impl File {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // If it stays, the next listener finds that no one answers there.
        let _ = fs::remove_file(&self.0);
    }
}

/// Binds a socket at `path`. A stale socket of an ended process is replaced; any other file is an
/// error.
pub(super) fn bound(path: &Path) -> io::Result<(UnixListener, File)> {
    let socket = match net::UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
            fs::remove_file(path)?;
            net::UnixListener::bind(path)?
        }
        bound => bound?,
    };
    let file = File(path.to_owned());
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    socket.set_nonblocking(true)?;
    Ok((UnixListener::from_std(socket)?, file))
}

fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let answer = || net::UnixStream::connect(path);
    is_socket && answer().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
