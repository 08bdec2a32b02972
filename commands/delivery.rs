//! `/delivery`: what became of the last entries that were to be posted here.

use record::{
    lang::Text,
    pages,
    reply::{Button, Reply},
};

use crate::{
    kit::{Ask, Command, Failure, Given, Role, Room, WHERE, chat::chat},
    unsubscribe,
};

/// How many are listed.
const LISTED: usize = 10;
/// How many that wait are counted at most.
const COUNTED: usize = 1_000;

/// `/delivery [where]`
pub static DELIVERY: Command = Command {
    name: "delivery",
    about: Text {
        en: "What became of the last posts here: delivered, waiting, refused",
        it: "Che ne è stato degli ultimi messaggi qui: consegnati, in attesa, rifiutati",
    },
    args: &[&WHERE.spec],
    who: Role::Reader,
    manages: true,
    aliases: &[],
    piped: None,
    posts: false,
    sets: false,
    example: "",
    run: delivery,
};

fn delivery(room: &Room<'_>, ask: &Ask, given: &Given) -> Result<Reply, Failure> {
    let chat = chat(ask, given.get(WHERE.spec.name))?;
    let ledger = room.store.ledger();
    let (Some(network), Some((number, _))) = (chat.network(), ledger.channel_at(&chat.address)?) else {
        return Err(Failure::refused(unsubscribe::nothing(ask, &chat)));
    };
    let mailbox = ledger.mailbox(number)?;
    let last = ledger.deliveries(number, 0).rev().take(LISTED).collect::<Result<Vec<_>, _>>()?;
    let mut open = 0;
    if let Some((head, _)) = mailbox.head {
        for row in ledger.deliveries(number, head).take(COUNTED) {
            open += usize::from(row?.1.is_open());
        }
    }
    let unpublished = ledger.unpublished(number);
    let of = pages::Deliveries { last, open, mailbox, unpublished, network, place: chat.named.clone() };
    let reply = pages::deliveries(&room.view, &of, &ask.reader())?;
    Ok(reply.row(Button::new(ask.say("Refresh", "Aggiorna"), chat.line("/delivery"))))
}
