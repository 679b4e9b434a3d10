//! The shop itself: a catalogue read from a file, orders, and mail about them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::mailer::Mail;
use crate::supplier::Suppliers;
use crate::till::Till;

/// The content of `shop.toml` when the shop opens.
pub(crate) const SHOP_TOML: &str = "\
currency = \"EUR\"

[prices]
apple = 40
bread = 320
cheese = 780
coffee = 1150
";

/// The configuration file, parsed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Catalogue {
    currency: String,
    /// Cents by article.
    prices: HashMap<String, u32>,
}

/// Parses `shop.toml`; the file guard validates the file with it.
pub(crate) fn parse(bytes: &[u8]) -> Result<Catalogue, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let catalogue: Catalogue = toml::from_str(text).map_err(|error| error.to_string())?;
    if catalogue.prices.is_empty() {
        return Err("there is nothing for sale".to_owned());
    }
    Ok(catalogue)
}

#[derive(Clone, Serialize)]
struct Order {
    id: u64,
    sku: String,
    pieces: u32,
    cents: u64,
}

#[derive(Deserialize)]
struct NewOrder {
    sku: String,
    pieces: u32,
}

/// The state of the shop.
pub(crate) struct Shop {
    catalogue: RwLock<Catalogue>,
    /// The newest orders; the oldest go when there are too many.
    orders: Mutex<HashMap<u64, Order>>,
    next: AtomicU64,
    mail: mpsc::Sender<Mail>,
    pub(crate) suppliers: Arc<Suppliers>,
    pub(crate) till: Arc<Till>,
}

const ORDERS_KEPT: u64 = 10_000;

impl Shop {
    pub(crate) fn new(
        catalogue: Catalogue,
        mail: mpsc::Sender<Mail>,
        suppliers: Arc<Suppliers>,
    ) -> Self {
        Self {
            catalogue: RwLock::new(catalogue),
            orders: Mutex::default(),
            next: AtomicU64::new(1),
            mail,
            suppliers,
            till: Arc::default(),
        }
    }

    /// Takes over a catalogue that was read from the file.
    pub(crate) fn reload(&self, catalogue: Catalogue) {
        *self
            .catalogue
            .write()
            .unwrap_or_else(PoisonError::into_inner) = catalogue;
    }

    fn price(&self, sku: &str) -> Option<u32> {
        let catalogue = self
            .catalogue
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        catalogue.prices.get(sku).copied()
    }
}

/// The routes of the shop.
pub(crate) fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/catalogue", get(catalogue))
        .route("/catalogue/{sku}/stock", get(stock))
        .route("/orders", post(order))
        .route("/orders/{id}", get(show))
        .with_state(shop)
}

async fn catalogue(State(shop): State<Arc<Shop>>) -> Json<Catalogue> {
    Json(
        shop.catalogue
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
    )
}

async fn stock(
    State(shop): State<Arc<Shop>>,
    Path(sku): Path<String>,
) -> Result<Json<u32>, (StatusCode, String)> {
    if shop.price(&sku).is_none() {
        return Err((StatusCode::NOT_FOUND, "we do not sell that\n".to_owned()));
    }
    match shop.suppliers.stock(&sku).await {
        Ok(pieces) => Ok(Json(pieces)),
        Err(error) => Err((StatusCode::BAD_GATEWAY, format!("{error}\n"))),
    }
}

async fn order(
    State(shop): State<Arc<Shop>>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), (StatusCode, &'static str)> {
    let price = shop
        .price(&new.sku)
        .ok_or((StatusCode::NOT_FOUND, "we do not sell that\n"))?;
    if shop.till.is_jammed() {
        return Err((StatusCode::SERVICE_UNAVAILABLE, "the till is jammed\n"));
    }
    if !(1..=100).contains(&new.pieces) {
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "from 1 to 100 pieces\n"));
    }
    let id = shop.next.fetch_add(1, Ordering::Relaxed);
    let order = Order {
        id,
        cents: u64::from(price) * u64::from(new.pieces),
        sku: new.sku,
        pieces: new.pieces,
    };
    {
        let mut orders = shop.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.insert(id, order.clone());
        orders.remove(&id.saturating_sub(ORDERS_KEPT));
    }
    // A mailer that is down must not prevent purchases: the mail is dropped, and counted by the
    // mailer.
    let _ = shop.mail.try_send(Mail::Confirmation(id));
    Ok((StatusCode::CREATED, Json(order)))
}

async fn show(
    State(shop): State<Arc<Shop>>,
    Path(id): Path<u64>,
) -> Result<Json<Order>, StatusCode> {
    let orders = shop.orders.lock().unwrap_or_else(PoisonError::into_inner);
    orders
        .get(&id)
        .cloned()
        .map(Json)
        .ok_or(StatusCode::NOT_FOUND)
}
