//! The door: one HTTP request in, one answer out, and what goes wrong between.

use super::*;

/// One request: noted, made to fail if a test ordered so, done, answered.
pub(super) async fn serve(State(tg): State<Telegram>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let Some((token, method)) = uri.path().strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return told(&Err(refusal(404, "")));
    };
    let (params, mut name) = (params(&uri, &headers, &body), method.to_owned());
    name.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
    let call = Call { method: name, params: params.clone(), at: Instant::now(), status: 0, reply: Value::Null };
    let number = tg.change(|world| {
        world.calls.push(call);
        world.calls.len() - 1
    });
    let (done, page) = tg.handle(token, &method.to_lowercase(), &params).await;
    // A proxy's clock is a day behind.
    let ahead = if page.is_some() { -86_400 } else { tg.world().rules.ahead };
    let mut reply = page.map_or_else(|| told(&done), |code| page_of(code, "text/html", "<html><h1>Sorry</h1></html>"));
    let date = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead);
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    reply.headers_mut().insert(header::DATE, date.parse().unwrap());
    tg.change(|world| {
        world.calls[number].status = reply.status().as_u16();
        world.calls[number].reply = done.unwrap_or_else(|refusal| json!(refusal.1));
    });
    reply
}

impl Telegram {
    /// What a call comes to, and the status of the HTML page that hides it if a proxy is to answer instead.
    pub(super) async fn handle(&self, token: &str, method: &str, p: &Value) -> (Done, Option<u16>) {
        let shaped = token.split_once(':').is_some_and(|(id, key)| id.parse::<u64>().is_ok() && key.len() > 20);
        if token != TOKEN || self.world().rules.token_revoked {
            return (Err(refusal(if shaped { 401 } else { 404 }, "")), None);
        }
        let fault = self.world().fault_for(method);
        match fault {
            Some(Fault::TooMany(seconds)) => return (Err(too_many(seconds)), None),
            Some(Fault::Refuse(code, words)) => return (Err(refusal(code, words)), None),
            Some(Fault::Html(code)) => return (Ok(Value::Null), Some(code)),
            Some(Fault::CutBefore) => cut(),
            _ => {}
        }
        let mut done =
            if method == "getupdates" { self.poll(p).await } else { self.change(|world| world.obey(method, p)) };
        match (fault, done.as_mut().ok().and_then(|result| result.pointer_mut("/chat/type"))) {
            (Some(Fault::HtmlAfter(code)), _) => return (done, Some(code)),
            (Some(Fault::Slow(long)), _) => sleep(long).await,
            (Some(Fault::CutAfter), _) => cut(),
            (Some(Fault::StrangeChat), Some(kind)) => *kind = json!("hologram"),
            _ => {}
        }
        (done, None)
    }

    /// Holds the request until there is something to tell, another poller comes, or time is up.
    pub(super) async fn poll(&self, p: &Value) -> Done {
        let end = Instant::now() + Duration::from_secs(int(p, "timeout").unwrap_or(0).clamp(0, 50) as u64);
        let me = self.change(|world| world.confirm(p));
        loop {
            let mut rung = pin!(self.bell.notified());
            rung.as_mut().enable();
            let batch = self.world().batch(me, p)?;
            if !batch.is_empty() || timeout_at(end, rung).await.is_err() {
                return Ok(json!(batch));
            }
        }
    }
}

/// Ends this connection's task, and the connection with it, without the noise of a panic.
pub(super) fn cut() -> ! {
    std::panic::resume_unwind(Box::new("cut, as a test ordered"))
}

pub(super) fn told(done: &Done) -> Response {
    let Refusal(code, words, parameters) = match done {
        Ok(result) => return page_of(200, "application/json", &json!({"ok": true, "result": result}).to_string()),
        Err(refusal) => refusal,
    };
    let mut body = json!({"ok": false, "error_code": code, "description": words});
    fill(&mut body, [("parameters", parameters.clone())]);
    let mut reply = page_of(*code, "application/json", &body.to_string());
    if let Some(wait) = parameters["retry_after"].as_u64() {
        reply.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    reply
}

pub(super) fn page_of(code: u16, kind: &'static str, body: &str) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], body.to_owned()).into_response()
}

/// What was asked: the query string, then the body, JSON or a form.
pub(super) fn params(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Value {
    let mut all = form(uri.query().unwrap_or_default());
    let json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    all.extend(match json {
        true => serde_json::from_slice(body).unwrap_or_default(),
        false => form(&String::from_utf8_lossy(body)),
    });
    Value::Object(all)
}

/// A form's fields; numbers, lists and objects in it are taken for what they are.
pub(super) fn form(encoded: &str) -> Map<String, Value> {
    let pairs = encoded.split('&').filter_map(|pair| pair.split_once('='));
    let value = |raw: String| serde_json::from_str(&raw).unwrap_or(Value::String(raw));
    pairs.map(|(key, raw)| (unescaped(key), value(unescaped(raw)))).collect()
}

pub(super) fn unescaped(part: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), part.bytes());
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).unwrap_or(0) as u8;
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => digit() * 16 + digit(),
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A refusal, under the name Telegram puts before each code if the words do not bring it.
pub(super) fn refusal(code: u16, words: &str) -> Refusal {
    let name = match code {
        500 => "Internal Server Error",
        _ => StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason()).unwrap_or_default(),
    };
    let words = words.strip_prefix(name).map_or(words, |rest| rest.trim_start_matches(": "));
    Refusal(code, [name, words].join(if words.is_empty() { "" } else { ": " }), Value::Null)
}

pub(super) fn bad(words: &str) -> Refusal {
    refusal(400, words)
}

pub(super) fn too_many(seconds: u64) -> Refusal {
    Refusal(429, format!("Too Many Requests: retry after {seconds}"), json!({"retry_after": seconds}))
}
