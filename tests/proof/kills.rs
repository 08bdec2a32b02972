//! The program records, pushes and edits at both doors, and is killed at random instants, in its start and recovery too:
//! everything acknowledged is on record, everybody who follows it has it, and repeats say that they are.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use record::{entry::Said, lang::Lang};
use strillone::control::{Connect, Event, Request, Who};

use super::{Dice, long, seed};
use crate::{
    doors::{
        discord::Id,
        news::{Press, copies, fast, names, on_discord, on_telegram, shown},
        telegram::Chat,
    },
    town::open,
};

/// How long everybody may take to be served after the last start: a chat takes a message a second, so what waits for
/// many kills takes its time.
fn patience() -> Duration {
    Duration::from_secs(if long() { 7_200 } else { 180 })
}
/// How many entries and corrections are acknowledged between two kills at most: a chat takes a message a second.
const EACH: usize = 1;

/// What was acknowledged: entries by their numbers, with the newest text that was.
#[derive(Default)]
struct Acknowledged {
    entries: BTreeMap<u32, String>,
    corrections: usize,
}

/// An operator who goes on recording whatever happens to the program.
struct Recorder {
    dir: PathBuf,
    acknowledged: Arc<Mutex<Acknowledged>>,
    over: Arc<AtomicBool>,
    left: Arc<AtomicUsize>,
    dice: Dice,
}

