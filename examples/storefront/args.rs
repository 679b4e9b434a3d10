//! The flags, and what is wrong with them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
usage: storefront [--listen ADDR] [--load RPS] [--chaos] [--for SECONDS]
                  [--groups] [--assets DIR] [--jam]

  --listen ADDR    address to listen on, port 0 for any free one (default 127.0.0.1:9898)
  --load RPS       send this many real HTTP requests a second to itself, at most 5000
  --chaos          break something every few seconds: the configuration file, the mailer,
                   the supplier
  --for SECONDS    stop after so many seconds, and say what was broken and healed
  --groups         record into every metric of the catalogue, so that each dashboard has data
  --assets DIR     write the monitoring stack into DIR
  --jam            jam the till, which an alert frees that an Alertmanager delivers to
                   /api/alertmanager; needs SELFHEAL_SERVER__BEARER_TOKEN

Every SELFHEAL_… variable of the environment is obeyed.
";

/// The flags.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Args {
    pub(crate) listen: SocketAddr,
    pub(crate) load: u32,
    pub(crate) chaos: bool,
    pub(crate) stop_after: Option<Duration>,
    pub(crate) groups: bool,
    pub(crate) assets: Option<PathBuf>,
    pub(crate) jam: bool,
}

impl Args {
    /// Reads the flags; `Ok(None)` where help is asked for.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut args = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9898)),
            load: 0,
            chaos: false,
            stop_after: None,
            groups: false,
            assets: None,
            jam: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--listen" => {
                    let text = value()?;
                    args.listen = text.parse().map_err(|_| {
                        format!("--listen {text}: not an address such as 127.0.0.1:9898")
                    })?;
                }
                "--load" => {
                    let text = value()?;
                    args.load = text
                        .parse()
                        .ok()
                        .filter(|rps| *rps <= 5_000)
                        .ok_or_else(|| format!("--load {text}: not a number from 0 to 5000"))?;
                }
                "--for" => {
                    let text = value()?;
                    let seconds: u64 = text
                        .parse()
                        .ok()
                        .filter(|seconds| (1..=86_400).contains(seconds))
                        .ok_or_else(|| {
                            format!("--for {text}: not a number of seconds from 1 to 86400")
                        })?;
                    args.stop_after = Some(Duration::from_secs(seconds));
                }
                "--assets" => args.assets = Some(value()?.into()),
                "--chaos" => args.chaos = true,
                "--groups" => args.groups = true,
                "--jam" => args.jam = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("{word}: there is no such flag")),
            }
        }
        Ok(Some(args))
    }
}
