//! How a command that records becomes a draft, a draft a preview, and the draft entries: worked out anew each time from
//! what was typed, so that what is published fits what is known then.

use std::{cell::Cell, collections::BTreeMap};

use chrono_tz::Tz;
use record::{
    channel::Network,
    entry::{Author, Draft, EntryName, Importance, Level, Ref, Said},
    import::random_key,
    lang::{Prose, Text},
    link::Link,
    pages,
    private::{self, Address, AskKey, Fact},
    reply::{Block, Button, Line, Reply, Tone},
    slug::Slug,
    source::{Source, SourceKind},
    store::{Conflict, Drafted, Expect, Fate, NotSaid, Receipt, Set},
    view::{Entry, Incident, View, local},
    when::When,
};

use super::{
    Ask, Caller, Command, ENTRY, Failure, Given, INCIDENT, LINK, Role, Room, Shape, Spec, conflict,
    decide::{self, OPERATOR},
    dialogue, read, unsaid,
};

/// A command that records.
pub struct Recording {
    /// The command.
    pub command: &'static Command,
    /// Works out what it records: the entry itself is written last.
    pub compose: fn(&mut Pen<'_>) -> Result<(), Failure>,
    /// What can still be chosen under its preview.
    pub offers: Offers,
}

/// What can still be chosen under a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offers {
    /// Only whether to publish it.
    Nothing,
    /// How much it matters.
    Importance,
    /// How loudly it corrects, and how much what it corrects matters.
    Level,
}

/// What works out the entries of a draft.
pub struct Pen<'a> {
    /// What is known.
    pub room: &'a Room<'a>,
    /// Whoever looks at it, and in which language they are answered.
    pub ask: &'a Ask,
    /// What was typed.
    pub draft: &'a private::Draft,
    author: Author,
    entries: Vec<Draft>,
    /// The argument that was looked at last.
    at: Cell<&'static str>,
}

impl<'a> Pen<'a> {
    fn new(room: &'a Room<'a>, ask: &'a Ask, draft: &'a private::Draft, author: Author) -> Pen<'a> {
        Pen { room, ask, draft, author, entries: Vec::new(), at: Cell::new("") }
    }

    /// What was given for an argument.
    pub fn given(&self, of: &Spec) -> Option<&str> {
        self.at.set(of.name);
        self.draft.given.get(of.name).map(String::as_str)
    }

    /// What was given for an argument that must be.
    pub fn need(&self, of: &Spec) -> Result<&str, Failure> {
        self.given(of).ok_or_else(|| Failure::Broke(format!("{} was not checked for", of.name)))
    }

    /// The incident it belongs to.
    pub fn incident(&self) -> Result<Incident, Failure> {
        (INCIDENT.read)(self.room, self.ask, self.need(&INCIDENT.spec)?)
    }

    /// The entry that is put right or taken back: neither can be done to what was taken back.
    pub fn subject(&self) -> Result<(Incident, Entry), Failure> {
        let (incident, entry) = (ENTRY.read)(self.room, self.ask, self.need(&ENTRY.spec)?)?;
        if let Some(retracted) = &entry.retracted {
            return Err(self::retracted(self.ask, entry.name.clone(), incident.name(retracted.number)));
        }
        if let Some(Ref::Number(subject)) = entry.said.subject() {
            let subject = incident.name(subject).to_string();
            let words = self.ask.say(
                " itself changes an earlier entry, and stays as it is. What you mean may be ",
                " modifica a sua volta una voce precedente e resta com'è. Forse intendi ",
            );
            return Err(Failure::refused(
                Line::new().strong(entry.name.to_string()).text(words).strong(subject).text("."),
            ));
        }
        Ok((incident, entry))
    }

    /// A text, in the language it was typed in.
    pub fn prose(&self, of: &Spec) -> Result<Prose, Failure> {
        read::prose(self.ask, self.draft.lang, of.name, self.need(of)?)
    }

    /// A title, in the language it was typed in: one line.
    pub fn title(&self, of: &Spec) -> Result<Prose, Failure> {
        let title = read::name(self.ask, of.name, self.need(of)?)?;
        read::prose(self.ask, self.draft.lang, of.name, &title)
    }

    /// A date, on the incident's clock.
    pub fn when(&self, of: &Spec, incident: &Incident) -> Result<When, Failure> {
        read::when(self.ask, self.need(of)?, incident.zone())
    }

    /// A date to come, on the incident's clock.
    pub fn ahead(&self, of: &Spec, incident: &Incident) -> Result<When, Failure> {
        read::ahead(self.ask, self.need(of)?, incident.zone())
    }

    /// The source behind the link, if one was given: the one that is known, or a new one that is written with it.
    pub fn sources(&mut self, incident: &Incident) -> Result<Vec<Ref>, Failure> {
        let Some(typed) = self.given(&LINK) else { return Ok(Vec::new()) };
        let link = read::link(self.ask, typed)?;
        if let Some(number) = self.room.view.source_at(incident, &link)? {
            return Ok(vec![Ref::Number(number)]);
        }
        let here = Ref::Here(self.entries.len());
        self.add(&incident.handle, Importance::Minor, false, Said::Source(bare_source(link)))?;
        Ok(vec![here])
    }

    /// Writes the entry itself.
    pub fn write(&mut self, incident: &Slug, said: Said) -> Result<(), Failure> {
        self.write_as(incident, self.draft.importance.unwrap_or_default(), said)
    }

    /// Writes the entry itself, where how much it matters is not the draft's to say.
    pub fn write_as(&mut self, incident: &Slug, importance: Importance, said: Said) -> Result<(), Failure> {
        self.add(incident, importance, true, said)
    }

    /// Whoever follows is told of the entry itself, and not also of the source that comes with it.
    fn add(&mut self, incident: &Slug, importance: Importance, push: bool, said: Said) -> Result<(), Failure> {
        let key = random_key().map_err(|not_said| unsaid(self.ask, not_said))?;
        let (incident, author) = (incident.clone(), self.author.clone());
        self.entries.push(Draft { incident, author, key, importance, known: None, dossier: false, push, said });
        Ok(())
    }
}

