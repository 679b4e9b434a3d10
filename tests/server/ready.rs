//! Whether the service is ready, while its endpoints have a listener of their own and the
//! application serves, or does not.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use selfheal::config::{Server, Service};
use selfheal::server::Listener;
use selfheal::{Config, Selfheal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ANY;
use crate::support::http::Request;

fn handle(wait: bool) -> (Selfheal, Listener) {
    let config = Config::new()
        .server(Server::new().listen(ANY))
        .service(Service::new("shop").wait_until_serving(wait));
    let heal = Selfheal::new(config).unwrap();
    let listener = heal.listen().unwrap();
    (heal, listener)
}

async fn ask(listener: &Listener, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", listener.address());
    let answer = tokio::task::spawn_blocking(move || Request::get(&url).send().unwrap());
    let answer = answer.await.unwrap();
    (answer.status, answer.text().trim().to_owned())
}

/// The server of an application on a socket of its own, and what ends it in good order.
async fn serve(heal: &Selfheal) -> (JoinHandle<()>, oneshot::Sender<()>) {
    let socket = tokio::net::TcpListener::bind(ANY).await.unwrap();
    let address = socket.local_addr().unwrap();
    let app = Router::new().route("/", get(|| async { "the shop" }));
    let (end, ended) = oneshot::channel::<()>();
    let server = axum::serve(socket, app).with_graceful_shutdown(async {
        let _ = ended.await;
    });
    let heal = heal.clone();
    let task = tokio::spawn(async move { heal.serving(server).await.unwrap() });
    let url = format!("http://{address}/");
    let answer = tokio::task::spawn_blocking(move || Request::get(&url).send().unwrap());
    assert_eq!(answer.await.unwrap().text(), "the shop");
    (task, end)
}

async fn ended(task: JoinHandle<()>) {
    let ended = tokio::time::timeout(Duration::from_secs(10), task).await;
    assert!(ended.is_ok(), "it goes on");
}

const ENDED: &str = "of the application, the server has ended";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_waits_is_ready_while_its_application_serves() {
    let (heal, listener) = handle(true);
    let (status, reason) = ask(&listener, "/readyz").await;
    assert_eq!(status, 503);
    assert!(reason.contains("does not serve yet"), "{reason}");
    assert!(reason.contains("`Selfheal::serving`"), "{reason}");
    let (_, page) = ask(&listener, "/").await;
    assert!(page.contains(
        "Not ready for traffic</b><span class=\"next\">the application does not serve yet"
    ));
    assert!(page.contains("<dt>application server</dt><dd>not started</dd>"));
    assert_eq!(ask(&listener, "/livez").await.0, 200);

    // Normally, by a drop, and by a panic.
    let (task, end) = serve(&heal).await;
    assert_eq!(ask(&listener, "/readyz").await, (200, "ok".to_owned()));
    assert!(
        ask(&listener, "/")
            .await
            .1
            .contains("<dt>application server</dt><dd>runs</dd>")
    );
    end.send(()).unwrap();
    ended(task).await;
    assert_eq!(ask(&listener, "/readyz").await, (503, ENDED.to_owned()));
    assert!(
        ask(&listener, "/")
            .await
            .1
            .contains("<dt>application server</dt><dd>the server has ended</dd>")
    );

    let (task, _end) = serve(&heal).await;
    assert_eq!(
        ask(&listener, "/readyz").await.0,
        200,
        "it was started again"
    );
    task.abort();
    ended(task).await;
    assert_eq!(ask(&listener, "/readyz").await, (503, ENDED.to_owned()));

    let ours = heal.clone();
    let task = tokio::spawn(async move { ours.serving(async { panic!("of the test") }).await });
    ended(task).await;
    assert_eq!(ask(&listener, "/readyz").await, (503, ENDED.to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_servers_each_counts() {
    let (heal, listener) = handle(true);
    let (_one, _end) = serve(&heal).await;
    let (other, end) = serve(&heal).await;
    assert_eq!(ask(&listener, "/readyz").await.0, 200);
    end.send(()).unwrap();
    ended(other).await;
    let reason = "of the application, 1 of 2 servers have ended";
    assert_eq!(ask(&listener, "/readyz").await, (503, reason.to_owned()));
    let _again = serve(&heal).await;
    assert_eq!(ask(&listener, "/readyz").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_does_not_wait_is_ready_at_once_and_says_that_no_server_is_watched() {
    let (heal, listener) = handle(false);
    assert_eq!(ask(&listener, "/readyz").await.0, 200);
    let page = ask(&listener, "/").await.1;
    assert!(
        page.contains("<dt>application server</dt><dd>not watched, see `Selfheal::serving`</dd>"),
        "{page}"
    );
    let (task, end) = serve(&heal).await;
    end.send(()).unwrap();
    ended(task).await;
    assert_eq!(ask(&listener, "/readyz").await, (503, ENDED.to_owned()));
}

#[tokio::test]
async fn a_server_that_is_no_future_opens_the_gate_by_hand() {
    let (heal, listener) = handle(true);
    heal.set_not_ready(Some("warming up"));
    assert_eq!(
        ask(&listener, "/readyz").await,
        (503, "warming up".to_owned())
    );
    heal.set_not_ready(None);
    assert_eq!(ask(&listener, "/readyz").await.0, 200);
}
