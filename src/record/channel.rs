//! A place that news goes to: an address with a number of its own, its subscriptions, and what it has muted.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    lang::{Lang, worded},
    private::Address,
    slug::Slug,
    subscription::{News, Subscription},
};

/// The number of a channel: from 1, in the order in which channels first subscribed. It never changes; the address
/// may, so that a move to another address moves nothing else.
pub type ChannelNumber = u32;

/// A network that news goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Telegram.
    Telegram = 1,
    /// Discord.
    Discord = 2,
}

impl Network {
    /// Both.
    pub const ALL: [Network; 2] = [Network::Telegram, Network::Discord];

    /// As addresses write it.
    pub const fn code(self) -> &'static str {
        match self {
            Network::Telegram => "telegram",
            Network::Discord => "discord",
        }
    }

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Network::Telegram => "Telegram",
            Network::Discord => "Discord",
        }
    }
}

impl Address {
    /// The network it is on; none for the terminal and for dossiers.
    pub fn network(&self) -> Option<Network> {
        let code = self.0.split_once(':')?.0;
        Network::ALL.into_iter().find(|network| network.code() == code)
    }

    /// The chat, without the topic.
    pub fn chat(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The chat's number on its network, and the topic's.
    pub fn parts<N: FromStr, T: FromStr>(&self) -> Option<(N, Option<T>)> {
        let (_, rest) = self.0.split_once(':')?;
        match rest.split_once('/') {
            Some((chat, topic)) => Some((chat.parse().ok()?, Some(topic.parse().ok()?))),
            None => Some((rest.parse().ok()?, None)),
        }
    }
}

worded! {
    /// What kind of place a channel is.
    PlaceKind {
        /// One person.
        Private = "private", "private chat", "chat privata";
        /// A group, or a text channel of a server.
        Group = "group", "group", "gruppo";
        /// A topic of a group, or a thread.
        Topic = "topic", "topic", "argomento";
        /// A channel that people follow without writing in it.
        Broadcast = "broadcast", "channel", "canale";
    }
}

/// A place that news goes to, as its subscriptions made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Where it is.
    pub address: Address,
    /// The chat whose choice of language and zone counts: the group of a topic, the server of a channel.
    pub settings: Address,
    /// What kind of place.
    pub place: PlaceKind,
    /// The language in which it subscribed; a choice made with `/lang` counts more.
    pub lang: Lang,
    /// Who subscribed it last, to be told of trouble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Address>,
    /// Its subscriptions, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<Subscription>,
    /// What it does not want to hear of for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mutes: Vec<Mute>,
    /// How often its chat got another address: message numbers belong to the chat that they were sent in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moves: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An incident that a channel does not want to hear of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// The incident.
    pub incident: Slug,
    /// Until when; none for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Channel {
    /// A link to it, where its network has one; else its address. Telegram's leads members of a supergroup or channel
    /// there, Discord's whoever is in the server.
    pub fn place(&self) -> String {
        let plain = || self.address.to_string();
        match (self.address.network(), self.address.parts::<i64, i64>()) {
            (Some(Network::Telegram), Some((chat, topic))) => match chat.to_string().strip_prefix("-100") {
                Some(number) => format!("https://t.me/c/{number}/{}", topic.unwrap_or(1)),
                None => plain(),
            },
            (Some(Network::Discord), Some((channel, _))) => match self.settings.0.strip_prefix("discord:g") {
                Some(server) => format!("https://discord.com/channels/{server}/{channel}"),
                None => plain(),
            },
            _ => plain(),
        }
    }

    /// Whether an incident is muted at a moment.
    pub fn mutes(&self, incident: &Slug, at: DateTime<Utc>) -> bool {
        self.mutes.iter().any(|mute| mute.incident == *incident && mute.until.is_none_or(|until| at < until))
    }

    /// Whether the channel mutes an incident at a moment, with a mute that has an end.
    pub fn mute_ends(&self, incident: &Slug, at: DateTime<Utc>) -> bool {
        self.mutes.iter().any(|mute| mute.incident == *incident && mute.until.is_some_and(|until| at < until))
    }

    /// Whether it followed what an entry is about when that was recorded, and still does, whatever its filters.
    pub fn follows(&self, news: &News) -> bool {
        self.subscriptions.iter().any(|it| it.since < news.commit && it.is_about(news))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_knows_its_network_its_chat_and_its_topic() {
        let topic = Address("telegram:-100123/4".to_owned());
        assert_eq!((topic.network(), topic.chat()), (Some(Network::Telegram), "telegram:-100123"));
        assert_eq!(topic.parts::<i64, i32>(), Some((-100_123, Some(4))));
        let channel = Address("discord:77".to_owned());
        assert_eq!(channel.parts::<u64, u64>(), Some((77, None)));
        assert_eq!(Address("discord:g5".to_owned()).parts::<u64, u64>(), None);
        assert_eq!(Address("import:dossier".to_owned()).network(), None);
    }

    #[test]
    fn a_mute_ends_and_a_place_has_a_link() {
        let until: DateTime<Utc> = "2026-01-02T00:00:00Z".parse().expect("a moment");
        let x: Slug = "x".parse().expect("a handle");
        let mut channel = Channel {
            address: Address("telegram:5".to_owned()),
            settings: Address("telegram:5".to_owned()),
            place: PlaceKind::Private,
            lang: Lang::En,
            by: None,
            subscriptions: Vec::new(),
            mutes: vec![Mute { incident: x.clone(), until: Some(until) }],
            moves: 0,
        };
        assert_eq!(channel.place(), "telegram:5");
        let at = |address: &str, settings: &str| {
            let (address, settings) = (Address(address.to_owned()), Address(settings.to_owned()));
            Channel { address, settings, ..channel.clone() }.place()
        };
        assert_eq!(at("telegram:-100123/4", "telegram:-100123"), "https://t.me/c/123/4");
        assert_eq!(at("discord:77", "discord:g5"), "https://discord.com/channels/5/77");
        assert!(channel.mutes(&x, until - chrono::TimeDelta::seconds(1)) && !channel.mutes(&x, until));
        channel.mutes[0].until = None;
        assert!(channel.mutes(&x, until));
    }
}