/// A source of which only the address is known. What kind of publication it is, nobody said.
pub fn bare_source(link: Link) -> Source {
    let publisher = link.host().to_owned();
    Source { kind: SourceKind::Site, publisher, title: None, date: None, link: Some(link), archived: None, note: None }
}

/// Keeps what a command would record as a draft, and shows how it will be posted; nothing is recorded yet.
pub fn propose(room: &Room<'_>, ask: &Ask, recording: &Recording, given: &Given) -> Result<Reply, Failure> {
    keep(room, ask, recording, told(room, ask, recording.command, given)?)
}

/// What was typed, with incidents and entries by their whole names: a beginning that is unique today may not be so when
/// it is published.
pub fn told(room: &Room<'_>, ask: &Ask, command: &Command, given: &Given) -> Result<BTreeMap<String, String>, Failure> {
    let (mut told, mut zone) = (BTreeMap::new(), None);
    for arg in command.args {
        let Some(typed) = given.get(arg.name) else { continue };
        let whole = whole(room, ask, arg, typed, zone)?;
        if arg.shape == Shape::Incident {
            zone = Some((INCIDENT.read)(room, ask, &whole)?.zone());
        }
        told.insert(arg.name.to_owned(), whole);
    }
    Ok(told)
}

/// Keeps a suggestion, whoever makes it.
pub fn suggest(room: &Room<'_>, ask: &Ask, recording: &Recording, given: &Given) -> Result<Reply, Failure> {
    let caller = Caller { role: ask.caller.role.min(Role::Contributor), incidents: Vec::new(), ..ask.caller.clone() };
    let ask = Ask { caller, ..ask.clone() };
    let mut told = told(room, &ask, recording.command, given)?;
    if let Some(incident) = told.get(INCIDENT.spec.name).cloned() {
        let zone = (INCIDENT.read)(room, &ask, &incident)?.zone();
        let today = When::day(local(ask.at, zone).date());
        told.entry("when".to_owned()).or_insert_with(|| today.to_string());
    }
    keep(room, &ask, recording, told)
}

