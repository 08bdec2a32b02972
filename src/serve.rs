//! The only file that knows all rooms: opens, starts, waits, and stops in order.

mod tools;

use std::{
    io::{self, IsTerminal, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use commands::kit::Role;
use indicatif::{ProgressBar, ProgressStyle};
use record::{
    lang::Lang,
    store::{Less, OpenError, Options, Store},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};

use crate::{
    alarms, backups, bundled,
    cli::{Cli, Command},
    config::{self, LogFormat, Settings},
    console::{self, End, Session},
    control::{self, Link},
    desk::{Desk, Manners, Undone},
    discord,
    dispatch::{
        Dispatch, Running, Setup,
        office::{Rules, Unsure},
        pace::Limits,
    },
    reminders, telegram, transport, watchman, web,
};

/// Everything is over this long after it was told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(8);
/// What is still at work after that is left.
const LEFTOVERS: Duration = Duration::from_millis(500);
/// How many pushes may be under way on Discord: 50 a second, each a second long at worst.
const DISCORD_IN_FLIGHT: usize = 50;

/// Does what the command line says; the process's exit code.
pub fn execute(cli: Cli) -> ExitCode {
    let env = std::env::vars_os();
    let settings = match config::load(cli.config.as_deref(), cli.data.as_deref(), env, &bundled::names()) {
        Ok(settings) => Settings { accept_less: cli.accept_less, accept_clock: cli.accept_clock, ..settings },
        Err(fault) => {
            complain(&fault);
            return ExitCode::from(2);
        }
    };
    start_log(&settings);
    let done = match cli.command.unwrap_or(Command::Run) {
        Command::Run => run(settings),
        Command::Console { role, lang } => tools::console(&settings, role.into(), lang.into()),
        Command::Import { push, files } => tools::import(&settings, &files, push),
        Command::Export { incident, format } => tools::export(&settings, incident, format),
        Command::Check { mend } => tools::check(&settings, mend),
        Command::Backup { dir } => tools::backup(&settings, &dir),
        Command::Restore { backup } => tools::restore(&settings, &backup),
        Command::Compact => tools::compact(&settings).map_err(Stop::from),
        Command::Deliveries { retry } => tools::deliveries(&settings, retry),
        Command::Health => tools::health(&settings).map_err(Stop::from),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Less(less)) => {
            complain(&less);
            ExitCode::from(LESS)
        }
        Err(Stop::Undone(Undone(why))) => {
            if !why.is_empty() {
                complain(&why);
            }
            ExitCode::FAILURE
        }
    }
}

/// The exit code where less is there than the last backup, or the last start, knew.
const LESS: u8 = 3;

/// Why a command came to nothing.
enum Stop {
    /// Less is there than there should be.
    Less(Box<Less>),
    /// Something else, in words.
    Undone(Undone),
}

impl From<Undone> for Stop {
    fn from(undone: Undone) -> Stop {
        Stop::Undone(undone)
    }
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Stop {
        match error {
            OpenError::Less(less) => Stop::Less(less),
            other => Stop::Undone(Undone(other.to_string())),
        }
    }
}

type Done = Result<(), Undone>;
type Ended = Result<(), Stop>;

/// Tells the person at the terminal what is wrong; a closed standard error has nobody to tell.
fn complain(what: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "strillone: {what}");
}

/// Prints a line; a standard output that takes nothing is a failure like any other.
fn tell(line: impl std::fmt::Display) -> Done {
    writeln!(io::stdout(), "{line}").map_err(undone("standard output"))
}

fn undone(what: impl Into<String>) -> impl FnOnce(io::Error) -> Undone {
    let what = what.into();
    move |error| Undone(format!("{what}: {error}"))
}

fn start_log(settings: &Settings) {
    // serenity tells whole requests at info: it speaks up only when asked for by name.
    let quiet = if settings.log.filter.contains("serenity") { "" } else { ",serenity=warn" };
    let filter = format!("{}{quiet}", settings.log.filter);
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(filter.trim_start_matches(','));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match settings.log.format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
}