impl Recorder {
    fn run(mut self) {
        let mut number = 0;
        while !self.over.load(Ordering::SeqCst) {
            if self.left.load(Ordering::SeqCst) == 0 {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            }
            number += 1;
            let mut corrects = None;
            {
                let known = self.acknowledged.lock().unwrap();
                if self.dice.below(3) == 0 && known.entries.len() > 1 {
                    corrects = known.entries.keys().nth(self.dice.below(known.entries.len())).copied();
                }
            }
            let (line, text) = match corrects {
                Some(entry) => {
                    let text = format!("Text {number} instead.");
                    (format!("/correct x#{entry} | {text} | it was wrong"), text)
                }
                None => {
                    let text = format!("Text {number}.");
                    (format!("/event x 2023-12-20T09:00 | {text}"), text)
                }
            };
            if let Some(entry) = self.records(&line) {
                let mut known = self.acknowledged.lock().unwrap();
                known.corrections += usize::from(corrects.is_some());
                known.entries.insert(corrects.unwrap_or(entry), text);
                self.left.fetch_sub(1, Ordering::SeqCst);
            } else {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// The number of what was recorded; none if nobody says that it was.
    fn records(&self, line: &str) -> Option<u32> {
        let Ok(Connect::Running(link)) = Connect::to(&self.dir) else { return None };
        let ask = |line: String| {
            let mut said = None;
            let request = Request::Ask { line, role: Who::Owner, lang: Lang::En, zone: None };
            let mut hear = |event| {
                if let Event::Reply(reply) = event {
                    said = Some(*reply);
                }
                Ok(())
            };
            link.call(request, &mut hear).ok()?;
            said
        };
        let preview = ask(line.to_owned())?;
        let publish = preview.buttons.iter().flatten().find(|it| it.line.starts_with("/publish"))?.line.clone();
        let reply = ask(publish)?;
        let text: String = reply
            .blocks
            .iter()
            .map(|block| match block {
                record::reply::Block::Text(line) => line.plain(),
                _ => String::new(),
            })
            .collect();
        let number = text.split("Recorded as x#").nth(1)?;
        number.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_nothing_acknowledged_is_lost_and_everybody_is_served() {
    let cycles = std::env::var("STRILLONE_KILLS").ok().and_then(|it| it.parse().ok());
    let cycles: usize = cycles.unwrap_or(if long() { 2_000 } else { 50 });
    let mut dice = Dice(seed("kills"));
    let mut press = Press::new(&fast()).await;
    // Discord lets a bot connect 1000 times a day, and ours waits for the next: this run is many days.
    press.discord.rules(|rules| rules.identifies = 10_000);
    let chats: Vec<Chat> = (0..8).map(|n| press.telegram.private(1_000 + n, "Ann", "en")).collect();
    let guild = press.discord.guild("Crew");
    let channels: Vec<Id> = (0..4).map(|n| press.discord.text_channel(guild, &format!("c{n}"))).collect();
    let followers: Vec<_> =
        chats.iter().map(|it| on_telegram(*it)).chain(channels.iter().map(|it| on_discord(*it))).collect();
    press.follow(&followers);
    super::opened(&open(press.dir()));
    let (acknowledged, over) = (Arc::new(Mutex::new(Acknowledged::default())), Arc::new(AtomicBool::new(false)));
    let left = Arc::new(AtomicUsize::new(0));
    let recorder = Recorder {
        dir: press.dir().to_owned(),
        acknowledged: Arc::clone(&acknowledged),
        over: Arc::clone(&over),
        left: Arc::clone(&left),
        dice: Dice(dice.roll()),
    };
    let recording = std::thread::spawn(move || recorder.run());
    let mut early = 0;
    for _ in 0..cycles {
        left.store(EACH, Ordering::SeqCst);
        // A third of them in the opening, or in the recovery from the kill before; the others while it serves, and pushes.
        let soon = dice.below(3) == 0;
        early += usize::from(soon);
        match soon {
            true => press.begin(),
            false => press.start().await,
        }
        let wait = if soon { dice.below(120) } else { dice.below(900) };
        tokio::time::sleep(Duration::from_millis(wait as u64)).await;
        press.kill();
    }
    left.store(0, Ordering::SeqCst);
    over.store(true, Ordering::SeqCst);
    recording.join().unwrap();
    let meanwhile: usize = chats.iter().map(|chat| press.telegram.messages(*chat).len()).sum();
    assert!(meanwhile > cycles / 4, "it pushed while it was killed: {meanwhile} messages");
    press.start().await;
    let texts = served(&press, &chats, &channels, &acknowledged).await;
    press.kill();
    let known = acknowledged.lock().unwrap();
    let (mut twice, mut unmarked) = (0, 0);
    for chat in &chats {
        let messages = press.telegram.messages(*chat);
        for entry in texts.keys() {
            let copies = copies(&messages, &format!("x#{entry}"));
            twice += copies.len().saturating_sub(1);
            unmarked += copies.iter().skip(1).filter(|it| !it.text.contains("Sent again")).count();
        }
    }
    assert_eq!(unmarked, 0, "a repeat says that it is one");
    assert!(twice <= 8 * cycles, "{twice} repeats after {cycles} kills");
    let store = open(press.dir());
    let report = store.verify().unwrap();
    assert!(report.is_good(), "{report:?}");
    println!(
        "kills: {cycles} ({early} while starting), {} entries and {} corrections acknowledged, {} on record, {meanwhile} \
         messages sent between the kills, {twice} repeats on Telegram, all marked; everybody has everything",
        known.entries.len(),
        known.corrections,
        texts.len()
    );
    assert!(known.entries.len() > cycles / 5, "the program was up long enough to record something");
    press.sound();
}

/// Waits until every chat shows every entry as it reads now; what is on record.
async fn served(
    press: &Press,
    chats: &[Chat],
    channels: &[Id],
    acknowledged: &Mutex<Acknowledged>,
) -> BTreeMap<u32, String> {
    let exported = press.tool(&["export", "--format", "jsonl"], "");
    let texts = on_record(press.dir());
    for (entry, text) in &acknowledged.lock().unwrap().entries {
        assert!(texts.contains_key(entry), "x#{entry} ({text}) was acknowledged and is lost");
        assert!(exported.contains(text.as_str()), "x#{entry}: {text} was acknowledged and is lost");
    }
    for (entry, text) in &texts {
        let name = format!("x#{entry}");
        for chat in chats {
            let what = format!("{name} in {chat:?}: {text}");
            press
                .telegram
                .until(&what, patience(), |it| {
                    copies(&it.messages(*chat), &name).iter().any(|it| it.text.contains(text.as_str())).then_some(())
                })
                .await;
        }
        for channel in channels {
            let what = format!("{name} in {channel}: {text}");
            press
                .discord
                .until(patience(), &what, |it| {
                    let copies: Vec<_> =
                        it.messages(*channel).into_iter().filter(|it| names(&shown(it), &name)).collect();
                    assert!(copies.len() <= 1, "{name} twice in {channel}: {copies:#?}");
                    copies.iter().any(|it| shown(it).contains(text.as_str())).then_some(())
                })
                .await;
        }
    }
    texts
}

/// The entries as they read now, out of a copy of the journal: the program has the store open.
fn on_record(dir: &Path) -> BTreeMap<u32, String> {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("journal")).unwrap();
    for item in std::fs::read_dir(dir.join("journal")).unwrap() {
        let path = item.unwrap().path();
        if path.extension().is_some_and(|it| it == "jsonl") {
            std::fs::copy(&path, copy.path().join("journal").join(path.file_name().unwrap())).unwrap();
        }
    }
    let store = open(copy.path());
    let view = store.view();
    let incident = view.incident("x").unwrap().unwrap();
    (2..=incident.last)
        .filter_map(|number| match view.entry(&incident, number, None).unwrap()?.said {
            Said::Event(it) => Some((number, it.text.plain(Lang::En).to_owned())),
            _ => None,
        })
        .collect()
}
