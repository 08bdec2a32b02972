//! What dispatch asks of a door: one request at a time, and what it came to. When and where is dispatch's; how it is
//! dressed and sent is the door's.

use std::{future::Future, pin::Pin, sync::Arc};

use record::{
    channel::PlaceKind,
    lang::{Lang, Text},
    outbox::{Ms, Outcome},
    private::Address,
    reply::{Line, Reply},
};

/// What stands in a message of several that has nothing more to say, since the entry is shorter by now.
pub const LEFT_OVER: Text = Text {
    en: "(Nothing is left here: the entry above is shorter now.)",
    it: "(Qui non resta nulla: la voce qui sopra ora è più breve.)",
};

/// What stands above a later message of a post that is sent again, because nothing told whether the first try arrived.
pub const SENT_AGAIN: Text =
    Text { en: "(Sent again: it may be here already.)", it: "(Inviato di nuovo: potrebbe essere già qui.)" };
/// What is said at the end of a post that takes more messages by now than it was sent in.
pub fn more_to_read(lang: Lang) -> Line {
    Line::new()
        .text(lang.pick("There is more than fits here: ", "C'è più di quanto stia qui: "))
        .code("/history")
        .text(lang.pick(" tells it.", " lo dice."))
}

/// One request to a platform.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where.
    pub to: Address,
    /// What kind of place that is.
    pub place: PlaceKind,
    /// The language of what is said, for the words that a door adds.
    pub lang: Lang,
    /// What is to be done.
    pub errand: Errand,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Send one message of a reply.
    Post(Post),
    /// Put one message of a reply in the place of an earlier one.
    Edit {
        /// The earlier one.
        message: u64,
        /// What is said.
        reply: Arc<Reply>,
        /// Which of its messages, from 0.
        part: usize,
        /// How many messages there are to put it in: where it takes more, the last one says how to read the rest.
        parts: usize,
        /// Without markup, since that was refused.
        plain: bool,
        /// The message says that it was sent again, which the reply as a whole does not.
        repeat: bool,
    },
    /// Look for a message of ours in the chat's history.
    Find {
        /// Its mark.
        mark: String,
        /// When it was sent, or a little before.
        since: Ms,
    },
    /// Publish a message of an announcement channel to those who follow it elsewhere. Twice is as good as once.
    Publish {
        /// The message.
        message: u64,
    },
    /// Ask for something harmless, to see whether the platform answers.
    Probe,
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub struct Post {
    /// What is said.
    pub reply: Arc<Reply>,
    /// Which of its messages, from 0. [`Outcome::Done`] tells whether there are more.
    pub part: usize,
    /// Without markup, since that was refused.
    pub plain: bool,
    /// The message that it answers.
    pub reply_to: Option<u64>,
    /// The same at every try: at most 25 characters.
    pub nonce: String,
    /// Without a sound.
    pub silent: bool,
    /// The role that it calls.
    pub mention: Option<u64>,
    /// Into the chat itself instead of its topic, which is closed.
    pub general: bool,
    /// The message says that it was sent again, which the reply as a whole does not.
    pub repeat: bool,
}

/// What an order comes to, some time.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A door's way out for news: does what an order says, once, and tells what came of it. It never tries again by itself.
pub trait Courier: Send + Sync {
    /// Carries an order out.
    fn carry<'a>(&'a self, order: &'a Order) -> Carried<'a>;
}