/// A value as a draft keeps it; `zone` is the incident's, where that is known.
pub fn whole(room: &Room<'_>, ask: &Ask, arg: &Spec, typed: &str, zone: Option<Tz>) -> Result<String, Failure> {
    Ok(match (arg.shape, zone) {
        (Shape::Incident, _) => (INCIDENT.read)(room, ask, typed)?.handle.to_string(),
        (Shape::Entry, _) => (ENTRY.read)(room, ask, typed)?.1.name.to_string(),
        // "Yesterday" is a day: another one when it is published.
        (Shape::Ahead, Some(zone)) => read::ahead(ask, typed, zone)?.to_string(),
        (Shape::When, Some(zone)) => read::when(ask, typed, zone)?.to_string(),
        _ => typed.to_owned(),
    })
}

/// What is wrong with what was given so far, if something is, and with which argument: a command looks at its arguments
/// in turn.
pub fn check(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    given: BTreeMap<String, String>,
) -> Result<(), (&'static str, Failure)> {
    let (command, lang) = (recording.command.name.to_owned(), ask.lang);
    let draft = private::Draft {
        by: None,
        command,
        given,
        lang,
        seen: None,
        importance: None,
        level: None,
        suggested: false,
        last: None,
    };
    let mut pen = Pen::new(room, ask, &draft, Author(String::new()));
    match (recording.compose)(&mut pen) {
        Err(Failure::Broke(_)) if !draft.given.contains_key(pen.at.get()) => Ok(()),
        Err(failure) => Err((pen.at.get(), failure)),
        Ok(()) => Ok(()),
    }
}

/// Keeps a draft, and shows it.
pub fn keep(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    given: BTreeMap<String, String>,
) -> Result<Reply, Failure> {
    let seen = seen(room, ask, &given)?;
    let (by, command) = (ask.caller.address.clone(), recording.command.name.to_owned());
    let suggested = ask.caller.role < Role::Moderator;
    let mut draft = private::Draft {
        by,
        command,
        given,
        lang: ask.lang,
        seen,
        importance: None,
        level: None,
        suggested,
        last: None,
    };
    let set = entries(room, ask, recording, &draft, Author(String::new()))?;
    decide::no_leak(room, ask, &set)?;
    let incident = set.last().map(|last| last.incident.clone());
    if let Some(incident) = &incident {
        decide::may_decide(ask, incident)?;
        draft.last = room.view.incident(incident.as_str())?.map(|incident| incident.last);
    }
    if suggested {
        room_for_one_more(room, ask)?;
    }
    let draft = Drafted::Fact(Fact::Draft(draft));
    let said = [draft].into_iter().chain(dialogue::over(room, ask)?.map(Drafted::Fact)).collect();
    let receipt = write(room, ask, Set { ask: ask.key.clone(), expects: Vec::new(), said, at: ask.at })?;
    show(room, ask, recording, receipt.first)
}

/// Shows a draft to whoever gave it, as it reads now; whoever suggests is thanked.
pub fn show(room: &Room<'_>, ask: &Ask, recording: &Recording, number: u64) -> Result<Reply, Failure> {
    // Where the ask came twice, this is the draft of the first time.
    let draft = waiting(room, ask, number)?.map_err(|over| Failure::Refused(Box::new(over)))?;
    if draft.suggested {
        let thanks = thanks(ask);
        let dated =
            recording.command.args.iter().all(|arg| arg.shape != Shape::When || draft.given.contains_key(arg.name));
        return Ok(match dated {
            true => thanks,
            false => thanks.note(ask.say(
                "You gave no date, so it is dated today.",
                "Non hai indicato una data, quindi porta quella di oggi.",
            )),
        });
    }
    let mut reply = preview(room, ask, recording, number, &draft)?;
    // A draft is for whoever gave it; where a door can, nobody else sees it.
    reply.personal = true;
    Ok(reply)
}

/// How many suggestions of one person may wait, and how many in all.
const SUGGESTIONS: (usize, usize) = (5, 500);

/// Whether one more suggestion can wait.
fn room_for_one_more(room: &Room<'_>, ask: &Ask) -> Result<(), Failure> {
    let waiting = room.view.suggestions()?;
    let own = waiting.iter().filter(|(_, by)| Some(by) == ask.caller.address.as_ref()).count();
    if own >= SUGGESTIONS.0 {
        return Err(Failure::refused(ask.say(
            format!("{own} of your suggestions wait to be decided on. Please let them be decided on first."),
            format!("{own} delle tue proposte aspettano una decisione. Attendi prima che si decida su quelle."),
        )));
    }
    if waiting.len() >= SUGGESTIONS.1 {
        return Err(Failure::refused(ask.say(
            "Too many suggestions wait at the moment. Please try again in a few hours.",
            "In questo momento ci sono troppe proposte in attesa. Riprova fra qualche ora.",
        )));
    }
    Ok(())
}

