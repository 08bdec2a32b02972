//! What is said to a channel: a new entry, several at once, or a change of what it has.

use std::sync::Arc;

use record::{
    channel::{Channel, ChannelNumber, Network},
    entry::{EntryName, Level},
    lang::Lang,
    outbox::{self, Delivery, Ms, Reason, State},
    pages::{self, How, Reader},
    private::Address,
    reply::Reply,
    store::Due,
    view::{Entry, Incident, View},
};

use super::{
    super::{
        errand::{Errand, Order, Post},
        lane::Doing,
    },
    Kept, Office, Step, Subject, words,
};

/// What is said, and where.
impl Office {
    /// An entry that the channel is to have.
    pub(super) fn post(
        &mut self,
        due: Due,
        channel: &Channel,
        mut delivery: Delivery,
        subject: &Subject,
        view: &View<'_>,
        now: Ms,
    ) -> Kept<Step> {
        if delivery.is_stale(channel.moves) {
            // The parts before went to the chat as it was before it moved.
            delivery.ids.iter_mut().for_each(|id| *id = 0);
        }
        let begun = !delivery.ids.is_empty() || delivery.state == State::Flying || delivery.repeats > 0;
        if !begun {
            let why = match self.unwanted(channel, due.commit, subject, view, now)? {
                None => subject.entry.retracted.is_some().then_some(Reason::Retracted),
                unwanted => unwanted,
            };
            if let Some(why) = why {
                return self.nothing(due, delivery, why, now);
            }
        }
        let card = self.late_entries(due, channel, &delivery, view, now)?;
        let reader = words::reader(&self.store, channel, self.rules.zone)?;
        let how = self.how(due.channel, &mut delivery, view)?;
        let (reply, told) = match &card {
            Some(card) => {
                let entries: Vec<_> = card.iter().map(|(_, it)| (it.incident.clone(), it.entry.clone())).collect();
                let reply = pages::catch_up(view, &entries, &how, &reader)?;
                delivery.card = Some((due.commit, card.last().map_or(due.commit, |(commit, _)| *commit)));
                (Arc::new(reply), card.iter().map(|(commit, _)| *commit).collect())
            }
            None => {
                delivery.card = None;
                let about = (&subject.incident, &subject.entry);
                let reply = match subject.lapse {
                    true => Arc::new(pages::lapsed(view, about, &how, &reader)?),
                    false => self.words.notice(view, about, &how, &reader)?,
                };
                (reply, vec![due.commit])
            }
        };
        let head = view.head().commit;
        let doing = Doing::Post { told, copy: !subject.lapse, doubts: !how.doubts.is_empty() };
        self.send(due, channel, delivery, reply, None, &reader.lang, (doing, subject), (head, now))
    }

    /// Why a channel does not want to hear of an entry any more, if it does not.
    fn unwanted(
        &self,
        channel: &Channel,
        commit: u64,
        subject: &Subject,
        view: &View<'_>,
        now: Ms,
    ) -> Kept<Option<Reason>> {
        let news = view.news(&subject.incident, &subject.entry, commit)?;
        Ok(match (channel.follows(&news), channel.mutes(&subject.incident.handle, self.moment(now))) {
            (false, _) => Some(Reason::Unsubscribed),
            (true, true) => Some(Reason::Muted),
            (true, false) => None,
        })
    }

    /// Entries that wait behind this one for too long, this one among them, if they are too many to be told one by one.
    fn late_entries(
        &self,
        due: Due,
        channel: &Channel,
        head: &Delivery,
        view: &View<'_>,
        now: Ms,
    ) -> Kept<Option<Vec<(u64, Subject)>>> {
        let begun = !head.ids.is_empty() || head.state == State::Flying || head.repeats > 0;
        if begun && head.card.is_none() {
            return Ok(None);
        }
        // That a promise lapsed is told by itself: a card lists entries.
        if view.lapsed_at(due.commit)?.is_some() {
            return Ok(None);
        }
        // What was begun as a card stays the card it was.
        let upto = head.card.filter(|_| begun).map(|(_, last)| last);
        let (mut card, mut late): (Vec<(u64, Subject)>, usize) = (Vec::new(), 0);
        for row in self.store.ledger().deliveries(due.channel, due.commit) {
            let (commit, delivery) = row?;
            if upto.is_some_and(|last| commit > last) || card.len() == outbox::CARD {
                break;
            }
            if !delivery.is_open() {
                continue;
            }
            let Some(subject) = words::subject(view, commit)? else { continue };
            if subject.lapse {
                break;
            }
            if delivery.amends {
                let told = card.iter().any(|(_, it)| it.entry.name == subject.entry.name);
                if told {
                    continue;
                }
                break;
            }
            if commit != due.commit && (delivery.repeats > 0 || !delivery.ids.is_empty()) {
                break;
            }
            let gone = subject.entry.retracted.is_some();
            if upto.is_none() && (gone || self.unwanted(channel, commit, &subject, view, now)?.is_some()) {
                continue;
            }
            late += usize::from(self.moment(now).timestamp_millis() - subject.at > outbox::LATE);
            card.push((commit, subject));
        }
        Ok((upto.is_some() || late > outbox::FEW).then_some(card))
    }

