use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::declare::{RpcKind, RpcMethod};
use super::descriptor::{self, InvalidDescriptorSet};
use super::exclude::Exclude;
use super::layer::{GrpcClientLayer, GrpcLayer};
use super::methods::{Learn, Methods};
use super::metrics::{self, Side};
use super::names::GrpcNames;
use super::protocol::Recorder;
use crate::registry::{DeclareError, Registry};
use crate::trace::{self, Source};
use crate::util::Clock;

/// Builder of a [`GrpcLayer`] or a [`GrpcClientLayer`].
///
/// ```
/// use selfheal::grpc::{GrpcLayer, RpcMethod};
/// use selfheal::registry::Registry;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = GrpcLayer::builder(&Registry::new())
///     .descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)?
///     .service("shop.v1.Orders", [RpcMethod::unary("Place"), RpcMethod::server_streaming("Follow")])
///     .only_declared()
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a layer is created by `build`"]
pub struct GrpcLayerBuilder<L> {
    registry: Registry,
    side: Side,
    names: GrpcNames,
    clock: Clock,
    trace: Source,
    learn: Learn,
    timeout: Option<Duration>,
    declared: BTreeMap<(String, String), Option<RpcKind>>,
    exclude: Exclude,
    on_built: Option<OnBuilt<L>>,
    layer: PhantomData<fn() -> L>,
}

/// A callback for the built layer.
type OnBuilt<L> = Arc<dyn Fn(&L) + Send + Sync>;

impl<L> GrpcLayerBuilder<L> {
    pub(super) fn new(registry: &Registry, side: Side) -> Self {
        Self {
            registry: registry.clone(),
            side,
            names: GrpcNames::default(),
            clock: Clock::system(),
            trace: Source::default(),
            learn: match side {
                Side::Server => Learn::FromAnswers,
                Side::Client => Learn::FromNames,
            },
            timeout: None,
            declared: BTreeMap::new(),
            exclude: Exclude::default(),
            on_built: None,
            layer: PhantomData,
        }
    }

    /// Calls `on_built` with the layer when it is built.
    pub(crate) fn on_built(mut self, on_built: impl Fn(&L) + Send + Sync + 'static) -> Self {
        self.on_built = Some(Arc::new(on_built));
        self
    }

    /// Declares the methods of a service, `package.Service`. Their series exist from the start, at
    /// zero. Default: none.
    pub fn service<M: Into<RpcMethod>>(
        mut self,
        service: &str,
        methods: impl IntoIterator<Item = M>,
    ) -> Self {
        for method in methods {
            let RpcMethod { name, kind } = method.into();
            let key = (service.to_owned(), name.into_owned());
            let known = self.declared.entry(key).or_default();
            *known = kind.or(*known);
        }
        self
    }

    /// Declares every service in an encoded `FileDescriptorSet`, with the kinds of its methods;
    /// server reflection uses the same bytes.
    ///
    /// # Errors
    /// The bytes are no valid descriptor set.
    pub fn descriptor_set(mut self, encoded: &[u8]) -> Result<Self, InvalidDescriptorSet> {
        for service in descriptor::services(encoded)? {
            self = self.service(&service.name, service.methods);
        }
        Ok(self)
    }

    /// Records every undeclared method as `unknown`.
    ///
    /// Default: a server learns a method from the first call that a handler answers with more than
    /// an error, a client from its first call; at most 1,000.
    pub fn only_declared(mut self) -> Self {
        self.learn = Learn::Never;
        self
    }

    /// Excludes calls: they are not counted, timed or active, and have no series, even if declared.
    ///
    /// `grpc.health.v1.Health` matches that service, `grpc.health.v1.Health/Check` that method, and
    /// `grpc.*` every service whose name starts so; `*` matches any text within the name of the
    /// service or the method. A match is excluded whether it is served or not, so a wide pattern
    /// also hides scanners. Other calls do not become slower. Default: none; [the
    /// module](super#what-is-left-out) says why.
    ///
    /// ```
    /// use selfheal::grpc::GrpcLayer;
    /// use selfheal::registry::Registry;
    ///
    /// # fn main() -> Result<(), selfheal::registry::DeclareError> {
    /// let layer = GrpcLayer::builder(&Registry::new())
    ///     .exclude("grpc.health.v1.Health/Check")
    ///     .exclude("grpc.reflection.*")
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn exclude(mut self, pattern: impl AsRef<str>) -> Self {
        self.exclude.add(pattern.as_ref());
        self
    }

    /// Sets the metric names. Default: those of the [catalogue](GrpcNames::Catalog).
    pub fn names(mut self, names: GrpcNames) -> Self {
        self.names = names;
        self
    }

    /// Sets the clock. Default: the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    trace::trace_by!();

    fn methods(self) -> Result<Arc<Methods>, DeclareError> {
        let recorder = Recorder {
            naming: metrics::declare(&self.registry, self.side, self.names)?,
            clock: self.clock,
            trace: self.trace,
            side: self.side,
            timeout: self.timeout,
            traffic: metrics::traffic(&self.registry, self.side, self.names)?,
        };
        let methods = Methods::new(recorder, self.learn, self.exclude);
        for ((service, method), kind) in &self.declared {
            methods.declare(service, method, *kind);
        }
        Ok(Arc::new(methods))
    }
}

impl GrpcLayerBuilder<GrpcLayer> {
    /// Declares the server's own timeout, such as that of `Server::timeout`. The server drops such
    /// a call, which otherwise looks like one whose caller has gone: a call dropped after this time
    /// counts as `DEADLINE_EXCEEDED`. The layer itself enforces no timeout. Default: none; the
    /// caller's `grpc-timeout` is always known.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Declares the metrics and builds the layer.
    ///
    /// # Errors
    /// The registry already has other metrics under the names of the layer.
    pub fn build(self) -> Result<GrpcLayer, DeclareError> {
        let on_built = self.on_built.clone();
        let methods = self.methods()?;
        let layer = GrpcLayer { methods };
        if let Some(on_built) = on_built {
            on_built(&layer);
        }
        Ok(layer)
    }
}

impl GrpcLayerBuilder<GrpcClientLayer> {
    /// Declares the metrics and builds the layer.
    ///
    /// # Errors
    /// The registry already has other metrics under the names of the layer.
    pub fn build(self) -> Result<GrpcClientLayer, DeclareError> {
        let methods = self.methods()?;
        Ok(GrpcClientLayer { methods })
    }
}

impl<L> Clone for GrpcLayerBuilder<L> {
    fn clone(&self) -> Self {
        Self {
            registry: self.registry.clone(),
            side: self.side,
            names: self.names,
            clock: self.clock.clone(),
            trace: self.trace.clone(),
            learn: self.learn,
            timeout: self.timeout,
            declared: self.declared.clone(),
            exclude: self.exclude.clone(),
            on_built: self.on_built.clone(),
            layer: PhantomData,
        }
    }
}

impl<L> fmt::Debug for GrpcLayerBuilder<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcLayerBuilder")
            .field("side", &self.side)
            .field("names", &self.names)
            .field("learn", &self.learn)
            .field("declared", &self.declared)
            .field("exclude", &self.exclude)
            .finish_non_exhaustive()
    }
}
