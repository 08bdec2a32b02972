//! What somebody who types may mean: completions at the terminal, and offers behind the doors.

use commands::kit::{Role, Shape};
use record::{
    lang::Lang,
    slug::folded,
    subscription::{ORGANISATION, What},
};

use super::{Desk, Undone};

/// How many completions are offered: what Discord takes.
const SUGGESTED: usize = 25;
/// How many names are looked through at each keystroke.
const LOOKED_THROUGH: usize = 2_000;

impl Desk {
    /// What the last word of a line may be completed to.
    pub fn complete(&self, line: &str, role: Role) -> Vec<String> {
        self.completions(line, role).unwrap_or_else(|error| {
            tracing::warn!(%error, "a line could not be completed");
            Vec::new()
        })
    }

    fn completions(&self, line: &str, role: Role) -> Result<Vec<String>, Undone> {
        let (before, word) = line.rsplit_once(char::is_whitespace).unwrap_or(("", line));
        let usable = || commands::ALL.iter().filter(|command| command.least() <= role);
        if before.is_empty() {
            let names = usable().map(|command| format!("/{}", command.name));
            return Ok(names.filter(|name| name.starts_with(word)).collect());
        }
        let mut typed = before.split_whitespace();
        let name = typed.next().unwrap_or_default().trim_start_matches('/');
        let Some(command) = usable().find(|command| command.name == name) else { return Ok(Vec::new()) };
        let (prefix, value, arg) = match word.split_once(':') {
            Some((name, value)) => (format!("{name}:"), value, command.args.iter().find(|arg| arg.name == name)),
            None => (String::new(), word, command.args.get(typed.count())),
        };
        let mut found: Vec<String> = match arg.map(|arg| arg.shape) {
            None => Vec::new(),
            Some(Shape::Incident) => self.handles(value)?,
            Some(Shape::Organisation) => {
                let all = self.store.view().organisations().map_err(Undone::of)?;
                all.into_iter().map(String::from).filter(|handle| handle.starts_with(value)).collect()
            }
            Some(Shape::Followed) => {
                let found = self.suggest(Shape::Followed, value, self.manners.lang).into_iter().map(|(_, typed)| typed);
                found.filter(|typed| typed.starts_with(value)).collect()
            }
            Some(Shape::Choice(choices)) => {
                choices.iter().map(|choice| choice.code.to_owned()).filter(|code| code.starts_with(value)).collect()
            }
            Some(Shape::Word) if arg.is_some_and(|arg| arg.name == "command") => {
                usable().map(|command| command.name.to_owned()).filter(|name| name.starts_with(value)).collect()
            }
            Some(_) => Vec::new(),
        };
        if prefix.is_empty() {
            let names = command.args.iter().skip(1).map(|arg| format!("{}:", arg.name));
            found.extend(names.filter(|name| !word.is_empty() && name.starts_with(word)));
        }
        Ok(found.into_iter().map(|value| format!("{prefix}{value}")).collect())
    }

    /// What an argument may be completed to, in words and as it is typed: the best first, at most 25.
    pub fn suggest(&self, shape: Shape, typed: &str, lang: Lang) -> Vec<(String, String)> {
        self.suggestions(shape, typed, lang).unwrap_or_else(|error| {
            tracing::warn!(%error, "nothing could be suggested");
            Vec::new()
        })
    }

    fn suggestions(&self, shape: Shape, typed: &str, lang: Lang) -> Result<Vec<(String, String)>, Undone> {
        let wanted = folded(typed.trim());
        match shape {
            Shape::Incident => self.suggest_incidents(&wanted, lang),
            Shape::Organisation => self.suggest_organisations(&wanted),
            Shape::Followed => self.suggest_followed(&wanted, lang),
            _ => Ok(Vec::new()),
        }
    }

    /// Everything, incidents, and organisations by the name that no incident can have.
    fn suggest_followed(&self, wanted: &str, lang: Lang) -> Result<Vec<(String, String)>, Undone> {
        let name = lang.pick("everything", "tutto");
        let mut found: Vec<(String, String)> = Vec::new();
        if "all".starts_with(wanted) || name.starts_with(wanted) {
            found.push((name.to_owned(), What::All.to_string()));
        }
        let (incidents, organisation) = match wanted.strip_prefix(ORGANISATION) {
            Some(organisation) => (Vec::new(), organisation),
            None => (self.suggest_incidents(wanted, lang)?, wanted),
        };
        // Room is left for organisations: whoever misses an incident types more of it.
        found.extend(incidents.into_iter().take(SUGGESTED / 2));
        let organisations = self.suggest_organisations(organisation)?;
        found.extend(organisations.into_iter().map(|(name, handle)| (name, format!("{ORGANISATION}{handle}"))));
        found.truncate(SUGGESTED);
        Ok(found)
    }

    /// Those whose handles begin so; then those whose titles hold it, among the first [`LOOKED_THROUGH`].
    fn suggest_incidents(&self, wanted: &str, lang: Lang) -> Result<Vec<(String, String)>, Undone> {
        let view = self.store.view();
        let mut found: Vec<(String, String)> = Vec::new();
        let (begin, all) = (view.handles(wanted).take(SUGGESTED), view.handles("").take(LOOKED_THROUGH));
        for (handle, fits) in begin.map(|it| (it, true)).chain(all.map(|it| (it, false))) {
            let handle = handle.map_err(Undone::of)?;
            if found.len() == SUGGESTED {
                break;
            }
            if found.iter().any(|(_, known)| *known == *handle.as_str()) {
                continue;
            }
            let Some(incident) = view.incident(handle.as_str()).map_err(Undone::of)? else { continue };
            let title = incident.opening.title.plain(lang).to_owned();
            if fits || folded(&title).contains(wanted) {
                found.push((format!("{title} ({handle})"), String::from(handle)));
            }
        }
        Ok(found)
    }

    fn suggest_organisations(&self, wanted: &str) -> Result<Vec<(String, String)>, Undone> {
        let view = self.store.view();
        let mut found: Vec<(String, String)> = Vec::new();
        for handle in view.organisations().map_err(Undone::of)?.into_iter().take(LOOKED_THROUGH) {
            let incident = view.incidents_with(&handle).map_err(Undone::of)?.into_iter().next();
            let member = incident.map(|incident| view.member(&incident, &handle)).transpose().map_err(Undone::of)?;
            let name = member.flatten().map_or_else(|| handle.to_string(), |(organisation, _)| organisation.name);
            if handle.as_str().starts_with(wanted) || folded(&name).contains(wanted) {
                found.push((name, String::from(handle)));
            }
        }
        found.sort_by_key(|(_, handle)| !handle.starts_with(wanted));
        found.truncate(SUGGESTED);
        Ok(found)
    }

    fn handles(&self, prefix: &str) -> Result<Vec<String>, Undone> {
        let view = self.store.view();
        view.handles(prefix).take(50).map(|handle| handle.map(String::from).map_err(Undone::of)).collect()
    }
}
