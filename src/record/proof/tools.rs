//! What proofs are made of: dice that a seed repeats, and a store with some claims about `x`. The tests of the whole program
//! use it too (`tests/proof`).

use std::path::Path;

use chrono::{DateTime, Utc};
use record::{
    claim::Claim,
    entry::{Author, Draft, Importance, Said},
    import::random_key,
    lang::{Lang, Prose},
    store::{Drafted, Options, Set, Store},
};

/// A small generator of numbers that a seed repeats (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to but without `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % (n.max(1) as u64)).unwrap()
    }
}

/// Whether the long runs are wanted.
pub fn long() -> bool {
    std::env::var("STRILLONE_PROOF").is_ok_and(|it| it == "long")
}

/// The seed of a run: printed, and taken up again from `STRILLONE_SEED`.
pub fn seed(what: &str) -> u64 {
    let seed = std::env::var("STRILLONE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_231_208);
    println!("{what}: STRILLONE_SEED={seed}");
    seed
}

/// A claim about an incident, to be written.
pub fn claim(incident: &str, text: &str) -> Drafted {
    Drafted::from(Draft {
        incident: incident.parse().unwrap(),
        author: Author("a".to_owned()),
        key: random_key().unwrap(),
        importance: Importance::Normal,
        known: None,
        dossier: false,
        push: true,
        said: Said::Claim(Claim { text: Prose::one(Lang::En, text).unwrap(), sources: Vec::new() }),
    })
}

/// One claim about `x`, as a set.
pub fn said(text: &str) -> Set {
    Set { ask: None, expects: Vec::new(), said: vec![claim("x", text)], at: at() }
}

/// Opens an incident called `x`.
pub fn opened(store: &Store) {
    let dossier = "[[incident]]\nhandle = \"x\"\ntitle = { en = \"X\" }\nzone = \"UTC\"\n";
    record::import::import(store, &record::dossier::read(dossier).unwrap()[0], at(), false, &mut |_, _| {}).unwrap();
}

/// What is on record about `x`, in its order; none if there is no `x`.
pub fn on_record(store: &Store) -> Vec<String> {
    let view = store.view();
    let Some(incident) = view.incident("x").unwrap() else { return Vec::new() };
    (2..=incident.last)
        .filter_map(|number| match view.entry(&incident, number, None).unwrap()?.said {
            Said::Claim(it) => Some(it.text.plain(Lang::En).to_owned()),
            _ => None,
        })
        .collect()
}

/// Opens a store, whatever a test has taken from it.
pub fn open(dir: &Path) -> Store {
    Store::open(Options { accept_less: true, ..Options::new(dir) }, &mut |_, _| {}).unwrap()
}

/// The moment at which tests write.
pub fn at() -> DateTime<Utc> {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}