    fn how(&self, channel: ChannelNumber, delivery: &mut Delivery, view: &View<'_>) -> Kept<How> {
        // All messages of a post are cut from the same words, and later changes of it name the same entries.
        if delivery.ids.is_empty() && !delivery.unknown {
            delivery.names = self.store.ledger().mailbox(channel)?.doubts;
        }
        let doubts = named(&delivery.names, view)?;
        let repeated = if delivery.ids.is_empty() { delivery.repeats > 0 } else { delivery.again };
        Ok(How {
            repeated,
            general: delivery.general,
            replaces: delivery.replaces,
            doubts,
            muted: false,
            held: delivery.held,
        })
    }

    pub(super) fn nonce(&self, to: &Address, channel: ChannelNumber, commit: u64, delivery: &Delivery) -> Kept<String> {
        let recorded = self
            .store
            .view()
            .recorded_at(commit)?
            .map_or(0, |(incident, number)| incident.opened_at.timestamp_millis() ^ i64::from(number));
        let purpose = match (delivery.card.is_some(), delivery.replaces, delivery.amends) {
            (true, ..) => "card",
            (_, true, _) => "again",
            (_, _, true) => "reply",
            _ => "post",
        };
        Ok(outbox::nonce(to, channel, commit, recorded, delivery.ids.len(), purpose))
    }

    /// Notes that a message is about to leave, and makes it ready.
    #[expect(clippy::too_many_arguments, reason = "everything that one message is made of")]
    fn send(
        &mut self,
        due: Due,
        channel: &Channel,
        mut delivery: Delivery,
        reply: Arc<Reply>,
        reply_to: Option<u64>,
        lang: &Lang,
        (doing, subject): (Doing, &Subject),
        (head, now): (u64, Ms),
    ) -> Kept<Step> {
        let nonce = self.nonce(&channel.address, due.channel, due.commit, &delivery)?;
        let mut reply = Arc::unwrap_or_clone(reply);
        reply.mark = Some(outbox::mark(&nonce).to_owned());
        let news = self.store.view().news(&subject.incident, &subject.entry, due.commit)?;
        let covering: Vec<_> = channel.subscriptions.iter().filter(|it| it.covers(&news)).collect();
        let silent = !covering.is_empty() && covering.iter().all(|it| it.follow.silent);
        let mention = covering.iter().filter_map(|it| it.follow.mention).find(|it| it.from <= news.importance);
        let part = delivery.ids.len();
        let post = Post {
            reply: Arc::new(reply),
            part,
            plain: delivery.plain,
            reply_to,
            nonce,
            silent,
            mention: mention.filter(|_| part == 0).map(|it| it.role),
            general: delivery.general,
            repeat: part > 0 && delivery.repeats > 0,
        };
        if post.repeat && !delivery.again_parts.contains(&part) {
            delivery.again_parts.push(part);
        }
        delivery.state = State::Flying;
        (delivery.at, delivery.moves) = (now, channel.moves);
        if delivery.first == 0 {
            let network = channel.address.network().unwrap_or(Network::Telegram);
            delivery.first = self.lane(network).pace.budget().server_time(now);
        }
        delivery.lang = Some(*lang);
        if delivery.ids.is_empty() {
            delivery.again = delivery.repeats > 0;
        }
        if delivery.ids.is_empty() && !delivery.unknown {
            // One that may be there already was written when it first left.
            delivery.born = head;
        }
        self.settle(due.channel, &[(due.commit, delivery)], now)?;
        let errand = Errand::Post(post);
        let order = Order { to: channel.address.clone(), place: channel.place, lang: *lang, errand };
        Ok(Step::Leave(Box::new(order), doing))
    }