/// What a command wants of the store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    /// To read it, even if less is there than there should be: then nothing is recorded.
    Read,
    /// To add to it, or to go by it.
    Write,
}

/// Opens the store, and tells in the log what was mended.
fn open(settings: &Settings, want: Want) -> Result<Desk, OpenError> {
    let manners = Manners::of(settings);
    let options = Options { disk: manners.gauge.clone(), ..options(settings) };
    let options = match want {
        Want::Read => Options { read_less: true, accept_less: false, ..options },
        Want::Write => options,
    };
    let bar = bar("folding the journal");
    let opened = Store::open(options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let store = opened?;
    for note in store.notes() {
        tracing::warn!("{note}");
    }
    if let Some(reason) = store.read_only() {
        tracing::error!(reason, "the store can only be read");
    }
    Ok(Desk::new(Arc::new(store), manners))
}

/// A progress bar on standard error; hidden where that is no terminal.
fn bar(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style).with_message(what.to_owned())
}

fn options(settings: &Settings) -> Options {
    let it = &settings.store;
    Options {
        cache_bytes: it.cache_mb << 20,
        reserve: it.reserve_mb << 20,
        backups: Some(settings.backups()),
        accept_less: settings.accept_less,
        accept_clock: settings.accept_clock,
        ..Options::new(&it.path)
    }
}

fn load_bundled(desk: &Desk, settings: &Settings) -> Result<Vec<String>, Undone> {
    if desk.store().read_only().is_some() {
        return Ok(Vec::new());
    }
    desk.load_bundled(&settings.record.bundled)
}

fn run(settings: Settings) -> Ended {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(undone("starting"))?;
    let terminal = Terminal::now();
    let done = runtime.block_on(serve(settings));
    // Everything that matters was waited for; what is left sits in a prompt, or waits for an operator.
    runtime.shutdown_timeout(LEFTOVERS);
    terminal.restore();
    done
}

async fn serve(settings: Settings) -> Ended {
    let mut terminate = signal(SignalKind::terminate()).map_err(undone("listening for SIGTERM"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(undone("listening for Ctrl-C"))?;
    let (stop, stopping) = watch::channel(false);
    let ready = web::Ready::default();
    let web =
        listen(&settings)?.map(|listener| tokio::spawn(web::serve(listener, Arc::clone(&ready), stopping.clone())));
    let settings = Arc::new(settings);
    let opening = Arc::clone(&settings);
    let opened = tokio::task::spawn_blocking(move || -> Result<(Desk, Vec<String>), Stop> {
        let desk = open(&opening, Want::Write)?;
        let loaded = load_bundled(&desk, &opening)?;
        Ok((desk, loaded))
    });
    let (desk, loaded) = tokio::select! {
        opened = opened => opened.map_err(|error| Undone(error.to_string()))??,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let control = control::serve(&settings.store.path, desk.clone()).map_err(undone("making the control socket"))?;
    // The first to set it is this line; nobody else does.
    let _ = ready.set(desk.clone());
    if let Err(Undone(why)) = introduce(&settings, &desk, &loaded, web.is_some()) {
        tracing::warn!(why, "nobody could be told what is on and what is off");
    }
    if let Err(Undone(why)) = offer_ownership(&settings, &desk) {
        tracing::warn!(why, "nobody could be told how to become the owner");
    }
    let (dispatch, office) = start_dispatch(&settings, &desk)?;
    let mut doors = open_doors(&settings, &desk, &dispatch, &stopping);
    let mut company = JoinSet::new();
    company.spawn(reminders::watch(desk.clone(), stopping.clone()));
    company.spawn(watchman::watch(desk.clone(), stopping.clone()));
    company.spawn(backups::watch(desk.clone(), settings.backups(), settings.backup.keep, stopping.clone()));
    let mut chat = offer_chat(desk.clone(), settings.record.lang);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            Some(shut) = doors.join_next() => if let Err(error) = shut {
                tracing::error!(%error, "a door broke; the others go on");
            },
            end = &mut chat => {
                if over(end) {
                    break;
                }
                chat = tokio::task::spawn(std::future::pending());
            }
        }
    }
    tracing::info!("stopping");
    let until = tokio::time::Instant::now() + STOP_WITHIN;
    drop(control);
    // Nobody may be listening for it any more.
    let _ = stop.send(true);
    let all = async {
        while doors.join_next().await.is_some() {}
        while let Some(ended) = company.join_next().await {
            if let Err(error) = ended {
                tracing::warn!(%error, "what looks after the bot ended with an error");
            }
        }
    };
    if tokio::time::timeout_at(until - STOP_WITHIN / 3, all).await.is_err() {
        tracing::warn!("a door did not close in time");
    }
    // What is under way is waited for, so that as little as can be is of unknown fate.
    let closed = tokio::task::spawn_blocking(move || office.stop());
    if tokio::time::timeout_at(until - STOP_WITHIN / 8, closed).await.is_err() {
        tracing::warn!("messages under way did not come back in time; the next start looks after them");
    }
    if let Some(web) = web {
        match tokio::time::timeout_at(until - STOP_WITHIN / 4, web).await {
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the web pages ended with an error"),
            Ok(Err(error)) => tracing::warn!(%error, "the web pages broke"),
            Ok(Ok(Ok(()))) | Err(_) => {}
        }
    }
    let synced = tokio::task::spawn_blocking(move || desk.store().sync());
    match tokio::time::timeout_at(until, synced).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::warn!(%error, "the state could not be flushed; the journal holds everything"),
        Ok(Err(_)) | Err(_) => tracing::warn!("the state was not flushed in time; the journal holds everything"),
    }
    Ok(())
}