/// What whoever suggests something is told.
fn thanks(ask: &Ask) -> Reply {
    let words = ask.say(
        "Thank you. Those who keep the record decide about it; I tell you in private what becomes of it.",
        "Grazie. Decide chi tiene il registro; ti dirò in privato che cosa ne è stato.",
    );
    let reply = Reply::personal(Tone::Good, words);
    match ask.caller.address.as_ref().and_then(Address::network) {
        Some(Network::Telegram) if ask.place.shared => reply.note(ask.say(
            "For that, write to me once in a private chat: I may not begin one.",
            "Per questo scrivimi una volta in privato: non posso essere io a cominciare.",
        )),
        _ => reply,
    }
}

/// The incident that a draft is about.
pub fn incident_of(room: &Room<'_>, ask: &Ask, recording: &Recording, draft: &private::Draft) -> Result<Slug, Failure> {
    let set = entries(room, ask, recording, draft, Author(String::new()))?;
    let last = set.last().ok_or_else(|| Failure::Broke(format!("/{} records nothing", draft.command)))?;
    Ok(last.incident.clone())
}

/// Puts a draft that reads otherwise in the place of another: in one set, so that of all who decide on the old one only
/// the first does.
pub fn replace(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    number: u64,
    old: &private::Draft,
    given: BTreeMap<String, String>,
) -> Result<Result<Reply, Reply>, Failure> {
    let same = given.get(ENTRY.spec.name) == old.given.get(ENTRY.spec.name);
    let seen = if same { old.seen } else { seen(room, ask, &given)? };
    // Whoever suggested it is still told what becomes of it.
    let by = if old.suggested { old.by.clone() } else { ask.caller.address.clone() };
    let draft = private::Draft { by, given, seen, ..old.clone() };
    let set = entries(room, ask, recording, &draft, Author(String::new()))?;
    decide::no_leak(room, ask, &set)?;
    for entry in &set {
        decide::may_decide(ask, &entry.incident)?;
    }
    let said = vec![
        Drafted::Fact(Fact::Decided { draft: number, published: false, by: ask.caller.address.clone() }),
        Drafted::Fact(Fact::Draft(draft.clone())),
    ];
    let receipt = write(room, ask, Set { ask: Some(decision(number)), expects: Vec::new(), said, at: ask.at })?;
    if !receipt.repeated {
        let number = receipt.first + 1;
        return Ok(Ok(preview(room, ask, recording, number, &draft)?));
    }
    match waiting(room, ask, number)? {
        Err(over) => Ok(Err(over)),
        Ok(_) => Err(Failure::Broke(format!("draft {number} was decided on and still waits"))),
    }
}

/// The newest change of the entry that a draft is about, if it is about one.
fn seen(room: &Room<'_>, ask: &Ask, given: &BTreeMap<String, String>) -> Result<Option<u32>, Failure> {
    let Some(name) = given.get(ENTRY.spec.name) else { return Ok(None) };
    Ok(Some(newest(&(ENTRY.read)(room, ask, name)?.1)))
}

/// The number of an entry's newest change, or its own.
pub fn newest(entry: &Entry) -> u32 {
    let retracted = entry.retracted.as_ref().map(|retracted| retracted.number);
    retracted.or(entry.corrections.last().map(|last| last.number)).unwrap_or(entry.name.number)
}

/// The entries that a draft comes to: sources first, itself last.
pub fn entries(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    draft: &private::Draft,
    author: Author,
) -> Result<Vec<Draft>, Failure> {
    let mut pen = Pen::new(room, ask, draft, author);
    (recording.compose)(&mut pen)?;
    Ok(pen.entries)
}

/// The same, for whoever only looks at them.
pub fn entries_of(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    draft: &private::Draft,
) -> Result<Vec<Draft>, Failure> {
    entries(room, ask, recording, draft, Author(String::new()))
}

/// A draft is decided on once, whoever presses and however often: the writer takes the first.
pub fn decision(number: u64) -> AskKey {
    AskKey { platform: "draft".to_owned(), bot: String::new(), id: number.to_string() }
}

