//! One application per tenant: the right one, built once, closed in peace, and its failures its own.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get as route,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tenantry_core::{Scope, TenantId};
use tenantry_resource::{Bounds, BoxError, PerTenant, current};
use tenantry_tower::{AdmitLayer, App, Dispatch, EnterLayer, Host, MakeApp, ResolveLayer};
use tower::{Service, ServiceBuilder};

use crate::world::{admission, ask, at_host, code, text};

/// Builds applications that say for whom they were built, and counts.
#[derive(Clone, Default)]
struct Counts {
    built: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

fn app(scope: &Scope, counts: &Counts) -> App {
    let slug = scope.slug().to_string();
    counts.built.fetch_add(1, SeqCst);
    let ambient = || current().map_or_else(|_| "nobody".to_owned(), |scope| scope.slug().to_string());
    let router = Router::new()
        .route("/", route(move || async move { slug }))
        .route("/ambient", route(move || async move { ambient() }))
        .route(
            "/stream",
            route(move || async move {
                let (sender, receiver) = tokio::sync::mpsc::channel::<()>(1);
                drop(sender);
                let parts = tokio_stream::wrappers::ReceiverStream::new(receiver);
                // Evaluated when the body is polled, after the handler is done.
                Body::from_stream(tokio_stream::StreamExt::chain(
                    tokio_stream::StreamExt::map(parts, |()| Ok::<_, Infallible>(Bytes::new())),
                    tokio_stream::StreamExt::map(tokio_stream::once(()), move |()| Ok(Bytes::from(ambient()))),
                ))
            }),
        )
        .route(
            "/panic",
            route(|| async {
                if true {
                    panic!("no luck today")
                }
            }),
        )
        .route("/slow", route(|| async { tokio::time::sleep(Duration::from_secs(60)).await }));
    let closed = Arc::clone(&counts.closed);
    App::new(router).on_close(move || {
        let closed = Arc::clone(&closed);
        async move {
            closed.fetch_add(1, SeqCst);
        }
    })
}

fn service<F, Fut>(
    make: F,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
where
    F: Fn(Scope) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<App, BoxError>> + Send + 'static,
{
    stack(PerTenant::new(MakeApp::new(make), Bounds::default()))
}

fn stack(
    apps: PerTenant<MakeApp>,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static {
    ServiceBuilder::new()
        .layer(ResolveLayer::new(Host::new().under("example.com")))
        .layer(AdmitLayer::new(admission()))
        .layer(EnterLayer::new())
        .service(Dispatch::new(apps))
}

#[tokio::test]
async fn each_tenant_reaches_its_own_within_its_scope() {
    let counts = Counts::default();
    let counted = counts.clone();
    let service = service(move |scope| std::future::ready(Ok(app(&scope, &counted))));
    for slug in ["acme", "globex", "acme"] {
        for path in ["/", "/ambient", "/stream"] {
            let response = ask(&service, at_host(&format!("{slug}.example.com"), path)).await;
            assert_eq!(text(response).await.1, slug, "{path}");
        }
    }
    assert_eq!(counts.built.load(SeqCst), 2);
}

#[tokio::test]
async fn a_hundred_thousand_forged_hosts_build_nothing() {
    let counts = Counts::default();
    let counted = counts.clone();
    let apps = PerTenant::new(
        MakeApp::new(move |scope: Scope| std::future::ready(Ok::<_, BoxError>(app(&scope, &counted)))),
        Bounds::default(),
    );
    let service = stack(apps.clone());
    for n in 0..100_000 {
        let response = ask(&service, at_host(&format!("forged-{n}.example.com"), "/")).await;
        assert_eq!(code(&response), "tenant_unknown");
    }
    assert_eq!((apps.len(), counts.built.load(SeqCst)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_fails_hangs_or_panics_hurts_its_tenant_alone() {
    let counts = Counts::default();
    type Fails = fn() -> Result<(), BoxError>;
    let cases: [(Fails, &str); 2] =
        [(|| Err("no such file: /srv/acme.db".into()), "instance_failed"), (|| panic!("oh"), "instance_failed")];
    for (fails, expected) in cases {
        let counted = counts.clone();
        let service = service(move |scope| {
            let counted = counted.clone();
            async move {
                if scope.slug().as_str() == "acme" {
                    fails()?;
                }
                Ok(app(&scope, &counted))
            }
        });
        let refused = ask(&service, at_host("acme.example.com", "/")).await;
        assert_eq!((refused.status().as_u16(), code(&refused)), (503, expected));
        assert_eq!(refused.headers()["retry-after"], "1");
        let (_, body) = text(refused).await;
        assert!(!body.contains("/srv"), "the cause is for the log: {body}");
        assert_eq!(text(ask(&service, at_host("globex.example.com", "/")).await).await.1, "globex");
    }

    let hangs = service(|scope| async move {
        if scope.slug().as_str() == "acme" {
            std::future::pending::<()>().await;
        }
        Ok(app(&scope, &Counts::default()))
    });
    let (refused, served) =
        tokio::join!(ask(&hangs, at_host("acme.example.com", "/")), ask(&hangs, at_host("globex.example.com", "/")));
    assert_eq!((refused.status().as_u16(), code(&refused)), (503, "instance_timeout"));
    assert_eq!(text(served).await.1, "globex");
}

#[tokio::test]
async fn a_handler_that_panics_fails_that_request_alone() {
    let service = service(move |scope| std::future::ready(Ok(app(&scope, &Counts::default()))));
    let failed = ask(&service, at_host("acme.example.com", "/panic")).await;
    assert_eq!((failed.status().as_u16(), code(&failed)), (500, "instance_panicked"));
    assert!(!text(failed).await.1.contains("luck"));
    assert_eq!(text(ask(&service, at_host("acme.example.com", "/")).await).await.1, "acme");
}

#[tokio::test(start_paused = true)]
async fn an_evicted_application_answers_first() {
    let counts = Counts::default();
    let counted = counts.clone();
    let apps = PerTenant::new(
        MakeApp::new(move |scope: Scope| std::future::ready(Ok::<_, BoxError>(app(&scope, &counted)))),
        Bounds::default(),
    );
    let service = stack(apps.clone());
    let streaming = ask(&service, at_host("acme.example.com", "/stream")).await;
    let mut slow = tokio::task::JoinSet::new();
    slow.spawn({
        let service = service.clone();
        async move { ask(&service, at_host("acme.example.com", "/slow")).await.status() }
    });
    tokio::task::yield_now().await;
    apps.evict(TenantId::new(1));

    assert_eq!(slow.join_all().await, [200]);
    assert_eq!(counts.closed.load(SeqCst), 0, "a body is still to be sent");
    assert_eq!(streaming.into_body().collect().await.unwrap().to_bytes(), "acme");
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(counts.closed.load(SeqCst), 1);
    assert_eq!(text(ask(&service, at_host("acme.example.com", "/")).await).await.1, "acme");
    assert_eq!(counts.built.load(SeqCst), 2);
}
