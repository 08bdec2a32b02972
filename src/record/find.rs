//! Forgiving look-ups: case and accents do not matter, a unique beginning is enough, a near miss is suggested.

use crate::{
    plain,
    slug::{Slug, folded},
    store::StateError,
    view::{Incident, View},
};

/// How many choices or suggestions are offered.
const OFFERED: usize = 5;
/// How many names are looked through for a near miss.
const LOOKED_THROUGH: usize = 20_000;
/// The words of the longest name that is looked for at the beginning of a line.
pub const NAME_WORDS: usize = 24;

/// What a typed name leads to.
#[derive(Clone, Debug)]
pub enum Found<T> {
    /// To one thing.
    One(T),
    /// To several; the first few of them.
    Several(Vec<Slug>),
    /// To nothing; names that are close.
    None(Vec<Slug>),
}

/// The incident that somebody means: as [`titled`], or else by the name of an organisation that is part of it.
pub fn incident(view: &View<'_>, typed: &str) -> Result<Found<Incident>, StateError> {
    let found = titled(view, typed)?;
    if matches!(found, Found::None(_))
        && let Some(with) = among(view, with_organisation(view, &plain::name(typed))?)?
    {
        return Ok(with);
    }
    Ok(found)
}

/// The incident that somebody means: by handle, by `@` and its number in this store, by title, or by a beginning.
pub fn titled(view: &View<'_>, typed: &str) -> Result<Found<Incident>, StateError> {
    let typed = typed.trim();
    if let Some(id) = typed.strip_prefix('@').and_then(|id| id.parse().ok()) {
        return Ok(view.incident_at(id)?.map_or(Found::None(Vec::new()), Found::One));
    }
    let wanted = handle_like(typed);
    if let Some(incident) = view.incident(&wanted)? {
        return Ok(Found::One(incident));
    }
    if !wanted.is_empty() {
        let mut begin = Vec::new();
        for handle in view.handles(&wanted).take(OFFERED + 1) {
            begin.push(handle?);
        }
        if let Some(found) = among(view, begin)? {
            return Ok(found);
        }
    }
    let name = plain::name(typed);
    if let Some(found) = by_title(view, &name)? {
        return Ok(found);
    }
    if let Some(short) = plain::without_legal_form(&name)
        && let Some(incident) = view.incident(&handle_like(short))?
    {
        return Ok(Found::One(incident));
    }
    let mut handles = Vec::new();
    for handle in view.handles("").take(LOOKED_THROUGH) {
        handles.push(handle?);
    }
    Ok(Found::None(near(&wanted, handles.iter()).into_iter().cloned().collect()))
}

/// The incident of one handle, or the first of several handles; none of no handle.
fn among(view: &View<'_>, mut handles: Vec<Slug>) -> Result<Option<Found<Incident>>, StateError> {
    if let [only] = handles.as_slice()
        && let Some(incident) = view.incident(only.as_str())?
    {
        return Ok(Some(Found::One(incident)));
    }
    handles.truncate(OFFERED);
    Ok((!handles.is_empty()).then_some(Found::Several(handles)))
}

/// The incident whose title this is, or else begins so.
fn by_title(view: &View<'_>, wanted: &str) -> Result<Option<Found<Incident>>, StateError> {
    let (mut whole, mut begin) = (Vec::new(), Vec::new());
    for_titles(view, |title, incident| {
        let list = if title == wanted { &mut whole } else { &mut begin };
        if !wanted.is_empty() && title.starts_with(wanted) && !list.contains(&incident.handle) {
            list.push(incident.handle.clone());
        }
    })?;
    Ok(among(view, whole)?.or(among(view, begin)?))
}

/// The incidents that an organisation of this name or alias is part of.
fn with_organisation(view: &View<'_>, wanted: &str) -> Result<Vec<Slug>, StateError> {
    let mut found = Vec::new();
    for handle in view.organisations()?.iter().take(LOOKED_THROUGH) {
        for incident in view.incidents_with(handle)? {
            let names = names_in(view, handle, std::slice::from_ref(&incident))?;
            let is_named =
                !wanted.is_empty() && (plain::name(handle.as_str()) == wanted || names.iter().any(|it| it == wanted));
            if is_named && !found.contains(&incident.handle) {
                found.push(incident.handle);
            }
        }
    }
    Ok(found)
}

/// Hands over every title, as names are compared, with its incident.
fn for_titles(view: &View<'_>, mut take: impl FnMut(&str, &Incident)) -> Result<(), StateError> {
    for handle in view.handles("").take(LOOKED_THROUGH) {
        if let Some(incident) = view.incident(handle?.as_str())? {
            for (_, title) in incident.opening.title.iter() {
                take(&plain::name(title), &incident);
            }
        }
    }
    Ok(())
}

