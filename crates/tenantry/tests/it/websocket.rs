//! WebSockets pass, by path and by host, and see their own tenant.

use axum::{
    Router,
    extract::ws::{Message, WebSocketUpgrade},
    routing::get,
};
use tenantry::Tenancy;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{client_async, tungstenite};

use crate::{deployment::config, setup::register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_reaches_the_tenants_own_application() {
    let folder = tempfile::tempdir().unwrap();
    let tenancy = Tenancy::with(config(folder.path())).await.unwrap();
    register(&tenancy, &["acme"]).await;
    let app = tenancy.dispatch(|scope| async move { Ok::<_, std::io::Error>(greeter(scope.slug().to_string())) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });

    for url in [format!("ws://{address}/t/acme/ws"), format!("ws://acme.localhost:{}/ws", address.port())] {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut socket, _) = client_async(&url, stream).await.unwrap();
        let greeting = next(&mut socket).await;
        assert_eq!(greeting, tungstenite::Message::text("hello from acme"), "{url}");
    }
    server.abort();
}

async fn next(socket: &mut tokio_tungstenite::WebSocketStream<TcpStream>) -> tungstenite::Message {
    use futures_core::Stream;
    let mut socket = std::pin::Pin::new(socket);
    std::future::poll_fn(|cx| socket.as_mut().poll_next(cx)).await.unwrap().unwrap()
}

fn greeter(name: String) -> Router {
    let upgrade = |upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(async move |mut socket| {
            socket.send(Message::text(format!("hello from {name}"))).await.unwrap();
        })
    };
    Router::new().route("/ws", get(upgrade))
}
