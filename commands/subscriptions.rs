//! `/subscriptions`: what is followed here; as one line to take elsewhere, and back from it.

use std::collections::HashMap;

use record::{
    channel::Channel,
    entry::{Importance, Kind},
    lang::Text,
    pages,
    reply::{Block, Button, Line, Reply, Tone},
    slug::folded,
    store::Set,
    subscription::Follow,
};

use crate::{
    kit::{
        self, Arg, Ask, Choice, Command, Failure, Given, Role, Room, Shape, Spec, WHERE,
        chat::{Chat, chat},
        shown,
    },
    subscribe::{self, MOST},
    unsubscribe,
};

/// How long one exported line is at most, where it can be parted: Discord takes 1,000 characters in an argument.
const LINE: usize = 900;
/// The names that an item of an exported line gives its filters.
const NAMES: [&str; 7] = ["min_importance", "kinds", "words", "silent", "lapses", "mention", "mention_from"];
/// What stands for signs that mean something in an exported line. The first is undone last.
const ESCAPED: [(&str, &str); 5] = [("%", "%25"), (";", "%3B"), (":", "%3A"), ("\"", "%22"), ("`", "%60")];

/// `/subscriptions [action] [text] [where]`
pub static SUBSCRIPTIONS: Command = Command {
    name: "subscriptions",
    about: Text {
        en: "What is followed here, and how; export and import it as one line",
        it: "Che cosa è seguito qui, e come; si esporta e si importa in una riga",
    },
    args: &[&ACTION.spec, &TEXT.spec, &WHERE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &["list"],
    piped: None,
    posts: true,
    sets: false,
    example: "import westpole min_importance:major; all silent:yes",
    run: subscriptions,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Export,
    Import,
}

static ACTION: Arg<Action> = Arg {
    spec: Spec {
        name: "action",
        about: Text {
            en: "export writes them as one line, import reads such a line",
            it: "export le scrive in una riga, import legge una riga così",
        },
        required: false,
        shape: Shape::Choice(&[
            Choice { code: "export", text: Text { en: "Write them as one line", it: "Scrivile in una riga" } },
            Choice { code: "import", text: Text { en: "Read such a line", it: "Leggi una riga così" } },
        ]),
    },
    read: |_, ask, typed| match folded(typed.trim()).as_str() {
        "export" | "esporta" => Ok(Action::Export),
        "import" | "importa" => Ok(Action::Import),
        _ => {
            let words = ask.say("I can export or import, not ", "So fare export o import, non ");
            Err(Failure::refused(Line::new().text(words).strong(shown(typed)).text(".")))
        }
    },
};

static TEXT: Arg<String> = Arg {
    spec: Spec {
        name: "text",
        about: Text {
            en: "The line to import; a ; parts one subscription from the next",
            it: "La riga da importare; un ; separa un'iscrizione dall'altra",
        },
        required: false,
        shape: Shape::Words,
    },
    read: |_, _, typed| Ok(typed.to_owned()),
};

fn subscriptions(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let action = ACTION.of(room, ask, given)?;
    let text = TEXT.of(room, ask, given)?;
    let named = given.get(WHERE.spec.name);
    if action == Some(Action::Import) {
        let chat = chat(ask, named)?;
        let Some(text) = text else {
            let words = ask.say("Write the line behind it: ", "Scrivi la riga da importare: ");
            let line = Line::new().text(words).code(format!("/{} {}", SUBSCRIPTIONS.name, SUBSCRIPTIONS.example));
            return Err(Failure::refused(line));
        };
        return import(room, ask, &chat, &text);
    }
    if text.is_some() {
        let words = ask.say("Only import takes a text. Use it so: ", "Solo import vuole un testo. Si usa così: ");
        return Err(Failure::refused(Line::new().text(words).code(SUBSCRIPTIONS.usage_at(ask))));
    }
    // Anybody may look.
    let mut looking = ask.clone();
    looking.place.manages = true;
    let chat = chat(&looking, named)?;
    let known = room.view.channel_at(&chat.address)?;
    let Some((number, channel)) = known.filter(|(_, channel)| !channel.subscriptions.is_empty()) else {
        return Err(Failure::refused(unsubscribe::nothing(ask, &chat)));
    };
    match action {
        Some(_) => Ok(export(ask, &channel)),
        None => list(room, ask, &chat, (number, &channel)),
    }
}

fn list(room: &Room<'_>, ask: &Ask, chat: &Chat, (number, channel): (u32, &Channel)) -> Result<Reply, Failure> {
    let mailbox = room.store.ledger().mailbox(number)?;
    let mut reply = pages::subscriptions(&room.view, channel, mailbox.trouble.as_ref(), ask.at, &ask.reader())?;
    if let Some(name) = &chat.named {
        reply.title = Line::new().strong(ask.say(format!("Followed in {name}"), format!("Seguiti in {name}")));
    }
    let lacks = chat.lacks(ask);
    if !lacks.is_empty() {
        let place = chat.place(ask);
        let words = ask.say(
            format!("At the moment I cannot post {place}:"),
            format!("In questo momento non posso pubblicare {place}:"),
        );
        reply = lacks.into_iter().fold(reply.say(Line::new().strong(words)), Reply::say);
    }
    let buttons = unsubscribe::buttons(room, ask, chat, channel)?;
    if buttons.len() < channel.subscriptions.len() {
        let words = ask.say("To end one that has no button: ", "Per togliere le altre: ");
        reply = reply.note(Line::new().text(words).code("/unsubscribe"));
    }
    for row in buttons.chunks(5) {
        reply = reply.row(row.iter().cloned());
    }
    Ok(reply.row(
        [
            Button::new(ask.say("Export", "Esporta"), chat.line("/subscriptions export")),
            Button::new(ask.say("Deliveries", "Consegne"), chat.line("/delivery")),
        ]
        .into_iter()
        .flatten(),
    ))
}

/// The line, in pieces where it is long.
fn export(ask: &Ask, channel: &Channel) -> Reply {
    let mut lines: Vec<String> = Vec::new();
    for subscription in &channel.subscriptions {
        let item = written(&subscription.follow);
        match lines.last_mut() {
            Some(line) if line.len() + item.len() < LINE => *line += &format!("; {item}"),
            _ => lines.push(item),
        }
    }
    let words = match lines.len() {
        1 => ask.say(
            "This line takes the subscriptions elsewhere; put it behind ",
            "Questa riga porta altrove le iscrizioni; scrivila dopo ",
        ),
        _ => ask.say(
            "These lines take the subscriptions elsewhere; put each of them behind ",
            "Queste righe portano altrove le iscrizioni; scrivi ciascuna dopo ",
        ),
    };
    let reply = Reply::personal(Tone::Plain, Line::new().text(words).code("/subscriptions import").text(":"));
    lines.into_iter().fold(reply, |reply, line| reply.say(Line::new().code(line)))
}

/// A subscription as one item of an exported line.
fn written(follow: &Follow) -> String {
    let mut item = follow.what.to_string();
    if follow.min_importance > Importance::Minor {
        item += &format!(" min_importance:{}", follow.min_importance.code());
    }
    if !follow.kinds.is_empty() {
        let kinds: Vec<&str> = follow.kinds.iter().copied().map(Kind::code).collect();
        item += &format!(" kinds:{}", kinds.join(","));
    }
    if !follow.words.is_empty() {
        let escape = |text: String| ESCAPED.iter().fold(text, |text, (sign, code)| text.replace(sign, code));
        item += &format!(" words:\"{}\"", escape(follow.words.join(",")));
    }
    if follow.silent {
        item += " silent:yes";
    }
    if follow.lapses {
        item += " lapses:yes";
    }
    if let Some(mention) = follow.mention {
        item += &format!(" mention:{}", mention.role);
        if mention.from > Importance::Minor {
            item += &format!(" mention_from:{}", mention.from.code());
        }
    }
    item
}

fn import(room: &Room<'_>, ask: &Ask, chat: &Chat, text: &str) -> Result<Reply, Failure> {
    chat.must_take_posts(ask)?;
    let mut follows: Vec<Follow> = Vec::new();
    for (at, item) in text.split(';').map(str::trim).filter(|item| !item.is_empty()).enumerate() {
        if at == MOST {
            return Err(Failure::refused(subscribe::too_many(ask)));
        }
        let follow =
            read(room, ask, chat, item).and_then(|follow| match follows.iter().any(|it| it.what == follow.what) {
                true => Err(Failure::refused(ask.say("it is there twice.", "compare due volte."))),
                false => Ok(follow),
            });
        follows.push(follow.map_err(|failure| in_item(ask, at + 1, item, failure))?);
    }
    if follows.is_empty() {
        return Err(Failure::refused(ask.say("There is nothing in that line.", "In quella riga non c'è nulla.")));
    }
    let before = room.view.channel_at(&chat.address)?.map(|(_, channel)| channel);
    let known = |follow: &&Follow| {
        before.as_ref().is_some_and(|channel| channel.subscriptions.iter().any(|it| it.follow.what == follow.what))
    };
    let changed = follows.iter().filter(known).count();
    let new = follows.len() - changed;
    if new + before.as_ref().map_or(0, |channel| channel.subscriptions.len()) > MOST {
        return Err(Failure::refused(subscribe::too_many(ask)));
    }
    let mut lines = Vec::new();
    for follow in &follows {
        lines.push(Line::new().text("— ").join(pages::promise(&room.view, follow, None, &ask.reader())?));
    }
    let said = subscribe::facts(ask, chat, follows);
    kit::say(room, ask, Set { ask: ask.key.clone(), expects: Vec::new(), said, at: ask.at })?;
    let reply = Reply::default().say(counted(ask, new, changed));
    Ok(lines.into_iter().fold(reply, |reply, line| reply.with(Block::Text(line))))
}

/// "2 subscriptions are new, 1 has changed. From now on:"
fn counted(ask: &Ask, new: usize, changed: usize) -> String {
    let new = match new {
        0 => None,
        1 => Some(ask.say("1 subscription is new".to_owned(), "1 iscrizione è nuova".to_owned())),
        n => Some(ask.say(format!("{n} subscriptions are new"), format!("{n} iscrizioni sono nuove"))),
    };
    let changed = match (changed, new.is_some()) {
        (0, _) => None,
        (1, true) => Some(ask.say("1 has changed".to_owned(), "1 è cambiata".to_owned())),
        (n, true) => Some(ask.say(format!("{n} have changed"), format!("{n} sono cambiate"))),
        (1, false) => Some(ask.say("1 subscription has changed".to_owned(), "1 iscrizione è cambiata".to_owned())),
        (n, false) => Some(ask.say(format!("{n} subscriptions have changed"), format!("{n} iscrizioni sono cambiate"))),
    };
    let counts: Vec<String> = [new, changed].into_iter().flatten().collect();
    format!("{}. {}", counts.join(", "), ask.say("From now on:", "D'ora in poi:"))
}

/// Reads an item: what is followed up to the first `name:`, then each filter up to the next.
fn read(room: &Room<'_>, ask: &Ask, chat: &Chat, item: &str) -> Result<Follow, Failure> {
    let mut values: HashMap<&str, String> = HashMap::new();
    let mut name = "what";
    for word in item.replace('"', "").split_whitespace() {
        let (begins, value) = word.split_once(':').unwrap_or(("", word));
        if begins == "what" && values.is_empty() {
            // As the argument of `/subscribe` is called.
        } else if let Some(known) = NAMES.iter().find(|known| **known == begins) {
            name = known;
            if values.contains_key(name) {
                let words = ask.say(" is there twice.", " compare due volte.");
                return Err(Failure::refused(Line::new().code(format!("{name}:")).text(words)));
            }
        } else if !begins.is_empty() && name != "words" {
            let words = ask.say(" is not a filter. There are: ", " non è un filtro. Ci sono: ");
            return Err(Failure::refused(
                Line::new().code(shown(&format!("{begins}:"))).text(words).text(NAMES.join(", ")).text("."),
            ));
        }
        let value = if begins == name { value } else { word };
        let sofar = values.entry(name).or_default();
        if !sofar.is_empty() && !value.is_empty() {
            sofar.push(' ');
        }
        sofar.push_str(value);
    }
    if let Some(words) = values.get_mut("words") {
        *words = ESCAPED.iter().rev().fold(words.clone(), |text, (sign, code)| text.replace(code, sign));
    }
    if !values.contains_key("what") {
        return Err(Failure::refused(ask.say(
            "it does not say what to follow: an incident, an organisation, or all.",
            "non dice che cosa seguire: un incidente, un'organizzazione, oppure all.",
        )));
    }
    subscribe::follow(room, ask, chat, &|name| values.get(name).cloned())
}

/// The refusal of one item refuses all.
fn in_item(ask: &Ask, number: usize, item: &str, failure: Failure) -> Failure {
    let Failure::Refused(reply) = failure else { return failure };
    let words = ask.say(
        format!("Nothing has changed, because of item {number}, "),
        format!("Non è cambiato nulla, per via della voce {number}, "),
    );
    let mut line = Line::new().text(words).strong(shown(item)).text(": ");
    for block in reply.blocks {
        if let Block::Text(why) = block {
            line = line.join(why);
        }
    }
    Failure::refused(line)
}