/// How many words at the beginning are together the whole name of something: a handle, a title, an organisation's name or
/// alias. The longest such name counts; 0 is none.
pub fn longest_name(view: &View<'_>, words: &[&str]) -> Result<usize, StateError> {
    let count = words.len().min(NAME_WORDS);
    let begin: Vec<String> = (1..=count).map(|count| plain::name(&words[..count].join(" "))).collect();
    let longest_of =
        |name: &str| begin.iter().rposition(|begin| !name.is_empty() && begin == name).map_or(0, |at| at + 1);
    let mut longest = 0;
    for (at, name) in begin.iter().enumerate() {
        let short = plain::without_legal_form(name).unwrap_or(name);
        if view.incident(&handle_like(name))?.is_some() || view.incident(&handle_like(short))?.is_some() {
            longest = at + 1;
        }
    }
    if count > 1 {
        for_titles(view, |title, _| longest = longest.max(longest_of(title)))?;
        for handle in view.organisations()?.iter().take(LOOKED_THROUGH) {
            let of = view.incidents_with(handle)?;
            let names = names_in(view, handle, &of)?;
            longest = names.iter().map(|name| longest_of(name)).fold(longest, usize::max);
        }
    }
    Ok(longest)
}

/// An organisation's handle: by handle, name or alias, or a unique beginning of one of them.
pub fn organisation(view: &View<'_>, typed: &str) -> Result<Found<Slug>, StateError> {
    let wanted = plain::name(typed);
    let as_handle = handle_like(typed);
    let mut begin: Vec<Slug> = Vec::new();
    let all = view.organisations()?;
    for handle in &all {
        if *handle.as_str() == *as_handle {
            return Ok(Found::One(handle.clone()));
        }
        let names = names_in(view, handle, &view.incidents_with(handle)?)?;
        if !wanted.is_empty() && names.contains(&wanted) {
            return Ok(Found::One(handle.clone()));
        }
        let begins = (!as_handle.is_empty() && handle.as_str().starts_with(&as_handle))
            || (!wanted.is_empty() && names.iter().any(|name| name.starts_with(&wanted)));
        if begins {
            begin.push(handle.clone());
        }
    }
    Ok(match begin.as_slice() {
        [] => Found::None(near(&as_handle, all.iter()).into_iter().cloned().collect()),
        [only] => Found::One(only.clone()),
        several => Found::Several(several.iter().take(OFFERED).cloned().collect()),
    })
}

/// The names and aliases an organisation has in these incidents, as names are compared.
fn names_in(view: &View<'_>, handle: &Slug, incidents: &[Incident]) -> Result<Vec<String>, StateError> {
    let mut names = Vec::new();
    for incident in incidents {
        if let Some((organisation, _)) = view.member(incident, handle)? {
            names.push(plain::name(&organisation.name));
            names.extend(organisation.aliases.iter().map(|alias| plain::name(alias)));
        }
    }
    Ok(names)
}

/// What was typed, as a handle would be written: folded, blanks and other signs as one `-`.
fn handle_like(typed: &str) -> String {
    let mut handle = String::new();
    for letter in folded(typed).chars() {
        if letter.is_ascii_alphanumeric() {
            handle.push(letter);
        } else if !handle.ends_with('-') && !handle.is_empty() {
            handle.push('-');
        }
    }
    handle.trim_end_matches('-').to_owned()
}

/// Names within a few slips of the keyboard, the nearest first.
pub fn near<'a, T: AsRef<str> + ?Sized + 'a>(wanted: &str, names: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let slips = (wanted.chars().count() / 3).clamp(1, 3);
    let mut close: Vec<(usize, &T)> = names
        .map(|name| (strsim::osa_distance(wanted, name.as_ref()), name))
        .filter(|(distance, _)| *distance <= slips)
        .collect();
    close.sort_by_key(|(distance, _)| *distance);
    close.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_turned_into_what_its_handle_would_be() {
        assert_eq!(handle_like(" WÈSTPOLE S.p.A. "), "westpole-s-p-a");
        assert_eq!(handle_like("#?!"), "");
    }

    #[test]
    fn only_near_misses_are_near() {
        let names = ["westpole".to_owned(), "wastepole".to_owned(), "other".to_owned()];
        assert_eq!(near("wetspole", names.iter()), ["westpole"]);
        assert!(near("zzz", names.iter()).is_empty());
    }
}
