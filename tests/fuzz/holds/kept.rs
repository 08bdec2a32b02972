//! What is kept: lines of the journal, and dossiers.

use record::{
    claim::Claim,
    dossier, export, import,
    lang::{Lang, Prose},
    line::{Line, glance},
    private::{Address, Bodies, Fact},
    store::{Memory, Options, Store},
};

use super::Tape;

/// A line of the journal, whatever it may be; and a line that says whatever it may be.
pub fn journal(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        match Line::read(line) {
            Ok(read) => whole(&read, line),
            Err(why) => assert!(!why.to_string().is_empty()),
        }
        // Readers look at lines that were checked when they were written; it must not panic on others either.
        let _ = glance(line);
    }
    sealed(data);
}

/// What holds of every line that is read.
fn whole(line: &Line, bytes: &[u8]) {
    assert_eq!(line.bytes, bytes, "a line is read as it is or not at all");
    let again = Line::seal(line.header.clone(), line.public.clone(), line.private.clone()).map(|it| it.hash);
    let erased = line.header.public.is_some() != line.public.is_some()
        || line.header.private.is_some() != line.private.is_some();
    assert!(erased || again.is_ok_and(|hash| hash == line.hash), "it is sealed as it was");
    for bodies in [Bodies::Public, Bodies::Private, Bodies::Both] {
        let less = Line::read(&line.without(bodies).expect("a line")).expect("a line without a body");
        assert_eq!((less.hash, &less.header), (line.hash, &line.header), "the chain stays");
        assert!(!less.holds(bodies));
    }
    let shown = Line::read(&line.exported().expect("a line")).expect("a line");
    assert!(shown.private.is_none() && shown.public == line.public, "an export shows what is public, and that alone");
}

/// A claim about anything, and a fact about anybody.
fn sealed(data: &[u8]) {
    let mut tape = Tape(data);
    let (said, key) = (tape.words(), tape.words());
    let Ok(text) = Prose::one(Lang::It, &said) else { return };
    let header = include_bytes!("../../golden/v1/journal/00000000000000000001.jsonl");
    let first = header.split(|byte| *byte == b'\n').filter_map(|line| Line::read(line).ok());
    for line in first.filter(|line| line.public.is_some()).take(3) {
        let mut public = line.public.clone().expect("a body");
        let claim = record::entry::Said::Claim(Claim { text: text.clone(), sources: Vec::new() });
        let mut header = line.header.clone();
        (public.said, header.kind) = (claim, "claim".to_owned());
        let mut private = line.private.clone();
        if let Some(private) = &mut private {
            private.fact = Some(Fact::Looked { address: Address(key.clone()), commit: tape.number() >> 11 });
        }
        match Line::seal(header, Some(public), private) {
            Ok(sealed) => whole(&Line::read(&sealed.bytes).expect("what was sealed is read"), &sealed.bytes),
            Err(why) => assert!(!why.to_string().is_empty()),
        }
    }
}

/// A dossier, whatever it may be: what is taken is exported so that it is taken again and says the same.
pub fn dossier(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let dossiers = match dossier::read(&text) {
        Ok(dossiers) => dossiers,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { memory: Some(Memory::default()), ..Options::new(dir.path()) };
    let store = Store::open(options, &mut |_, _| {}).expect("a store");
    let at = "2026-01-02T03:04:05.678Z".parse().expect("a moment");
    let mut taken = Vec::new();
    for dossier in &dossiers {
        match import::import(&store, dossier, at, false, &mut |_, _| {}) {
            Ok(_) => taken.push(dossier),
            // Two dossiers may well not fit each other.
            Err(why) => assert!(!why.to_string().is_empty()),
        }
    }
    let (view, mut out) = (store.view(), Vec::new());
    export::toml(&view, &view.incidents().expect("incidents"), &mut out).expect("a dossier");
    let out = String::from_utf8(out).expect("text");
    if taken.is_empty() {
        return;
    }
    let again = dossier::read(&out).unwrap_or_else(|fault| panic!("what was exported is not read: {fault}\n{out}"));
    for dossier in &taken {
        let same = again.iter().find(|it| it.handle == dossier.handle).expect("every incident is exported");
        for (given, back) in dossier.items.iter().zip(&same.items) {
            assert_eq!((&given.said, &given.key), (&back.said, &back.key));
        }
        assert_eq!(dossier.items.len(), same.items.len(), "{}", dossier.handle);
    }
    for lang in Lang::ALL {
        let mut out = Vec::new();
        export::markdown(&view, &view.incidents().expect("incidents"), lang, &mut out).expect("a document");
        let text = String::from_utf8(out).expect("text");
        let bare =
            text.match_indices('<').find(|(at, _)| !text[..*at].ends_with('\\') && !text[at + 1..].starts_with("http"));
        assert_eq!(bare, None, "a mark that is not escaped: {text}");
    }
}
