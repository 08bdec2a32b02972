//! Pure models of both platforms, as far as pushes go: chats with messages, what they refuse, and their limits.

use std::collections::{BTreeMap, HashMap, VecDeque};

use record::{
    channel::{Network, PlaceKind},
    outbox::{Ms, Outcome},
    private::Address,
    reply::{Block, Reply},
};
use strillone::dispatch::errand::{Errand, Order, Post};

/// A message as people see it.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: u64,
    pub at: Ms,
    /// Where it was meant to go.
    pub to: Address,
    /// Whether it came into the topic, and what it answers.
    pub topic: Option<String>,
    pub reply_to: Option<u64>,
    pub words: String,
    pub mark: Option<String>,
    pub edits: u32,
}

/// A chat.
#[derive(Clone, Debug, Default)]
pub struct Chat {
    pub messages: Vec<Message>,
    pub shut: bool,
    pub closed: bool,
    pub moved: Option<String>,
    pub limited_until: Ms,
    pub no_history: bool,
    /// It refuses everything in words that nobody knows.
    pub refuses: Option<&'static str>,
    /// The last message's number: on Telegram each chat has its own, so a number of before a move is another message's.
    last: u64,
    sent: VecDeque<Ms>,
}

/// One platform.
#[derive(Debug)]
pub struct Platform {
    pub network: Network,
    pub chats: BTreeMap<String, Chat>,
    pub down: bool,
    /// It says of every chat that we may not write there.
    pub refuses_all: bool,
    /// It takes only plain words.
    pub refuses_markup: bool,
    /// It takes nothing that says this.
    pub refuses_words: Option<String>,
    pub per_second: usize,
    pub nonce_window: Ms,
    nonces: HashMap<String, (Ms, String, u64)>,
    sent: VecDeque<Ms>,
    last: u64,
    /// Limits that were exceeded, in words.
    pub exceeded: Vec<String>,
    pub requests: usize,
}

/// Every word of a reply.
pub fn words(reply: &Reply) -> String {
    let mut text = reply.title.plain();
    for block in &reply.blocks {
        let lines = match block {
            Block::Heading(line) | Block::Text(line) | Block::Note(line) => vec![line.clone()],
            Block::Item(item) => [&item.head].into_iter().chain(&item.body).cloned().collect(),
        };
        for line in lines {
            text.push('\n');
            text.push_str(&line.plain());
        }
    }
    text
}

impl Platform {
    pub fn new(network: Network) -> Platform {
        let (per_second, nonce_window) = match network {
            Network::Telegram => (30, 0),
            Network::Discord => (50, 180_000),
        };
        Platform {
            network,
            chats: BTreeMap::new(),
            down: false,
            refuses_all: false,
            refuses_markup: false,
            refuses_words: None,
            per_second,
            nonce_window,
            nonces: HashMap::new(),
            sent: VecDeque::new(),
            last: 1_000,
            exceeded: Vec::new(),
            requests: 0,
        }
    }

    pub fn chat(&mut self, address: &Address) -> &mut Chat {
        self.chats.entry(address.chat().to_owned()).or_default()
    }

