//! How an application is built for a tenant.

use std::{fmt, sync::Arc};

use axum::Router;
use tenantry_core::{BoxFuture, Scope};
use tenantry_resource::{BoxError, MakeFn, MakeResource, make_fn};

/// Builds applications with a function: `|scope| async { Ok(router) }`.
///
/// The function may answer with a plain [`Router`], or with an [`App`] that wants to be told when it is closed.
pub struct MakeApp(MakeFn<App>);

impl MakeApp {
    /// Builds with this function.
    pub fn new<F, Fut, A, E>(f: F) -> Self
    where
        F: Fn(Scope) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<A, E>> + Send + 'static,
        A: Into<App>,
        E: Into<BoxError>,
    {
        Self(make_fn(move |scope| {
            let making = f(scope);
            async move { making.await.map(Into::into).map_err(Into::into) }
        }))
    }
}

impl MakeResource for MakeApp {
    type Resource = App;

    fn make(&self, scope: Scope) -> impl Future<Output = Result<App, BoxError>> + Send {
        self.0.make(scope)
    }

    async fn close(&self, app: &App) {
        if let Some(on_close) = &app.on_close {
            on_close().await;
        }
    }
}

impl fmt::Debug for MakeApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MakeApp")
    }
}

/// One tenant's application.
#[derive(Clone)]
pub struct App {
    pub(super) router: Router,
    on_close: Option<Arc<OnClose>>,
}

type OnClose = dyn Fn() -> BoxFuture<'static, ()> + Send + Sync;

impl App {
    /// An application that needs no closing.
    pub const fn new(router: Router) -> Self {
        Self { router, on_close: None }
    }

    /// Runs `f` when the application has answered its last request, and is waited for at shut-down.
    #[must_use]
    pub fn on_close<F, Fut>(mut self, f: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.on_close = Some(Arc::new(move || Box::pin(f())));
        self
    }
}

impl From<Router> for App {
    fn from(router: Router) -> Self {
        Self::new(router)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
