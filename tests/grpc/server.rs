//! Every call a server answers is recorded once, in the right series, with its messages.

use tokio_stream::StreamExt;
use tonic::Code;

use crate::wire::{Server, all, by_hand};

fn words(n: usize) -> impl tokio_stream::Stream<Item = String> {
    tokio_stream::iter((0..n).map(|n| format!("word {n}")))
}

#[tokio::test]
async fn unary() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for _ in 0..2 {
        let answer = client.unary("hello".to_owned()).await.unwrap();
        assert_eq!(answer.into_inner(), "hello");
    }
    server.assert_counted(&[("test.Echo Unary OK", 2)]);
    server.assert_messages(&[("test.Echo Unary", 2)], &[("test.Echo Unary", 2)]);
}

#[tokio::test]
async fn a_handler_that_returns_an_error() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.unary("hello".to_owned()).await.unwrap();
    let error = client.unary("error".to_owned()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    server.assert_counted(&[("test.Echo Unary NOT_FOUND", 1), ("test.Echo Unary OK", 1)]);
    server.assert_messages(&[("test.Echo Unary", 2)], &[("test.Echo Unary", 1)]);
}

#[tokio::test]
async fn client_streaming() {
    let server = Server::start().await;
    let answer = server.client().await.collect(words(5)).await.unwrap();
    assert_eq!(answer.into_inner().len(), 5 * "word 1".len());
    server.assert_counted(&[("test.Echo Collect OK", 1)]);
    server.assert_messages(&[("test.Echo Collect", 5)], &[("test.Echo Collect", 1)]);
}

#[tokio::test]
async fn server_streaming() {
    let server = Server::start().await;
    let stream = server.client().await.repeat("4").await.unwrap();
    assert_eq!(all(stream).await.unwrap(), ["1", "2", "3", "4"]);
    server.assert_counted(&[("test.Echo Repeat OK", 1)]);
    server.assert_messages(&[("test.Echo Repeat", 1)], &[("test.Echo Repeat", 4)]);
}

#[tokio::test]
async fn both_streaming() {
    let server = Server::start().await;
    let stream = server.client().await.chat(words(3)).await.unwrap();
    assert_eq!(all(stream).await.unwrap().len(), 3);
    server.assert_counted(&[("test.Echo Chat OK", 1)]);
    server.assert_messages(&[("test.Echo Chat", 3)], &[("test.Echo Chat", 3)]);
}

#[tokio::test]
async fn an_error_in_the_trailers_after_messages() {
    let server = Server::start().await;
    let stream = server.client().await.repeat("2 error").await.unwrap();
    assert_eq!(all(stream).await.unwrap_err().code(), Code::NotFound);
    server.assert_counted(&[("test.Echo Repeat NOT_FOUND", 1)]);
    server.assert_messages(&[("test.Echo Repeat", 1)], &[("test.Echo Repeat", 2)]);
}

#[tokio::test]
async fn messages_are_counted_while_the_call_goes_on() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let (sender, messages) = by_hand();
    let mut answers = client.chat(messages).await.unwrap();
    assert!(server.counted().is_empty(), "headers are not the end");
    assert_eq!(server.active(), 1);
    for n in 1..=3 {
        sender.send("hello".to_owned()).unwrap();
        answers.next().await.unwrap().unwrap();
        server.assert_messages(&[("test.Echo Chat", n)], &[("test.Echo Chat", n)]);
    }
    drop(sender);
    assert!(answers.next().await.is_none());
    server.assert_counted(&[("test.Echo Chat OK", 1)]);
}