    /// A request arrives.
    pub fn arrives(&mut self, order: &Order, now: Ms) -> Outcome {
        if matches!(&order.errand, Errand::Post(post) if post.part > 0) {
            // Everything here is one message: a door sees that without asking anybody.
            return Outcome::Over;
        }
        self.requests += 1;
        self.count(order, now);
        let topic = order.to.0.split_once('/').map(|(_, topic)| topic.to_owned());
        match &order.errand {
            Errand::Probe => return Outcome::Done { id: None, more: false },
            Errand::Publish { .. } => return Outcome::Over,
            Errand::Find { mark, since } => {
                let chat = self.chat(&order.to);
                let found = chat.messages.iter().find(|it| it.at >= *since - 60_000 && it.mark.as_ref() == Some(mark));
                return Outcome::Found(found.filter(|_| !chat.no_history).map(|it| it.id));
            }
            _ => {}
        }
        if self.refuses_all {
            return Outcome::Shut {
                why: "not enough rights to send text messages to the chat".to_owned(),
                right: true,
            };
        }
        if let Errand::Post(post) = &order.errand {
            let refused = self.refuses_words.as_ref().is_some_and(|it| words(&post.reply).contains(it));
            if refused || self.refuses_markup && !post.plain {
                return Outcome::Unknown("Bad Request: STRANGE_WORDS".to_owned());
            }
        }
        let (network, place) = (self.network, order.place);
        let chat = self.chat(&order.to);
        if let Some(to) = &chat.moved {
            return Outcome::Moved(Address(to.clone()));
        }
        if let Some(why) = chat.refuses {
            return Outcome::Unknown(why.to_owned());
        }
        if chat.shut {
            return Outcome::Shut { why: "bot was kicked".to_owned(), right: false };
        }
        if now < chat.limited_until {
            return Outcome::Later { wait: chat.limited_until - now, all: false };
        }
        match &order.errand {
            Errand::Post(post) => {
                if network == Network::Telegram && place == PlaceKind::Topic && chat.closed && !post.general {
                    return Outcome::Closed("TOPIC_CLOSED".to_owned());
                }
                self.posts(order, post, topic.filter(|_| !post.general), now)
            }
            Errand::Edit { message, reply, .. } => {
                let Some(found) = chat.messages.iter_mut().find(|it| it.id == *message) else {
                    return Outcome::Gone("message to edit not found".to_owned());
                };
                found.words = words(reply);
                found.edits += 1;
                Outcome::Done { id: Some(*message), more: false }
            }
            Errand::Find { .. } | Errand::Publish { .. } | Errand::Probe => unreachable!(),
        }
    }

    fn posts(&mut self, order: &Order, post: &Post, topic: Option<String>, now: Ms) -> Outcome {
        let window = self.nonce_window;
        if let Some((at, chat, id)) = self.nonces.get(&post.nonce)
            && now - at < window
            && *chat == order.to.chat()
        {
            return Outcome::Done { id: Some(*id), more: false };
        }
        let id = match self.network {
            Network::Telegram => {
                let chat = self.chat(&order.to);
                chat.last += 1;
                chat.last
            }
            Network::Discord => {
                self.last += 1;
                self.last
            }
        };
        if self.network == Network::Discord {
            self.nonces.insert(post.nonce.clone(), (now, order.to.chat().to_owned(), id));
        }
        let message = Message {
            id,
            at: now,
            to: order.to.clone(),
            topic,
            reply_to: post.reply_to,
            words: words(&post.reply),
            mark: post.reply.mark.clone(),
            edits: 0,
        };
        self.chat(&order.to).messages.push(message);
        Outcome::Done { id: Some(id), more: false }
    }

    /// Counts a request against the limits.
    fn count(&mut self, order: &Order, now: Ms) {
        let most = self.per_second;
        self.sent.retain(|at| now - at < 1_000);
        self.sent.push_back(now);
        if self.sent.len() > most {
            self.exceeded.push(format!("{} in a second at {now}", self.sent.len()));
        }
        if self.network == Network::Discord || matches!(order.errand, Errand::Probe) {
            return;
        }
        let group = order.to.0.starts_with("telegram:-");
        let chat = self.chat(&order.to);
        chat.sent.retain(|at| now - at < 60_000);
        chat.sent.push_back(now);
        if group && chat.sent.len() > 20 {
            let text = format!("{} a minute in {} at {now}", chat.sent.len(), order.to);
            self.exceeded.push(text);
        }
        let chat = self.chat(&order.to);
        let lately = chat.sent.iter().filter(|at| now - **at < 1_000).count();
        if lately > 3 {
            self.exceeded.push(format!("{lately} a second in {} at {now}", order.to));
        }
    }
}