/// The draft that took the place of one that was changed.
pub fn successor(view: &View<'_>, number: u64) -> Result<Option<u64>, Failure> {
    let Some(row) = view.handed_in(&decision(number))? else { return Ok(None) };
    let (first, lines) = (row.first, row.lines);
    let next = first + 1;
    Ok(if lines > 1 && view.draft(next)?.is_some() { Some(next) } else { None })
}

/// A draft that waits to be published; or the answer to whoever asks for one that does not.
pub fn waiting(room: &Room<'_>, ask: &Ask, number: u64) -> Result<Result<private::Draft, Reply>, Failure> {
    let view = room.store.view();
    let Some(row) = view.draft(number)? else {
        return Err(Failure::refused(
            ask.say(format!("There is no draft {number}."), format!("Non c'è una bozza numero {number}.")),
        ));
    };
    if row.fate == Fate::Discarded
        && let Some(next) = successor(&view, number)?
    {
        let words = ask.say(
            format!("This draft was changed meanwhile, and goes on as draft {next}."),
            format!("Nel frattempo questa bozza è stata modificata e prosegue come bozza {next}."),
        );
        let shows = Button::new(ask.say("Show it", "Mostrala"), format!("/redraft {next}"));
        return Ok(Err(Reply { personal: false, ..Reply::personal(Tone::Plain, words) }.row(shows)));
    }
    Ok(match row.fate {
        Fate::Open => Ok(row.draft),
        Fate::Discarded => Err(Reply {
            personal: false,
            ..Reply::personal(
                Tone::Plain,
                ask.say(
                    "This was discarded already; nothing was recorded.",
                    "Questa bozza è già stata scartata; non è stato registrato nulla.",
                ),
            )
        }),
        Fate::Published { by } => {
            let name = published(room, by)?;
            let line = match &name {
                Some(name) => Line::new()
                    .text(ask.say("This was published already, as ", "È già nel registro, come "))
                    .strong(name.to_string())
                    .text("."),
                None => ask.say("This was published already.", "È già stata pubblicata.").into(),
            };
            Err(done(ask, line, name.as_ref()))
        }
    })
}

