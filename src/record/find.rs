//! Forgiving look-ups: case and accents do not matter, a unique beginning is enough, a near miss is suggested.

use crate::{
    slug::{Slug, folded, searched},
    store::StateError,
    view::{Incident, View},
};

/// How many choices or suggestions are offered.
const OFFERED: usize = 5;
/// How many names are looked through for a near miss.
const LOOKED_THROUGH: usize = 20_000;

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

/// The incident that somebody means: by handle, by `@` and its number in this store, by title, or by a beginning.
pub fn incident(view: &View<'_>, typed: &str) -> Result<Found<Incident>, StateError> {
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
        if let [only] = begin.as_slice()
            && let Some(incident) = view.incident(only.as_str())?
        {
            return Ok(Found::One(incident));
        }
        if !begin.is_empty() {
            begin.truncate(OFFERED);
            return Ok(Found::Several(begin));
        }
    }
    let mut handles = Vec::new();
    for handle in view.handles("").take(LOOKED_THROUGH) {
        handles.push(handle?);
    }
    Ok(Found::None(near(&wanted, handles.iter()).into_iter().cloned().collect()))
}

/// An organisation's handle: by handle, name or alias, or a unique beginning of one of them.
pub fn organisation(view: &View<'_>, typed: &str) -> Result<Found<Slug>, StateError> {
    let wanted = searched(typed.trim());
    let as_handle = handle_like(typed);
    let mut begin: Vec<Slug> = Vec::new();
    let all = view.organisations()?;
    for handle in &all {
        if *handle.as_str() == *as_handle {
            return Ok(Found::One(handle.clone()));
        }
        let names = names(view, handle)?;
        if names.contains(&wanted) {
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

/// The folded names and aliases an organisation has in any incident.
fn names(view: &View<'_>, handle: &Slug) -> Result<Vec<String>, StateError> {
    let mut names = Vec::new();
    for incident in view.incidents_with(handle)? {
        if let Some((organisation, _)) = view.member(&incident, handle)? {
            names.push(searched(&organisation.name));
            names.extend(organisation.aliases.iter().map(|alias| searched(alias)));
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
