//! A small shop that measures itself and heals: orders, a catalogue read from a file, two
//! suppliers, a background mailer, and a chaos monkey that breaks them.
//!
//! `cargo run --release --example storefront -- --help`

mod args;
mod assets;
mod chaos;
mod groups;
mod healing;
mod load;
mod mailer;
mod rules;
mod shop;
mod summary;
mod supplier;
mod till;
mod timeline;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use selfheal::Selfheal;
use selfheal::config::{Access, Accesses, Config, Loader, Server, Service};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::args::{Args, USAGE};
use crate::chaos::Monkey;
use crate::mailer::MailMetrics;
use crate::shop::{SHOP_TOML, Shop};
use crate::supplier::{SupplierMetrics, Suppliers};

/// The mails that may wait; further ones are dropped rather than slow the shop down.
const MAILS: usize = 1_000;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprint!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("storefront: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("storefront: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the shop; whether all that was broken is healed and the numbers add up.
async fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}; try --listen 127.0.0.1:0",
            args.listen
        )
    })?;
    let address = listener.local_addr()?;
    let heal = selfheal::install(config(args, address)?)?;

    mailer::print_own_panic_in_one_line();
    heal.built_from(selfheal::build_info!())?;

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.toml");
    tokio::fs::write(&file, SHOP_TOML).await?;

    let suppliers = Arc::new(Suppliers::start().await?);
    let (mail, queue) = mpsc::channel(MAILS);
    let catalogue = shop::parse(SHOP_TOML.as_bytes())?;
    let shop = Arc::new(Shop::new(catalogue, mail.clone(), Arc::clone(&suppliers)));

    let till = Arc::clone(&shop.till);
    healing::guard_catalogue(&heal, &file, &shop)?;
    healing::supervise_mailer(
        &heal,
        Arc::new(Mutex::new(queue)),
        heal.registry().group::<MailMetrics>()?,
    )?;
    healing::say_what_they_carry(&heal);

    let app = Router::new()
        .merge(shop::routes(shop))
        .merge(heal.router())
        .layer(heal.http_layer());
    // Their series must be declared before the rules that read them.
    heal.registry().group::<SupplierMetrics>()?;
    let alerts = folder.path().join("alerts.yml");
    tokio::fs::write(&alerts, rules::ALERTS_YML).await?;
    let acted = rules::heal_by_alerts(&heal, &alerts, &suppliers)?;
    tokio::spawn(Arc::clone(&suppliers).probe());
    if args.jam {
        till::heal_by_alertmanager(&heal, &till)?;
        till.jam();
    }
    let recorded = args.groups.then(|| groups::start(&heal)).transpose()?;
    if let Some(folder) = &args.assets {
        assets::write(&heal, folder)?;
    }
    announce(address);

    let (close, closed) = watch::channel(false);
    let server = tokio::spawn(serve(listener, app, closed));
    let tally = Arc::new(load::Tally::default());
    let customers =
        (args.load > 0).then(|| tokio::spawn(load::run(address, args.load, Arc::clone(&tally))));
    let memory = Arc::new(summary::Memory::default());
    let watching = Arc::clone(&memory);
    let watch = tokio::spawn(async move { watching.watch(address).await });
    let ends = args.stop_after.map(|after| Instant::now() + after);
    let monkey = Arc::new(Monkey::new(
        heal.clone(),
        &file,
        mail,
        Arc::clone(&suppliers),
    ));
    let chaos = args.chaos.then(|| {
        // The last fault has time to heal before the end.
        let until =
            ends.map(|ends| ends - chaos::LEAD.min(args.stop_after.unwrap_or_default() / 2));
        let monkey = Arc::clone(&monkey);
        tokio::spawn(async move { monkey.run(until).await })
    });

    match ends {
        Some(ends) => tokio::select! {
            () = sleep_until(ends) => {}
            signal = tokio::signal::ctrl_c() => signal?,
        },
        None => tokio::signal::ctrl_c().await?,
    }
    if let Some(chaos) = chaos {
        chaos.abort();
        suppliers.calm();
    }
    if let Some(customers) = customers {
        customers.abort();
        tally.settle().await;
    }
    if let Some(recorded) = recorded {
        recorded.abort();
    }
    healing::wait_until_well(&heal).await;
    watch.abort();
    let well = summary::print(address, &monkey.broken, &tally, &memory).await;
    timeline::print(&heal, &monkey.broken, &acted).await;
    close.send_replace(true);
    server.await??;
    shut_down(heal).await;
    Ok(well)
}

fn announce(address: SocketAddr) {
    println!("listening on http://{address}");
    for path in [
        "/",
        "/metrics",
        "/health",
        "/livez",
        "/readyz",
        "/catalogue",
    ] {
        println!("  http://{address}{path}");
    }
}

/// The settings of the code, overridden by the environment.
fn config(args: &Args, address: SocketAddr) -> Result<Config, Box<dyn Error>> {
    // Reading is open to anyone here; commands need the token.
    let open = Accesses::new()
        .metrics(Access::Open)
        .health(Access::Open)
        .page(Access::Open)
        .api(Access::Open);
    let config = Config::new()
        .namespace("shop")
        .global_label("env", "demo")
        .service(Service::new("storefront").version(env!("CARGO_PKG_VERSION")))
        // The shop has no routes of its own there.
        .server(Server::new().page_path("/").access(open))
        .assets(assets::of(args, address))
        .healing(healing::policy());
    let config = Loader::new().base(config).env(std::env::vars_os()).load()?;
    if args.jam && config.server.bearer_token.is_none() {
        return Err(
            "--jam needs SELFHEAL_SERVER__BEARER_TOKEN, the token of the Alertmanager".into(),
        );
    }
    Ok(config)
}

async fn serve(
    listener: TcpListener,
    app: Router,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let stop = async move {
        // An error means that the sender is gone, which ends the shop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await
}

async fn shut_down(heal: Selfheal) {
    heal.shutdown().await;
}