/// The entry that a draft became. Its set ends with the line that says so, before which a name for its author may stand.
pub fn published(room: &Room<'_>, by: u64) -> Result<Option<EntryName>, Failure> {
    let view = room.store.view();
    for commit in [by.saturating_sub(1), by.saturating_sub(2)] {
        if let Some(name) = view.name_at(commit)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// What is said once it is done, with a way on. Everybody sees it: it takes the place of the preview and its buttons.
pub fn done(ask: &Ask, line: Line, name: Option<&EntryName>) -> Reply {
    let to_timeline =
        name.and_then(|name| Button::new(ask.say("Timeline", "Cronologia"), format!("/timeline {}", name.incident)));
    Reply { personal: false, ..Reply::personal(Tone::Good, line) }.row(to_timeline)
}

/// Where whoever asks is known.
pub fn address(ask: &Ask) -> Address {
    ask.caller.address.clone().unwrap_or_else(|| Address(OPERATOR.to_owned()))
}

/// The name that whoever asks has in the record, and the fact that gives it to them if they have none yet.
pub fn author(room: &Room<'_>, ask: &Ask) -> Result<(Author, Option<Fact>), Failure> {
    let address = address(ask);
    if let Some(author) = room.view.author(&address)? {
        return Ok((author, None));
    }
    let author = record::import::new_author().map_err(|not_said| unsaid(ask, not_said))?;
    Ok((author.clone(), Some(Fact::Person { address, author })))
}

/// What must still be so when a draft is published: nobody changed the entry since whoever typed it saw it.
pub fn expects(room: &Room<'_>, ask: &Ask, draft: &private::Draft) -> Result<Vec<Expect>, Failure> {
    let (Some(seen), Some(name)) = (draft.seen, draft.given.get(ENTRY.spec.name)) else { return Ok(Vec::new()) };
    let (_, entry) = (ENTRY.read)(room, ask, name)?;
    Ok(vec![Expect::Unrevised { entry: entry.name, seen }])
}

/// How a draft will be posted, with buttons to publish it, discard it, and choose what is left to choose.
pub fn preview(
    room: &Room<'_>,
    ask: &Ask,
    recording: &Recording,
    number: u64,
    draft: &private::Draft,
) -> Result<Reply, Failure> {
    let entries = entries(room, ask, recording, draft, Author(String::new()))?;
    let mut reply = pages::preview(&room.view, &entries, ask.at, &ask.reader())?;
    let words = match draft.suggested {
        false => ask.say(
            "This is how it will be posted. Nothing is recorded until you publish it.",
            "Ecco come verrà pubblicato. Finché non lo pubblichi non viene registrato nulla.",
        ),
        true => ask.say(
            "This is how it will be posted. Nothing is recorded until somebody approves it.",
            "Ecco come verrà pubblicato. Finché qualcuno non lo approva non viene registrato nulla.",
        ),
    };
    reply.blocks.insert(0, Block::Text(words.into()));
    (reply.personal, reply.single) = (false, true);
    // `/redraft` without more shows it again, to those who may decide.
    reply.again = Some(format!("/redraft {number}"));
    reply.buttons.clear();
    let (publish, quietly, discard) = match draft.suggested {
        false => (
            ask.say("Publish", "Pubblica"),
            ask.say("Publish quietly", "Pubblica in silenzio"),
            ask.say("Discard", "Scarta"),
        ),
        true => (
            ask.say("Approve", "Approva"),
            ask.say("Approve quietly", "Approva in silenzio"),
            ask.say("Reject", "Rifiuta"),
        ),
    };
    let decide = [
        Button::new(publish, format!("/publish {number}")),
        Button::new(quietly, format!("/publish {number} quiet:yes")),
        // A door that has no forms shows the line to change in a message of its own: the preview stays.
        Button::fresh(ask.say("Edit", "Modifica"), format!("/edit {number}")),
        Button::new(discard, format!("/discard {number}")),
    ];
    reply = reply.row(decide.into_iter().flatten());
    if recording.offers == Offers::Level {
        let now = Some(draft.level.unwrap_or(Level::Correction));
        let labels = LEVELS.map(|(level, label)| (label.get(ask.lang), now == Some(level), level.code()));
        reply = reply.row(choices(number, "level", labels));
    }
    let now = match recording.offers {
        Offers::Nothing => return Ok(reply),
        Offers::Importance => Some(draft.importance.unwrap_or_default()),
        Offers::Level => draft.importance,
    };
    let labels =
        IMPORTANCES.map(|(importance, label)| (label.get(ask.lang), now == Some(importance), importance.code()));
    Ok(reply.row(choices(number, "importance", labels)))
}

fn choices(number: u64, of: &str, labels: [(&str, bool, &str); 3]) -> Vec<Button> {
    let button = |(label, chosen, code): (&str, bool, &str)| {
        let mark = if chosen { "• " } else { "" };
        Button::new(format!("{mark}{label}"), format!("/redraft {number} {of}:{code}"))
    };
    labels.into_iter().filter_map(button).collect()
}

const IMPORTANCES: [(Importance, Text); 3] = [
    (Importance::Minor, Text { en: "Minor", it: "Minore" }),
    (Importance::Normal, Text { en: "Normal", it: "Normale" }),
    (Importance::Major, Text { en: "Major", it: "Maggiore" }),
];
const LEVELS: [(Level, Text); 3] = [
    (Level::Silent, Text { en: "Silent fix", it: "Ritocco" }),
    (Level::Correction, Text { en: "Correction", it: "Correzione" }),
    (Level::Material, Text { en: "Material", it: "Sostanziale" }),
];

/// Writes what is to be recorded; what does not fit what is known by now is told to the asker.
pub fn write(room: &Room<'_>, ask: &Ask, set: Set) -> Result<Receipt, Failure> {
    room.store.say(set).map_err(|not_said| match not_said {
        NotSaid::Refused(not) => conflict::refused(conflict::told(ask, &not, None)),
        other => unsaid(ask, other),
    })
}

/// That an organisation is recorded already.
pub fn taken(ask: &Ask, handle: Slug, entry: EntryName) -> Failure {
    conflict::refused(conflict::told(ask, &Conflict::OrganisationTaken(handle, entry), None))
}

/// That an entry was taken back already.
pub fn retracted(ask: &Ask, entry: EntryName, by: EntryName) -> Failure {
    conflict::refused(conflict::told(ask, &Conflict::Retracted(entry), Some(by)))
}
