//! A proxy of our own, for HTTP (CONNECT and whole addresses) and SOCKS5, which asks for a login and counts what passes;
//! and that everything passes, or says why it does not.

use std::sync::{Arc, Mutex, PoisonError};

use strillone::{signs::Sign, telegram::Api};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::{
    PATIENCE,
    discord::Discord,
    on_discord::{self, patience},
    on_telegram::{self, answer},
    pace, platform_through,
    telegram::Telegram,
};
use crate::town::{Town, says};

/// Where nobody listens: only through the proxy is there anybody.
pub const NOWHERE: &str = "http://127.0.0.1:1";
/// `user:pa ss` in base64.
const LOGIN: &str = "Proxy-Authorization: Basic dXNlcjpwYSBzcw==";
const TOKEN: &str = "7000000001:AAFakeTokenOfTheStrilloneTestsXYZ12";

/// A running proxy.
pub struct Proxy {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Passes what is for [`NOWHERE`] on to a port of this machine, everything else to where it is to go.
    pub async fn start(to: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, to, Arc::clone(&noted)));
            }
        });
        Proxy { port, seen }
    }

    /// Its address with the right login.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://user:pa%20ss@127.0.0.1:{}", self.port)
    }

    /// What was asked for, by how and where: `CONNECT 127.0.0.1:1`.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut client: TcpStream, to: u16, seen: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut first = [0];
    client.peek(&mut first).await.ok()?;
    let (how, target, head) = match first {
        [5] => ("SOCKS5", socks(&mut client).await?, Vec::new()),
        _ => http(&mut client).await?,
    };
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{how} {target}"));
    let address = if target == "127.0.0.1:1" { format!("127.0.0.1:{to}") } else { target };
    let mut server = TcpStream::connect(address).await.ok()?;
    match how {
        "CONNECT" => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?,
        "SOCKS5" => client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?,
        _ => server.write_all(&head).await.ok()?,
    }
    copy_bidirectional(&mut client, &mut server).await.ok().map(drop)
}

/// How, where to, and the head of a request with a whole address, which goes on.
async fn http(client: &mut TcpStream) -> Option<(&'static str, String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    let text = String::from_utf8(head.clone()).ok()?;
    if !text.to_lowercase().contains(&LOGIN.to_lowercase()) {
        client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        return None;
    }
    let mut words = text.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    match target.strip_prefix("http://") {
        Some(rest) => Some(("whole", rest.split('/').next()?.to_owned(), head)),
        None => (method == "CONNECT").then(|| ("CONNECT", target.to_owned(), Vec::new())),
    }
}

async fn socks(client: &mut TcpStream) -> Option<String> {
    async fn text(client: &mut TcpStream) -> Option<Vec<u8>> {
        let mut text = vec![0; usize::from(client.read_u8().await.ok()?)];
        client.read_exact(&mut text).await.ok()?;
        Some(text)
    }
    client.read_u8().await.ok()?;
    assert!(text(client).await?.contains(&2), "it offers a login");
    client.write_all(&[5, 2]).await.ok()?;
    client.read_u8().await.ok()?;
    let (user, password) = (text(client).await?, text(client).await?);
    let right = user == b"user" && password == b"pa ss";
    client.write_all(&[1, u8::from(!right)]).await.ok()?;
    let mut request = [0; 4];
    client.read_exact(&mut request).await.ok()?;
    let host = match request[3] {
        1 => {
            let mut ip = [0; 4];
            client.read_exact(&mut ip).await.ok()?;
            std::net::Ipv4Addr::from(ip).to_string()
        }
        _ => String::from_utf8(text(client).await?).ok()?,
    };
    Some(format!("{host}:{}", client.read_u16().await.ok()?))
}

async fn tried(api_url: &str, proxy: &str) -> String {
    let settings = platform_through("TELEGRAM", api_url, TOKEN, proxy);
    let (token, url) = (settings.token.unwrap(), settings.api_url);
    let api = Api::through(settings.proxy.as_ref(), &token, &url, pace()).unwrap();
    format!("{:?}", api.call("getMe", &serde_json::json!({}), std::time::Duration::ZERO).await)
}

#[tokio::test]
async fn what_keeps_telegram_from_being_reached_is_named_and_never_the_token() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = format!("https://{}", silent.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = silent.accept().await {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        }
    });
    let proxy = Proxy::start(1).await;
    let wrong = proxy.url("http").replace("pa%20ss", "hush");
    let wrong_socks = proxy.url("socks5h").replace("pa%20ss", "hush");
    for (api_url, proxy, cause) in [
        (NOWHERE, "", &["refused"][..]),
        ("http://nobody.invalid", "", &["dns", "lookup", "resolve"]),
        (tls.as_str(), "", &["message", "tls", "TLS", "corrupt"]),
        ("https://127.0.0.1:1", wrong.as_str(), &["407", "authentication", "authorization"]),
        (NOWHERE, wrong_socks.as_str(), &["SOCKS", "socks", "proxy", "auth"]),
        (NOWHERE, "http://127.0.0.1:1", &["refused"]),
    ] {
        let why = tried(api_url, proxy).await;
        assert!(cause.iter().any(|word| why.contains(word)), "{api_url} {proxy}: {why}");
        for secret in ["7000000001", "AAFake", "hush", "user:"] {
            assert!(!why.contains(secret), "{why}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_telegram_goes_through_the_proxy() {
    for scheme in ["http", "socks5", "socks5h"] {
        let (town, telegram) = (Town::westpole(), Telegram::start().await);
        let ann = telegram.private(5, "Ann", "en");
        let port = telegram.url().rsplit(':').next().unwrap().parse().unwrap();
        let proxy = Proxy::start(port).await;
        let settings = platform_through("TELEGRAM", NOWHERE, telegram.token(), &proxy.url(scheme));
        let bot = on_telegram::Bot::with(&town, settings, std::time::Duration::from_secs(1));
        says(&answer(&telegram, ann, 5, "/about").await.text, &["Strillone"]);
        let registered = |it: &Telegram| (!it.commands("default", "it").is_empty()).then_some(());
        telegram.until("commands are registered", PATIENCE, registered).await;
        bot.stop().await;
        let seen = proxy.seen();
        assert!(!seen.is_empty() && seen.iter().all(|it| it.ends_with(" 127.0.0.1:1")), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_discord_goes_through_the_proxy_the_gateway_too() {
    for (scheme, how) in [("http", "CONNECT 127.0.0.1:"), ("socks5h", "SOCKS5 127.0.0.1:")] {
        let (town, discord) = (Town::westpole(), Discord::start().await);
        let port = discord.url().rsplit(':').next().unwrap().parse().unwrap();
        let proxy = Proxy::start(port).await;
        let settings = platform_through("DISCORD", NOWHERE, &discord.token(), &proxy.url(scheme));
        let bot = on_discord::Bot::with(&town, settings, patience());
        discord.connected(PATIENCE).await;
        bot.sign(Sign::Serving).await;
        bot.stop().await;
        let (rest, gateway): (Vec<String>, Vec<String>) =
            proxy.seen().into_iter().partition(|it| it.ends_with(" 127.0.0.1:1"));
        let tunnelled = gateway.len() == 1 && gateway[0].starts_with(how);
        assert!(!rest.is_empty() && tunnelled, "{rest:?} {gateway:?}");
    }
}
