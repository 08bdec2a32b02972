//! Durable facts a second, with one writer and with 64, beside a raw file that is appended and synced, and SQLite, in one
//! run on one disk. Each is acknowledged only once it would survive a power cut.

use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

#[path = "../../src/record/proof/tools.rs"]
#[allow(dead_code)]
mod tools;

/// How long each is measured.
const FOR: Duration = Duration::from_secs(4);
/// About as long as the line of an entry.
const LINE: usize = 700;

/// Prints the table.
pub fn print() {
    println!("| durable facts/s | 1 writer | 64 writers |\n|---|---|---|");
    let appended = [1, 64].map(raw);
    let sqlite = [1, 64].map(sqlite);
    let ours = [1, 64].map(ours);
    for (what, counts) in
        [("raw append + fdatasync", appended), ("SQLite, WAL, synchronous=FULL", sqlite), ("Strillone", ours)]
    {
        println!("| {what} | {:.0} | {:.0} |", counts[0], counts[1]);
    }
    println!("| Strillone / raw | {:.2} | {:.2} |", ours[0] / appended[0], ours[1] / appended[1]);
    println!("| Strillone / SQLite | {:.2} | {:.2} |\n", ours[0] / sqlite[0], ours[1] / sqlite[1]);
}

/// Many threads do something again and again; how often a second in all.
fn many(writers: usize, one: impl Fn(usize) + Sync) -> f64 {
    let start = Instant::now();
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn(move || {
                    let mut count = 0;
                    while start.elapsed() < FOR {
                        one(writer * 10_000_000 + count);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    counts.iter().sum::<usize>() as f64 / start.elapsed().as_secs_f64()
}

/// Each line is appended and synced on its own, whoever writes it.
fn raw(writers: usize) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let file = OpenOptions::new().create(true).append(true).open(dir.path().join("raw")).unwrap();
    let file = Mutex::new(file);
    let line = vec![b'x'; LINE];
    many(writers, |_| {
        let mut file = file.lock().unwrap();
        file.write_all(&line).unwrap();
        file.sync_data().unwrap();
    })
}

/// A connection a writer, a transaction a fact: the row, and two indexes.
fn sqlite(writers: usize) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let connect = |path: &Path| {
        let db = rusqlite::Connection::open(path).unwrap();
        db.busy_timeout(Duration::from_secs(60)).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.pragma_update(None, "synchronous", "FULL").unwrap();
        db
    };
    let tables = "CREATE TABLE fact (id INTEGER PRIMARY KEY, incident INTEGER, at INTEGER, key TEXT, body BLOB);
                  CREATE INDEX by_time ON fact (incident, at); CREATE UNIQUE INDEX by_key ON fact (key);";
    connect(&path).execute_batch(tables).unwrap();
    let connections: Vec<Mutex<rusqlite::Connection>> = (0..writers).map(|_| Mutex::new(connect(&path))).collect();
    let body = vec![b'x'; LINE];
    many(writers, |number| {
        let db = connections[number / 10_000_000].lock().unwrap();
        let row = rusqlite::params![1, number as i64, format!("key{number}"), body];
        db.execute("INSERT INTO fact (incident, at, key, body) VALUES (?1, ?2, ?3, ?4)", row).unwrap();
    })
}

/// An entry a set, with everything that is folded from it.
fn ours(writers: usize) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(super::open(dir.path()));
    tools::opened(&store);
    let text = "x".repeat(200);
    many(writers, |_| {
        store.say(tools::said(&text)).unwrap();
    })
}