/// Opens dispatch: what waits leaves once a door is open.
fn start_dispatch(settings: &Settings, desk: &Desk) -> Result<(Dispatch, Running), Undone> {
    let it = &settings.delivery;
    let setup = Setup {
        rules: Rules {
            zone: settings.record.timezone,
            unsure: if it.repeat_unsure { Unsure::Repeat } else { Unsure::Hold },
            telegram_in_flight: it.telegram_in_flight as usize,
            discord_in_flight: DISCORD_IN_FLIGHT,
            keep: i64::from(it.keep_days) * 24 * 3_600_000,
        },
        telegram: Limits::telegram(it.telegram_per_second, it.telegram_per_group_minute),
        discord: Limits::discord(it.discord_per_second, it.discord_invalid_limit as usize),
    };
    let told = desk.clone();
    let tell = move |word| {
        if let Some(alert) = alarms::alert(word) {
            told.signs().alert(alert);
        }
    };
    let started = Dispatch::start(Arc::clone(desk.store()), setup, tokio::runtime::Handle::current(), tell);
    let (dispatch, running) = started.map_err(|error| Undone(format!("opening the ledger: {error}")))?;
    desk.set_dispatch(dispatch.clone());
    Ok((dispatch, running))
}

/// Opens the door to every platform whose token is set.
fn open_doors(settings: &Settings, desk: &Desk, dispatch: &Dispatch, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut doors = JoinSet::new();
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let served = settings.telegram.token.is_some() || settings.discord.token.is_some();
    if let Some(name) = transport::variable(is_set).filter(|_| served && settings.telegram.proxy.is_none()) {
        tracing::warn!(
            "{name} does not count here: to go through a proxy, set network.proxy or STRILLONE_NETWORK__PROXY"
        );
    }
    if settings.telegram.token.is_some() {
        doors.spawn(telegram::serve(settings.telegram.clone(), desk.clone(), dispatch.clone(), stop.clone()));
    }
    if settings.discord.token.is_some() {
        doors.spawn(discord::serve(settings.discord.clone(), desk.clone(), dispatch.clone(), stop.clone()));
    }
    doors
}

/// Whether the end of the chat in the terminal is the end of the bot.
fn over(end: Result<io::Result<End>, tokio::task::JoinError>) -> bool {
    match end {
        Ok(Ok(End::Interrupted)) => return true,
        Ok(Ok(End::Input)) => tracing::info!("the chat in the terminal is over; the bot goes on, Ctrl-C stops it"),
        Ok(Err(error)) => tracing::warn!(%error, "the chat in the terminal ended; the bot goes on"),
        Err(error) => tracing::error!(%error, "the chat in the terminal broke; the bot goes on"),
    }
    false
}

