//! What is known of how Discord's door is, the sign that follows from it, and what owners are told of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use record::lang::Text;
use tokio::time::{Instant, interval};

use super::{send::Wire, watch::Patience};
use crate::{
    config::Platform,
    desk::Desk,
    signs::{Alert, Sign, Words},
};

/// How Discord's door is.
pub struct Health {
    desk: Desk,
    facts: Mutex<Facts>,
}

/// What the sign follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    /// Whether Discord said who we are.
    introduced: bool,
    /// Whether Discord refuses the token.
    refused: bool,
    /// Whether requests are not answered.
    silent: bool,
    /// Whether the gateway shut us out until the next start.
    shut: bool,
    /// Whether interactions are sent to an address of the settings.
    elsewhere: bool,
    /// Since when each shard is away; none while it is connected.
    shards: BTreeMap<u32, Option<Instant>>,
    /// Whether a shard is away for too long.
    away: bool,
}

impl Facts {
    /// The sign that follows; none as long as the first connection is being made.
    fn sign(&self) -> Option<Sign> {
        let connected = self.shards.values().any(Option::is_none);
        match self {
            Facts { refused: true, .. } => Some(Sign::TokenRefused),
            Facts { silent: true, .. } => Some(Sign::Unreachable),
            Facts { shut: true, .. } => Some(Sign::Stopped),
            Facts { introduced: false, .. } => None,
            Facts { away: true, .. } => Some(Sign::Unreachable),
            Facts { elsewhere: true, .. } => Some(Sign::InteractionsElsewhere),
            _ => connected.then_some(Sign::Serving),
        }
    }
}

impl Health {
    /// Of a door that is being opened.
    pub fn new(desk: Desk) -> Health {
        desk.signs().set(Platform::Discord, Sign::Connecting);
        Health { desk, facts: Mutex::default() }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts();
        let before = facts.sign();
        change(&mut facts);
        match facts.sign() {
            Some(sign) => self.desk.signs().set(Platform::Discord, sign),
            // What it said before does not hold any more.
            None if before.is_some_and(|sign| sign != Sign::Serving) => {
                self.desk.signs().set(Platform::Discord, Sign::Connecting);
            }
            None => {}
        }
    }

    /// Discord said who we are.
    pub fn introduced(&self) {
        self.note(|facts| (facts.introduced, facts.silent) = (true, false));
    }

    /// Discord cannot be asked who we are.
    pub fn unreachable(&self) {
        self.note(|facts| facts.silent = true);
    }

    /// Whether Discord refuses the token.
    pub fn refused(&self, refused: bool) {
        self.note(|facts| facts.refused = refused);
    }

    /// There are this many shards now, none of them connected: one after the other begins.
    pub fn shards(&self, count: u32, between: Duration) {
        let now = Instant::now();
        self.note(|facts| facts.shards = (0..count).map(|id| (id, Some(now + between * id))).collect());
    }

    /// Whether a shard is connected.
    pub fn shard(&self, id: u32, connected: bool) {
        self.note(|facts| {
            let shard = facts.shards.entry(id).or_insert(Some(Instant::now()));
            match connected {
                true => *shard = None,
                false => *shard = shard.or_else(|| Some(Instant::now())),
            }
            facts.away &= facts.shards.values().any(Option::is_some);
        });
    }

    /// The gateway shut us out until the next start: owners are told.
    pub fn shut(&self, code: u16, why: &str) {
        tracing::error!(code, why, "Discord's gateway shut me out; no command comes until the next start");
        self.note(|facts| facts.shut = true);
        self.tell(Words {
            en: format!("Discord's gateway shut me out (code {code}: {why}). Commands there do not reach me until I am restarted; posts go on."),
            it: format!("Il gateway di Discord mi ha escluso (codice {code}: {why}). I comandi dati lì non mi arrivano finché non vengo riavviato; le pubblicazioni continuano."),
        });
    }

    /// Whether interactions are sent elsewhere; owners are told once.
    pub fn elsewhere(&self, elsewhere: bool) {
        let known = std::mem::replace(&mut self.facts().elsewhere, elsewhere);
        self.note(|_| {});
        if !elsewhere || known {
            return;
        }
        tracing::error!("the application has an Interactions Endpoint URL: commands do not reach me");
        self.tell(Words::from(Text {
            en: "Commands on Discord do not reach me: the application has an Interactions Endpoint URL. Clear that field in the developer portal (General Information); I look again by myself. Posts go on.",
            it: "I comandi su Discord non mi arrivano: l'applicazione ha un Interactions Endpoint URL. Svuota quel campo nel developer portal (General Information); ricontrollo da solo. Le pubblicazioni continuano.",
        }));
    }

