//! `/test`: whether news would arrive here, shown by a sample.

use record::{
    lang::Text,
    reply::{Block, Button, Item, Line, Reply, Tone},
};

use crate::kit::{Ask, Command, Failure, Given, Role, Room, WHERE, chat::chat};

/// `/test [where]`
pub static TEST: Command = Command {
    name: "test",
    about: Text {
        en: "I post a sample here, to see whether news would arrive",
        it: "Pubblico qui un esempio, per vedere se le notizie arriverebbero",
    },
    args: &[&WHERE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &[],
    piped: None,
    posts: true,
    sets: false,
    example: "",
    run: test,
};

fn test(_: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let chat = chat(ask, given.get(WHERE.spec.name))?;
    chat.must_take_posts(ask)?;
    let place = chat.place(ask);
    let words = ask.say(
        format!("I am posting a sample {place}. If it does not show within a minute, news would not arrive either; /delivery tells why."),
        format!("Sto pubblicando {place} un esempio. Se non compare entro un minuto, non arriverebbero nemmeno le notizie; /delivery dice perché."),
    );
    let mut reply = Reply::personal(Tone::Good, words);
    reply.post_to = chat.named.is_some().then(|| chat.address.clone());
    reply.post = Some(Box::new(sample(ask)));
    Ok(reply)
}

/// A post like those that come, about nothing that happened.
fn sample(ask: &Ask) -> Reply {
    let head = Line::new().text(ask.say("Statement · ", "Dichiarazione · ")).strong("Example S.p.A.").text(ask.say(
        " (victim), published by Example News · 1 January 2000",
        " (vittima), tramite Example News · 1º gennaio 2000",
    ));
    let body =
        vec![ask.say("This is how a new entry would read here.", "Così si leggerebbe qui una nuova voce.").into()];
    Reply::titled(Line::new().strong(ask.say("Sample: nothing has happened", "Esempio: non è successo nulla")))
        .with(Block::Item(Item { head, body }))
        .say(ask.say("Source: Example News (made up)", "Fonte: Example News (inventata)"))
        .note(ask.say(
            "asked for with /test · an entry would have its name here, and buttons to its timeline and sources",
            "richiesto con /test · una voce avrebbe qui il suo nome, e pulsanti per cronologia e fonti",
        ))
        .row(
            [
                Button::fresh(ask.say("Followed here", "Seguiti qui"), "/subscriptions"),
                Button::fresh(ask.say("Deliveries", "Consegne"), "/delivery"),
            ]
            .into_iter()
            .flatten(),
        )
}