    /// A correction or retraction of what the channel has.
    pub(super) fn amend(
        &mut self,
        due: Due,
        channel: &Channel,
        mut own: Delivery,
        subject: &Subject,
        view: &View<'_>,
        now: Ms,
    ) -> Kept<Step> {
        let store = Arc::clone(&self.store);
        let ledger = store.ledger();
        let reader = words::reader(&store, channel, self.rules.zone)?;
        let (mut copies, mut lost, mut any) = (Vec::new(), false, false);
        for commit in words::commits(view, subject)?.into_iter().filter(|commit| *commit != due.commit) {
            let Some(mut copy) = ledger.delivery(due.channel, commit)? else { continue };
            if !copy.is_open() && copy.is_stale(channel.moves) {
                // A number of the chat as it was before would be another message's now.
                copy.ids.clear();
                copy.lost = true;
                self.settle(due.channel, &[(commit, copy.clone())], now)?;
            }
            if !copy.copy {
                // The short message about an earlier correction: what it says may hold no longer, either.
                if !copy.ids.is_empty() && !copy.lost && copy.shown < due.commit {
                    return self.edit(due, channel, (commit, copy), subject, view, &reader, now);
                }
                continue;
            }
            any = true;
            lost |= copy.lost;
            if !copy.lost && copy.shown < due.commit {
                return self.edit(due, channel, (commit, copy), subject, view, &reader, now);
            }
            copies.push(copy);
        }
        let follows = self.unwanted(channel, due.commit, subject, view, now)?.is_none();
        let quiet = subject.amends == Some(Some(Level::Silent));
        let before = copies.iter().any(|copy| copy.born < due.commit);
        let how = self.how(due.channel, &mut own, view)?;
        let head = view.head().commit;
        if lost && !quiet && follows {
            own.replaces = true;
            let how = How { replaces: true, ..how };
            let reply = self.words.notice(view, (&subject.incident, &subject.entry), &how, &reader)?;
            let doing = Doing::Post { told: vec![due.commit], copy: true, doubts: !how.doubts.is_empty() };
            return self.send(due, channel, own, reply, None, &reader.lang, (doing, subject), (head, now));
        }
        if subject.amends == Some(Some(Level::Material)) && before && follows {
            let about = (&subject.incident, &subject.entry);
            let reply = self.words.correction(view, about, subject.number, &how, &reader)?;
            let answered = copies.iter().rev().find_map(|copy| copy.ids.first().copied());
            let doing = Doing::Post { told: vec![due.commit], copy: false, doubts: !how.doubts.is_empty() };
            return self.send(due, channel, own, reply, answered, &reader.lang, (doing, subject), (head, now));
        }
        let why = match (any, before) {
            (false, _) => Reason::Nothing,
            (true, _) if copies.iter().all(|copy| copy.lost) => Reason::Gone,
            (true, true) => Reason::Edited,
            (true, false) => Reason::Included,
        };
        self.nothing(due, own, why, now)
    }

    /// Puts what holds now in the place of an earlier message.
    #[expect(clippy::too_many_arguments, reason = "everything that one message is made of")]
    fn edit(
        &mut self,
        due: Due,
        channel: &Channel,
        (holder, copy): (u64, Delivery),
        subject: &Subject,
        view: &View<'_>,
        reader: &Reader,
        now: Ms,
    ) -> Kept<Step> {
        let network = channel.address.network().unwrap_or(Network::Telegram);
        let part = self.lane(network).edited(due.channel, holder, view.head().commit);
        let Some(message) = copy.ids.get(part).copied() else {
            let mut copy = copy;
            copy.lost = true;
            self.settle(due.channel, &[(holder, copy)], now)?;
            return Ok(Step::Wait);
        };
        let reader = &Reader { lang: copy.lang.unwrap_or(reader.lang), ..*reader };
        let how = How {
            replaces: copy.replaces,
            general: copy.general,
            repeated: copy.again,
            doubts: named(&copy.names, view)?,
            muted: channel.mutes(&subject.incident.handle, self.moment(now)),
            held: copy.held,
        };
        let about = (&subject.incident, &subject.entry);
        let reply = match (copy.card, copy.copy) {
            (None, true) => self.words.notice(view, about, &how, reader)?,
            (None, false) => {
                let number = view.recorded_at(holder)?.map_or(subject.number, |(_, number)| number);
                self.words.correction(view, about, number, &how, reader)?
            }
            (Some(card), _) => {
                let entries = self.on_card(due.channel, card, view)?;
                Arc::new(pages::catch_up(view, &entries, &how, reader)?)
            }
        };
        let mut reply = Arc::unwrap_or_clone(reply);
        let nonce = self.nonce(&channel.address, due.channel, holder, &Delivery { ids: Vec::new(), ..copy.clone() })?;
        reply.mark = Some(outbox::mark(&nonce).to_owned());
        let (parts, plain, repeat) = (copy.ids.len(), copy.plain, copy.again_parts.contains(&part));
        let errand = Errand::Edit { message, reply: Arc::new(reply), part, parts, plain, repeat };
        let order = Order { to: channel.address.clone(), place: channel.place, lang: reader.lang, errand };
        let doing = Doing::Edit { holder, part, parts, head: view.head().commit };
        Ok(Step::Leave(Box::new(order), doing))
    }

    /// The entries that a card names.
    fn on_card(
        &self,
        channel: ChannelNumber,
        (first, last): (u64, u64),
        view: &View<'_>,
    ) -> Kept<Vec<(Incident, Entry)>> {
        let mut entries = Vec::new();
        for row in self.store.ledger().deliveries(channel, first) {
            let (commit, delivery) = row?;
            if commit > last {
                break;
            }
            if delivery.card.is_some_and(|card| card.0 == first)
                && let Some(subject) = words::subject(view, commit)?
            {
                entries.push((subject.incident, subject.entry));
            }
        }
        Ok(entries)
    }
}

/// The names of the entries of some commits.
fn named(commits: &[u64], view: &View<'_>) -> Kept<Vec<EntryName>> {
    let mut names = Vec::new();
    for commit in commits {
        names.extend(view.recorded_at(*commit)?.map(|(incident, number)| incident.name(number)));
    }
    Ok(names)
}
