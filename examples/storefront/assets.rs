//! The monitoring stack of the shop, with dashboards for the metrics of its own.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use selfheal::Selfheal;
use selfheal::config::Assets;

use crate::args::Args;

/// The shop is scraped where it listens; its till is freed by an alert that is delivered there.
pub(crate) fn of(args: &Args, address: SocketAddr) -> Assets {
    let assets = Assets::new().target(address.to_string());
    if args.jam {
        assets.webhook(format!("http://{address}/api/alertmanager"))
    } else {
        assets
    }
}

/// Writes it below a folder.
pub(crate) fn write(heal: &Selfheal, folder: &Path) -> Result<(), Box<dyn Error>> {
    let written = heal.write_assets(folder)?;
    let (files, folder) = (written.written.len(), folder.display());
    println!("{files} files of the monitoring stack are written into {folder}");
    Ok(())
}
