//! Asks: whatever is typed, pressed or sent is answered, with nothing of ours broken and nothing recorded that nobody
//! published.

use std::{cell::RefCell, sync::Arc};

use commands::kit::{Ask, Caller, Place, Posting, Role};
use record::{
    channel::PlaceKind,
    dossier, import,
    lang::Lang,
    private::Address,
    reply::{BUTTON_BYTES, Block, Reply, Span, pressed},
    store::{Memory, Options, Store},
};
use serde_json::{Value, json};
use strillone::{
    bundled, config,
    desk::{Desk, Heard, Manners},
    discord, telegram,
};

use super::{Tape, dress};

/// An incident whose every text is full of markup.
const AWKWARD: &str = include_str!("../awkward.toml");
/// How many asks one store answers: what is recorded makes the next answers longer.
const ASKS: usize = 2_000;

/// A store to ask, and its desk.
struct World {
    desk: Desk,
    asked: usize,
    _dir: tempfile::TempDir,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options { memory: Some(Memory::default()), ..Options::new(dir.path()) };
        let store = Store::open(options, &mut |_, _| {}).expect("a store");
        let at = "2026-01-02T03:04:05.678Z".parse().expect("a moment");
        let westpole = bundled::dossier("westpole").expect("a dossier").expect("it is read");
        for dossier in westpole.iter().chain(&dossier::read(AWKWARD).expect("a dossier")) {
            import::import(&store, dossier, at, false, &mut |_, _| {}).expect("imported");
        }
        let settings = config::load(None, None, std::iter::empty(), &bundled::names()).expect("settings");
        World { desk: Desk::new(Arc::new(store), Manners::of(&settings)), asked: 0, _dir: dir }
    }

    /// How many entries each incident has.
    fn entries(&self) -> Vec<(String, u32)> {
        let incidents = self.desk.store().view().incidents().expect("incidents");
        incidents.into_iter().map(|it| (it.handle.to_string(), it.last)).collect()
    }

    /// Answers, and looks at the answer.
    fn answer(&self, ask: &Ask) -> Reply {
        let _ = commands::form(self.desk.store(), ask).map(|form| {
            for attached in [false, true] {
                let _ = discord::modal(&form, attached, ask.lang).map(|modal| modal_fits(&modal));
            }
        });
        let answer = commands::answer(self.desk.store(), &self.desk.house(), ask);
        assert_eq!(answer.broke, None, "{:?}", ask.line);
        let reply = answer.reply;
        assert!(!said(&reply).trim().is_empty(), "{:?} is answered with nothing", ask.line);
        dress::sound(&reply, ask.lang);
        for button in reply.buttons.iter().flatten() {
            assert!((1..=BUTTON_BYTES).contains(&button.line.len()), "{:?}", button.line);
            let (line, _) = pressed(&button.line);
            assert!(commands::called(line).is_some(), "{line:?} under {:?} means nothing", ask.line);
        }
        reply
    }
}

fn with<T>(run: impl FnOnce(&World) -> T) -> T {
    WORLD.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|it| it.asked > ASKS) {
            *kept = None;
        }
        let world = kept.get_or_insert_with(World::new);
        world.asked += 1;
        run(world)
    })
}

/// Discord: a title of 1 to 45, 1 to 5 rows with one field each, labels of 1 to 45, values within their bounds.
fn modal_fits(modal: &Value) {
    let long = |value: &Value| value.as_str().map_or(0, |it| it.encode_utf16().count());
    assert!((1..=45).contains(&long(&modal["title"])) && (1..=100).contains(&long(&modal["custom_id"])), "{modal}");
    let rows = modal["components"].as_array().expect("rows");
    assert!((1..=5).contains(&rows.len()));
    for row in rows {
        let field = &row["components"][0];
        assert!((1..=45).contains(&long(&field["label"])) && long(&field["placeholder"]) <= 100, "{field}");
        assert!(long(&field["value"]) as u64 <= field["max_length"].as_u64().expect("a bound").min(4_000), "{field}");
    }
}

