//! What is served over HTTP: whether the bot lives, whether it is ready, and what it counts. Only this room names axum.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use tokio::sync::watch;

use crate::desk::Desk;

/// The desk, once the store is open.
pub type Ready = Arc<OnceLock<Desk>>;

/// Takes the address before anything else is done, so that a taken one is known at once.
pub fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until told to stop.
pub async fn serve(listener: TcpListener, ready: Ready, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let routes = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz));
    let routes = routes.route("/metrics", get(metrics)).with_state(ready);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let stopped = async move {
        // An error means that whoever would say stop is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, routes).with_graceful_shutdown(stopped).await
}

/// `/healthz`: 200 while the process works, whatever else does; how the rest is stands in its lines.
async fn healthz(State(ready): State<Ready>) -> (StatusCode, String) {
    let Some(desk) = ready.get().cloned() else {
        return (StatusCode::OK, "status: starting\nstore: opening\n".to_owned());
    };
    match tokio::task::spawn_blocking(move || desk.health()).await {
        Ok((_, lines)) => (StatusCode::OK, lines.join("\n") + "\n"),
        Err(error) => {
            tracing::error!(%error, "how the bot is could not be worked out");
            (StatusCode::INTERNAL_SERVER_ERROR, "status: broken\n".to_owned())
        }
    }
}

/// `/metrics`: what is counted, in the text format of Prometheus.
async fn metrics(State(ready): State<Ready>) -> (StatusCode, [(HeaderName, &'static str); 1], String) {
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    let Some(desk) = ready.get().cloned() else { return (StatusCode::SERVICE_UNAVAILABLE, kind, String::new()) };
    match tokio::task::spawn_blocking(move || desk.metrics()).await {
        Ok(Ok(text)) => (StatusCode::OK, kind, text),
        Ok(Err(error)) => {
            tracing::error!(%error, "metrics could not be read");
            (StatusCode::INTERNAL_SERVER_ERROR, kind, String::new())
        }
        Err(error) => {
            tracing::error!(%error, "metrics broke");
            (StatusCode::INTERNAL_SERVER_ERROR, kind, String::new())
        }
    }
}

/// `/readyz`: 200 while the record can be read and written, so that questions are answered; how the platforms are is said
/// in words.
async fn readyz(State(ready): State<Ready>) -> (StatusCode, String) {
    let Some(desk) = ready.get().cloned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "opening the store\n".to_owned());
    };
    match desk.store().read_only() {
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store can only be read: {why}\n")),
        None => (StatusCode::OK, format!("ready\nplatforms: {}\n", desk.signs().condition().word())),
    }
}