/// The web's listener; none if it is off, or the default port is taken.
fn listen(settings: &Settings) -> Result<Option<std::net::TcpListener>, Undone> {
    let Some(listen) = settings.web.listen else { return Ok(None) };
    match web::bind(listen) {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if !settings.web.chosen && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(
                "{listen} is taken by another program: the web pages are off (web.listen chooses another address)"
            );
            Ok(None)
        }
        Err(error) => Err(Undone(format!("web.listen: {listen} cannot be used: {error}"))),
    }
}

/// Says in a few lines what is on, what is off, and which setting turns it on.
fn introduce(settings: &Settings, desk: &Desk, loaded: &[String], web: bool) -> Done {
    let mut lines = vec![format!("Strillone {}", env!("CARGO_PKG_VERSION"))];
    let commit = desk.store().head().commit;
    lines.push(format!("  store     on   {} (commit {commit})", shown(&settings.store.path)));
    if !loaded.is_empty() {
        lines.push(format!("  dossiers  on   loaded: {}", loaded.join(", ")));
    }
    lines.push(match settings.web.listen.filter(|_| web) {
        Some(listen) => format!("  web       on   http://{listen}/healthz"),
        None if settings.web.listen.is_some() => {
            "  web       off  its port is taken; web.listen chooses another".to_owned()
        }
        None => "  web       off  web.listen turns it on".to_owned(),
    });
    for (name, token) in [("telegram", &settings.telegram.token), ("discord", &settings.discord.token)] {
        lines.push(match token {
            None => format!("  {name:<9} off  {name}.token or {name}.token_file turns it on"),
            Some(_) => format!("  {name:<9} on   connecting; /about and /healthz tell how it goes"),
        });
    }
    lines.push(match io::stdin().is_terminal() {
        true => "  console   on   type /help, or /timeline westpole; Ctrl-C stops the bot".to_owned(),
        false => "  console   off  \"strillone console\" opens one beside the running bot".to_owned(),
    });
    tell(lines.join("\n"))
}

/// Where the code by which the first owner is known is left, where nobody looks on.
const CODE_FILE: &str = "owner-code";

/// Tells how to become the owner, where there is none: at the terminal, else in a file that only we can read.
fn offer_ownership(settings: &Settings, desk: &Desk) -> Done {
    let path = settings.store.path.join(CODE_FILE);
    let served = settings.telegram.token.is_some() || settings.discord.token.is_some();
    let Some(code) = desk.offer_code().filter(|_| served) else {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Undone(format!("{}: {error}", path.display())))
            }
            _ => Ok(()),
        };
    };
    let line = format!("/moderators claim {code}");
    if io::stdout().is_terminal() {
        return tell(format!("  owner     none: write to the bot in a private chat: {line}"));
    }
    let fault = |error: io::Error| Undone(format!("{}: {error}", path.display()));
    let open = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    let mut file = open.map_err(fault)?;
    writeln!(file, "{line}").and_then(|()| file.sync_all()).map_err(fault)?;
    tell(format!("  owner     none: {} says what to write to the bot in a private chat", path.display()))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The chat in the terminal, on a thread of its own, if there is a terminal.
fn offer_chat(desk: Desk, lang: Lang) -> tokio::task::JoinHandle<io::Result<End>> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return tokio::task::spawn(std::future::pending());
    }
    tokio::task::spawn_blocking(move || console::chat(Session::new(Link::Here(desk), Role::Reader, lang)))
}

/// The terminal as it was before the chat changed it.
struct Terminal(Option<rustix::termios::Termios>);

impl Terminal {
    fn now() -> Terminal {
        Terminal(rustix::termios::tcgetattr(io::stdin()).ok())
    }

    fn restore(self) {
        if let Some(modes) = self.0 {
            // There is nothing more to be done if it fails.
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, &modes);
        }
    }
}