/// Every word of a reply.
fn said(reply: &Reply) -> String {
    let lines = reply.blocks.iter().flat_map(|block| match block {
        Block::Heading(line) | Block::Text(line) | Block::Note(line) => vec![line],
        Block::Item(item) => [&item.head].into_iter().chain(&item.body).collect(),
    });
    let spans = std::iter::once(&reply.title).chain(lines).flat_map(|line| &line.0);
    spans
        .map(|span| match span {
            Span::Cite { number, .. } => number.to_string(),
            Span::Text(text) | Span::Strong(text) | Span::Soft(text) | Span::Struck(text) | Span::Code(text) => {
                text.clone()
            }
            Span::Time { text, .. } | Span::Link { text, .. } => text.clone(),
        })
        .collect()
}

fn ask(line: String, role: Role, lang: Lang, network: &str) -> Ask {
    let person = Address(format!("{network}:5"));
    let mut place = Place::terminal();
    (place.address, place.chat, place.posting) = (Some(person.clone()), Some(person.clone()), Posting::May);
    place.kind = PlaceKind::Private;
    let at = "2026-11-23T09:30:00Z".parse().expect("a moment");
    let caller = Caller { address: Some(person), role, incidents: Vec::new() };
    Ask { line, caller, place, lang, zone: None, at, key: None, quoted: None }
}

/// A line, typed by anybody.
pub fn lines(data: &[u8]) {
    let mut tape = Tape(data);
    let roles = [Role::Reader, Role::Contributor, Role::Moderator, Role::Owner];
    let (role, lang) = (roles[tape.below(4)], if tape.byte() & 1 == 0 { Lang::En } else { Lang::It });
    let network = ["telegram", "discord"][tape.below(2)];
    let line = tape.text();
    with(|world| {
        let before = world.entries();
        let reply = world.answer(&ask(line.clone(), role, lang, network));
        let publishes = commands::called(&line).is_some_and(|it| matches!(it.name, "publish" | "undo" | "redact"));
        assert!(publishes || world.entries() == before, "{line:?} recorded something that nobody published");
        // Whatever is offered can be pressed.
        for button in reply.buttons.iter().flatten().take(3) {
            world.answer(&ask(pressed(&button.line).0.to_owned(), role, lang, network));
        }
    });
}

/// What a button is said to carry, pressed by a reader: whatever it is, nothing is recorded.
pub fn presses(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let me = telegram::Me { id: 77, username: "strillone_bot".to_owned() };
    let chat = json!({ "id": 5, "type": "private", "first_name": "Ann" });
    let person = json!({ "id": 5, "is_bot": false, "first_name": "Ann", "language_code": "it" });
    let message = json!({ "message_id": 9, "date": 1_700_000_000, "chat": chat, "text": "x" });
    let update = json!({ "update_id": 1, "callback_query": {
        "id": "1", "from": person, "chat_instance": "1", "data": text, "message": message,
    } });
    with(|world| {
        let before = world.entries();
        let heard = telegram::asked(&update, &me).expect("a press is heard");
        assert_eq!(heard.line, pressed(&text).0);
        for line in [heard.line.clone(), pressed(&text).0.trim().to_owned()] {
            world.answer(&ask(line, Role::Reader, Lang::It, "telegram"));
        }
        world.answer(&world.desk.ask(heard, Lang::En));
        assert_eq!(world.entries(), before, "{text:?} recorded something");
    });
}

fn answered(heard: Option<Heard>) {
    let Some(heard) = heard else { return };
    with(|world| {
        let before = world.entries();
        let lang = world.desk.lang_of(&heard);
        world.answer(&world.desk.ask(heard, lang));
        assert_eq!(world.entries(), before, "a stranger recorded something");
    });
}

/// Whatever Telegram sends, or whoever says to be it.
pub fn telegram_update(data: &[u8]) {
    let Ok(update) = serde_json::from_slice::<Value>(data) else { return };
    answered(telegram::asked(&update, &telegram::Me { id: 77, username: "strillone_bot".to_owned() }));
}

/// Whatever Discord sends, or whoever says to be it.
pub fn discord_interaction(data: &[u8]) {
    let Ok(interaction) = serde_json::from_slice::<Value>(data) else { return };
    answered(discord::asked(&interaction));
}
