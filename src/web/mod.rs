//! What is served over HTTP: for now, whether the bot lives and whether it is ready. Only this room names axum.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
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
    let routes = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(ready);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let stopped = async move {
        // An error means that whoever would say stop is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, routes).with_graceful_shutdown(stopped).await
}

/// `/healthz`: 200 while the process works, with its state in words; 503 if it can only read.
async fn healthz(State(ready): State<Ready>) -> (StatusCode, String) {
    match ready.get() {
        None => (StatusCode::OK, "store: opening\n".to_owned()),
        Some(desk) => {
            let (well, lines) = desk.health();
            let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, lines.join("\n") + "\n")
        }
    }
}

/// `/readyz`: 200 once questions can be answered.
async fn readyz(State(ready): State<Ready>) -> (StatusCode, &'static str) {
    match ready.get() {
        Some(_) => (StatusCode::OK, "ready\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "opening the store\n"),
    }
}
