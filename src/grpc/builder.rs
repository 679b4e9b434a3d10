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

/// Sets up a [`GrpcLayer`] or a [`GrpcClientLayer`].
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
#[must_use = "a layer is made by `build`"]
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

/// Whoever wants to know of a layer that was built.
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

    /// Declares the methods of a service, `package.Service`. Their series exist from the start,
    /// at zero. Default: none is declared.
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

    /// Declares every service in an encoded `FileDescriptorSet`, with the kinds of its methods:
    /// the bytes that server reflection takes as well.
    ///
    /// # Errors
    /// The bytes are no descriptor set.
    pub fn descriptor_set(mut self, encoded: &[u8]) -> Result<Self, InvalidDescriptorSet> {
        for service in descriptor::services(encoded)? {
            self = self.service(&service.name, service.methods);
        }
        Ok(self)
    }

    /// Records every method that was not declared as `unknown`.
    ///
    /// Default: a server learns a method from the first call of it that a handler answered
    /// with more than an error, and a client from the first call it makes; 1,000 at most.
    pub fn only_declared(mut self) -> Self {
        self.learn = Learn::Never;
        self
    }

    /// Leaves calls alone: they are not counted, timed or active, and have no series, not even
    /// where they are declared.
    ///
    /// `grpc.health.v1.Health` is that service, `grpc.health.v1.Health/Check` that method, and
    /// `grpc.*` every service whose name starts so; a `*` stands for any text within the name of
    /// the service or that of the method. What fits is left alone whether it is served or
    /// not, so that a wide pattern hides scanners, too. No other call gets dearer by it. Default:
    /// none, for the reasons in [the module](super#what-is-left-out).
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

    /// Records under these names. Default: those of the [catalogue](GrpcNames::Catalog).
    pub fn names(mut self, names: GrpcNames) -> Self {
        self.names = names;
        self
    }

    /// Takes the time from this clock. Default: that of the machine.
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
    /// Sets the time-out that the server has of its own, that of `Server::timeout` for example. The
    /// server drops such a call, which cannot be distinguished from a caller who has gone except
    /// by this: what is dropped so long after its start has exceeded its deadline. Nothing is
    /// timed out by this. Default: none but the caller's `grpc-timeout`, which is always known.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Declares the metrics and makes the layer.
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
    /// Declares the metrics and makes the layer.
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