    /// Whether interactions are known to be sent elsewhere.
    pub fn is_elsewhere(&self) -> bool {
        self.facts().elsewhere
    }

    /// Tells the owners that the token has been refused for a while.
    pub fn tell_refused(&self) {
        tracing::error!("Discord refuses the token; I ask again every minute");
        let words = Text {
            en: "Discord refuses my token, so nothing happens there. I ask again every minute. If you have reset the token, set the new one and restart me.",
            it: "Discord rifiuta il mio token, quindi lì non succede nulla. Riprovo ogni minuto. Se hai rigenerato il token, imposta quello nuovo e riavviami.",
        };
        self.desk.signs().alert(Alert::to_owners(Some(Platform::Discord), words));
    }

    /// Tells the owners that it is taken again.
    pub fn tell_taken(&self) {
        self.tell(Words::from(Text {
            en: "Discord takes my token again. What waited there is on its way.",
            it: "Discord accetta di nuovo il mio token. Quello che era in attesa è in partenza.",
        }));
    }

    fn tell(&self, words: Words) {
        self.desk.signs().alert(Alert::to_owners(None, words));
    }

    /// Looks again and again how everything is. Requests that nobody makes tell nothing, so while Discord does not answer
    /// it is asked something harmless.
    pub async fn watch(&self, wire: &Wire, patience: Patience) {
        let mut looks = interval(patience.look);
        let mut asked = Instant::now();
        loop {
            looks.tick().await;
            let now = Instant::now();
            let silent = wire.standing.silent_for(now);
            self.note(|facts| {
                let shut_out = wire.standing.shut_out_for(now).is_some();
                facts.silent = shut_out || silent.is_some_and(|silent| silent > patience.silence);
                let late = |since: &Instant| now.saturating_duration_since(*since) > patience.outage;
                facts.away = facts.shards.values().flatten().any(late);
            });
            self.ring(wire);
            if silent.is_some_and(|silent| silent > ASK_AFTER) && now.saturating_duration_since(asked) > ASK_AFTER {
                asked = now;
                // What comes of it is noted where every request is.
                let _ = wire.get("/users/@me").await;
            }
        }
    }

    /// See [`ring`].
    pub fn ring(&self, wire: &Wire) {
        ring(wire, &self.desk);
    }
}

/// How long Discord may be silent before it is asked something harmless, and how often then.
const ASK_AFTER: Duration = Duration::from_secs(3);

/// Tells the owners that Discord's protection shuts us out, once for all requests that hear of it.
pub fn ring(wire: &Wire, desk: &Desk) {
    if !wire.standing.take_ring() {
        return;
    }
    tracing::error!("Discord's protection has shut us out; nothing is asked there for ten minutes or longer");
    let words = Text {
        en: "Discord's protection has shut me out for at least ten minutes. I try again by myself; what waits is kept.",
        it: "La protezione di Discord mi ha bloccato per almeno dieci minuti. Riprovo da solo; quanto è in attesa resta in coda.",
    };
    desk.signs().alert(Alert::to_owners(None, words));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_is_no_better_than_the_worst_half() {
        let now = Instant::now();
        let mut facts = Facts { introduced: true, ..Facts::default() };
        assert_eq!(facts.sign(), None, "nothing is connected yet");
        facts.shards = BTreeMap::from([(0, None), (1, Some(now))]);
        assert_eq!(facts.sign(), Some(Sign::Serving));
        facts.elsewhere = true;
        assert_eq!(facts.sign(), Some(Sign::InteractionsElsewhere));
        facts.away = true;
        assert_eq!(facts.sign(), Some(Sign::Unreachable));
        facts.shut = true;
        assert_eq!(facts.sign(), Some(Sign::Stopped));
        facts.silent = true;
        assert_eq!(facts.sign(), Some(Sign::Unreachable), "requests are not answered, though the gateway may be there");
        facts.refused = true;
        assert_eq!(facts.sign(), Some(Sign::TokenRefused));
    }
}
