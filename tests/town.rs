//! A world to talk in: a store of its own, the desk before it, and somebody at the console.

use std::{path::Path, sync::Arc};

pub use crate::proof::{at, open};
use commands::kit::Role;
use record::{
    channel::Network,
    dossier,
    entry::{Author, Draft, Importance, Said},
    import,
    lang::Lang,
    reply::Letter,
    store::{Drafted, NotSaid, Receipt, Set, Store},
};
use strillone::{
    console::{Look, Session, dress},
    control::Link,
    desk::{Desk, Manners},
    post,
};

/// The text that has gone wrong somewhere in every chat bot: long, in one line, in every direction, full of markup.
pub fn awkward() -> String {
    let piece = "<b>&amp; \"quoted\" *bold* _it_ ~~no~~ ||spoiler|| `code` [x](http://evil.example) @everyone <@&1> \
                 <script>alert(1)</script> 👩‍👩‍👧‍👦 è e\u{301} שלום עולם العربية \u{202e}rtl\u{202c} \u{1b}[31m \\ ";
    let text: String = piece.chars().cycle().take(5_000).collect();
    text.trim().to_owned()
}

/// A world.
pub struct Town {
    dir: tempfile::TempDir,
    pub desk: Desk,
}

impl Town {
    /// With nothing on record.
    pub fn empty() -> Town {
        Town::set(&[])
    }

    /// With settings, as variables give them.
    pub fn set(variables: &[(&str, &str)]) -> Town {
        let dir = tempfile::tempdir().unwrap();
        let manners = Manners::of(&crate::doors::settings(variables));
        let desk = Desk::new(Arc::new(open(dir.path())), manners);
        Town { dir, desk }
    }

    /// The same after a restart, with settings.
    pub fn reopened(self, variables: &[(&str, &str)]) -> Town {
        self.reopened_after(variables, || {})
    }

    /// The same after a restart, before which something happens to its files.
    pub fn reopened_after(self, variables: &[(&str, &str)], happens: impl FnOnce()) -> Town {
        let Town { dir, desk } = self;
        drop(desk);
        happens();
        let manners = Manners::of(&crate::doors::settings(variables));
        let desk = Desk::new(Arc::new(open(dir.path())), manners);
        Town { dir, desk }
    }

    /// With the bundled dossier on record.
    pub fn westpole() -> Town {
        Town::westpole_set(&[])
    }

    /// With the bundled dossier, and settings.
    pub fn westpole_set(variables: &[(&str, &str)]) -> Town {
        let town = Town::set(variables);
        let dossiers = strillone::bundled::dossier("westpole").unwrap().unwrap();
        assert!(import::load_bundled(town.store(), "westpole", &dossiers, at(), &mut |_, _| {}).unwrap());
        town
    }

    /// With a dossier on record.
    pub fn with(dossier: &str) -> Town {
        let town = Town::empty();
        town.import(dossier);
        town
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn store(&self) -> &Store {
        self.desk.store()
    }

    /// Imports a dossier; what came of it.
    pub fn import(&self, text: &str) -> import::Imported {
        let dossiers = dossier::read(text).unwrap_or_else(|fault| panic!("{fault}"));
        let mut all = import::Imported::default();
        for dossier in &dossiers {
            all = import::import(self.store(), dossier, at(), false, &mut |_, _| {}).unwrap();
        }
        all
    }

    /// Writes one entry.
    pub fn write(&self, incident: &str, said: Said) -> Result<Receipt, NotSaid> {
        let draft = Draft {
            incident: incident.parse().unwrap(),
            author: Author("tester".to_owned()),
            key: import::random_key().unwrap(),
            importance: Importance::Normal,
            known: None,
            dossier: false,
            push: true,
            said,
        };
        self.store().say(Set { ask: None, expects: Vec::new(), said: vec![Drafted::from(draft)], at: at() })
    }

    /// What people have to be told in private by now, all of which they are told; the messages are numbered from 11.
    pub fn letters(&self) -> Vec<Letter> {
        let mut told = Vec::new();
        for network in Network::ALL {
            for (mut errand, letters) in post::due(&self.desk, network, at()).unwrap() {
                for letter in &letters {
                    let message = told.len() as u64 + 11;
                    let place = letter.draft.map(|_| (letter.to.clone(), message));
                    assert!(!post::flies(&self.desk, &mut errand, letter).unwrap());
                    post::brought(&self.desk, &mut errand, letter, place, at()).unwrap();
                    told.push(letter.clone());
                }
                post::over(&self.desk, &errand, at()).unwrap();
            }
        }
        told
    }

    /// Somebody who reads English at the console.
    pub fn reader(&self, lang: Lang) -> Session {
        Session::new(Link::Here(self.desk.clone()), Role::Reader, lang)
    }

    /// The answer to a line, as a pipe shows it.
    pub fn ask(&self, line: &str) -> String {
        ask(&mut self.reader(Lang::En), Lang::En, line)
    }

    /// The same in Italian.
    pub fn chiede(&self, line: &str) -> String {
        ask(&mut self.reader(Lang::It), Lang::It, line)
    }
}

/// What a desk goes by when nothing is set.
pub fn manners() -> Manners {
    Manners::of(&crate::doors::settings(&[]))
}

/// One answer of a session.
pub fn ask(session: &mut Session, lang: Lang, line: &str) -> String {
    dress(&session.ask(line).unwrap().unwrap(), lang, &Look::plain())
}

/// All of `words` are in `text`, in that order.
#[track_caller]
pub fn says(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        match rest.split_once(word) {
            Some((_, after)) => rest = after,
            None => panic!("{word:?} is not (there) in:\n{text}"),
        }
    }
}

/// None of `words` is in `text`.
#[track_caller]
pub fn silent_on(text: &str, words: &[&str]) {
    for word in words {
        assert!(!text.contains(word), "{word:?} is in:\n{text}");
    }
}
