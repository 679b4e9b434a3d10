//! A gRPC service with a method of each kind, written straight against tonic's codec: no
//! protoc and no generated code. Its messages are text, and say what it is to do.
//!
//! Not a part of `support`, for it needs the feature `grpc`: take it in with
//! `#[path = "../support/echo.rs"] mod echo;`.

#![allow(
    dead_code,
    reason = "each test file compiles all of this and uses a part of it"
)]
#![allow(
    clippy::panic,
    reason = "these are tests, though clippy only sees those in functions marked #[test]"
)]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Buf};
use tokio::sync::Notify;
use tokio_stream::{Stream, StreamExt};
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tower::{Service, service_fn};

/// `test.Echo`: `Unary`, `Collect` (client streaming), `Repeat` (server streaming) and `Chat`.
///
/// Each message comes back as it is, but `error` fails with `NOT_FOUND`, `panic` panics, and
/// `hang` never ends. `Repeat` takes a number of messages to send, and what to do then:
/// `3 error`.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    /// Notified when a handler hangs.
    pub(crate) hanging: Arc<Notify>,
    /// Notified when a handler that hung is dropped.
    pub(crate) dropped: Arc<Notify>,
}

pub(crate) const ECHO: &str = "test.Echo";

impl NamedService for Echo {
    const NAME: &'static str = ECHO;
}

impl Echo {
    async fn handle(self, message: String) -> Result<String, Status> {
        match message.as_str() {
            "error" => Err(Status::not_found("as it was asked to")),
            "panic" => panic!("as the test wants it"),
            "hang" => {
                let _tell = Tell(self.dropped);
                self.hanging.notify_one();
                std::future::pending().await
            }
            _ => Ok(message),
        }
    }

    async fn collect(self, mut messages: Streaming<String>) -> Result<String, Status> {
        let mut all = String::new();
        while let Some(message) = messages.message().await? {
            all += &self.clone().handle(message).await?;
        }
        Ok(all)
    }

    fn repeat(self, message: &str) -> Messages {
        let (n, then) = message.split_once(' ').unwrap_or((message, ""));
        let numbers = 1..=n.parse::<u32>().unwrap_or_default();
        let end = (!then.is_empty()).then(|| then.to_owned());
        let end = tokio_stream::iter(end).then(move |message| self.clone().handle(message));
        Box::pin(
            tokio_stream::iter(numbers)
                .map(|n| Ok(n.to_string()))
                .chain(end),
        )
    }

    fn chat(self, messages: Streaming<String>) -> Messages {
        Box::pin(messages.then(move |message| {
            let echo = self.clone();
            async move { echo.handle(message?).await }
        }))
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

struct Tell(Arc<Notify>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl<B> Service<http::Request<B>> for Echo
where
    B: Body + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let echo = self.clone();
        let mut grpc = Grpc::new(Text)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/test.Echo/Unary" => {
                    let handler = service_fn(async |message: Request<String>| {
                        let answer = echo.clone().handle(message.into_inner());
                        answer.await.map(Response::new)
                    });
                    grpc.unary(handler, request).await
                }
                "/test.Echo/Collect" => {
                    let handler = service_fn(async |messages: Request<Streaming<String>>| {
                        let answer = echo.clone().collect(messages.into_inner());
                        answer.await.map(Response::new)
                    });
                    grpc.client_streaming(handler, request).await
                }
                "/test.Echo/Repeat" => {
                    let handler = service_fn(async |message: Request<String>| {
                        Ok::<_, Status>(Response::new(echo.clone().repeat(message.get_ref())))
                    });
                    grpc.server_streaming(handler, request).await
                }
                "/test.Echo/Chat" => {
                    let handler = service_fn(async |messages: Request<Streaming<String>>| {
                        Ok::<_, Status>(Response::new(echo.clone().chat(messages.into_inner())))
                    });
                    grpc.streaming(handler, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// The codec: a message is UTF-8 text as it stands.
#[derive(Clone, Copy)]
pub(crate) struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, message: String, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(to, message.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let mut bytes = vec![0; from.remaining()];
        from.copy_to_slice(&mut bytes);
        let message = String::from_utf8(bytes);
        message
            .map(Some)
            .map_err(|_| Status::invalid_argument("a message that is no text"))
    }
}
