//! The bot's end of the socket.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::UnixListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

use super::{Event, MAX_REQUEST, Request, address, carry_out};
use crate::desk::Desk;

/// How many operators are served at once; the others wait.
const CONNECTIONS: usize = 128;
/// An operator who takes nothing for so long is let go.
const UNREAD: Duration = Duration::from_secs(30);

/// The listening socket; dropping it ends every connection and removes it.
pub struct Server {
    task: JoinHandle<()>,
    open: Open,
    path: PathBuf,
}

/// The connections that are open, by number, so that stopping ends them.
type Open = Arc<Mutex<HashMap<u64, UnixStream>>>;

/// Listens in the data directory. Must be called by whoever has the store open: a socket left by a dead process is
/// removed.
pub fn serve(dir: &Path, desk: Desk) -> io::Result<Server> {
    let (path, _keep) = address(dir)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let open = Open::default();
    let task = tokio::spawn(accept(listener, desk, Arc::clone(&open)));
    Ok(Server { task, open, path: dir.join(super::SOCKET) })
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            // It may be closed already.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the control socket was gone already");
        }
    }
}

async fn accept(listener: UnixListener, desk: Desk, open: Open) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    for number in 0.. {
        // Whoever comes when all places are taken waits in the socket's queue. The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = take(stream, number, place, &desk, &open) {
                    tracing::warn!(%error, "an operator could not be connected");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the control socket does not accept");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn take(
    stream: tokio::net::UnixStream,
    number: u64,
    place: OwnedSemaphorePermit,
    desk: &Desk,
    open: &Open,
) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    // The socket's mode says so already; whoever changed that is still refused.
    if peer != 0 && peer != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("user {peer} is not who runs the bot")));
    }
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(UNREAD))?;
    open.lock().unwrap_or_else(PoisonError::into_inner).insert(number, stream.try_clone()?);
    let (desk, open) = (desk.clone(), Arc::clone(open));
    tokio::task::spawn_blocking(move || {
        match catch_unwind(AssertUnwindSafe(|| converse(&stream, &desk))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "an operator went away"),
            Err(_) => tracing::error!("a request of an operator broke"),
        }
        open.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        // It may be closed already.
        let _ = stream.shutdown(std::net::Shutdown::Both);
        drop(place);
    });
    Ok(())
}

/// Carries out requests until the operator hangs up.
fn converse(stream: &UnixStream, desk: &Desk) -> io::Result<()> {
    let mut requests = BufReader::new(stream);
    let mut events = BufWriter::new(stream);
    loop {
        let mut line = String::new();
        if requests.by_ref().take(MAX_REQUEST).read_line(&mut line)? == 0 {
            return Ok(());
        }
        match serde_json::from_str::<Request>(&line) {
            Ok(request) => carry_out(desk, request, &mut |event| tell(&mut events, &event))?,
            Err(error) => {
                tell(&mut events, &Event::Fault(format!("the request is not understood: {error}")))?;
                tell(&mut events, &Event::Done)?;
            }
        }
    }
}

fn tell(events: &mut impl Write, event: &Event) -> io::Result<()> {
    serde_json::to_writer(&mut *events, event)?;
    events.write_all(b"\n")?;
    events.flush()
}
