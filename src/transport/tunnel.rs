//! A stream to a host, straight or through a proxy: HTTP CONNECT (RFC 9110, 9.3.6) or SOCKS5 (RFC 1928, 1929), then TLS.

use std::{io, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use url::Url;

use crate::config::{Proxy, ProxyKind};

/// The longest head of a proxy's answer, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where a stream leads.
#[derive(Clone, Debug)]
struct Target {
    host: String,
    port: u16,
}

/// Opens a stream to the host of a `ws://` or `wss://` address, straight or through a proxy. It has no time limit of its
/// own.
pub async fn open(address: &Url, proxy: Option<&Proxy>) -> io::Result<Box<dyn Stream>> {
    let wrong = || failed("this is no address of a host");
    let host = address.host_str().ok_or_else(wrong)?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let target = Target { host, port: address.port_or_known_default().ok_or_else(wrong)? };
    let stream: Box<dyn Stream> = match proxy {
        Some(proxy) => through(proxy, &target).await?,
        None => Box::new(TcpStream::connect((target.host.as_str(), target.port)).await?),
    };
    if address.scheme() == "wss" { encrypted(stream, &target.host).await } else { Ok(stream) }
}

/// A stream to a target through a proxy.
async fn through(proxy: &Proxy, target: &Target) -> io::Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect((proxy.host.as_str(), proxy.port)).await;
    let tcp = tcp.map_err(|error| failed(format!("the proxy cannot be reached: {error}")))?;
    let mut stream: Box<dyn Stream> = match proxy.kind {
        ProxyKind::Https => encrypted(Box::new(tcp), &proxy.host).await?,
        _ => Box::new(tcp),
    };
    match proxy.kind {
        ProxyKind::Http | ProxyKind::Https => connect(&mut stream, proxy, target).await?,
        ProxyKind::Socks5 | ProxyKind::Socks5h => socks(&mut stream, proxy, target).await?,
    }
    Ok(stream)
}

fn failed(why: impl Into<String>) -> io::Error {
    io::Error::other(why.into())
}

async fn encrypted(stream: Box<dyn Stream>, host: &str) -> io::Result<Box<dyn Stream>> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
    Ok(Box::new(connector.connect(name, stream).await?))
}

/// Asks an HTTP proxy for a tunnel.
async fn connect(stream: &mut Box<dyn Stream>, proxy: &Proxy, target: &Target) -> io::Result<()> {
    let to = authority(target);
    let mut head = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
    if let Some((user, password)) = &proxy.login {
        head += &format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(format!("{user}:{password}")));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    let answer = head_of(stream).await?;
    let first = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    match first.split(' ').nth(1) {
        Some(code) if code.starts_with('2') => Ok(()),
        _ => Err(failed(format!("the proxy refuses: {}", first.chars().take(100).collect::<String>()))),
    }
}

/// `host:port`, with brackets around IPv6.
fn authority(target: &Target) -> String {
    match target.host.contains(':') {
        true => format!("[{}]:{}", target.host, target.port),
        false => format!("{}:{}", target.host, target.port),
    }
}

/// Reads up to the blank line that ends a head, and nothing after it.
async fn head_of(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD {
            return Err(failed("a head is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

/// Asks a SOCKS5 proxy for a connection.
async fn socks(stream: &mut Box<dyn Stream>, proxy: &Proxy, target: &Target) -> io::Result<()> {
    let methods: &[u8] = if proxy.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(methods).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match (chosen, &proxy.login) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => log_in(stream, user, password).await?,
        ([5, _], _) => return Err(failed("the proxy wants another way to log in")),
        _ => return Err(failed("the proxy does not speak SOCKS5")),
    }
    let mut request = vec![5, 1, 0];
    request.extend(address(proxy.kind, target).await?);
    request.extend(target.port.to_be_bytes());
    stream.write_all(&request).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    if answer[..2] != [5, 0] {
        return Err(failed(format!("the proxy refuses with SOCKS5 code {}", answer[1])));
    }
    let bound = match answer[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(failed("the proxy's answer is no SOCKS5")),
    };
    let mut rest = vec![0; bound + 2];
    stream.read_exact(&mut rest).await.map(drop)
}

async fn log_in(stream: &mut Box<dyn Stream>, user: &str, password: &str) -> io::Result<()> {
    let mut login = vec![1];
    for text in [user, password] {
        login.push(u8::try_from(text.len()).map_err(|_| failed("the login is too long for SOCKS5"))?);
        login.extend(text.as_bytes());
    }
    stream.write_all(&login).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    if answer[1] == 0 { Ok(()) } else { Err(failed("the proxy refuses the user name or password")) }
}

/// The target as SOCKS5 writes it, by name or, with `socks5://`, by the address that this machine finds.
async fn address(kind: ProxyKind, target: &Target) -> io::Result<Vec<u8>> {
    let literal = target.host.parse().ok();
    let found = match (literal, kind) {
        (None, ProxyKind::Socks5) => {
            let mut all = lookup_host((target.host.as_str(), target.port)).await?;
            Some(all.next().ok_or_else(|| failed("the host has no address"))?.ip())
        }
        (literal, _) => literal,
    };
    Ok(match found {
        Some(std::net::IpAddr::V4(ip)) => [&[1][..], &ip.octets()].concat(),
        Some(std::net::IpAddr::V6(ip)) => [&[4][..], &ip.octets()].concat(),
        None => {
            let length = u8::try_from(target.host.len()).map_err(|_| failed("the host's name is too long"))?;
            [&[3, length][..], target.host.as_bytes()].concat()
        }
    })
}
