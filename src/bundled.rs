//! The dossiers that are compiled into the program.

use record::dossier::{self, Dossier, Fault};

/// Their names and texts.
const DOSSIERS: &[(&str, &str)] = &[("westpole", include_str!("../config/dossiers/westpole.toml"))];

/// The names that `[record] bundled` may hold.
pub fn names() -> Vec<&'static str> {
    DOSSIERS.iter().map(|(name, _)| *name).collect()
}

/// Reads one; none if there is none of that name.
pub fn dossier(name: &str) -> Option<Result<Vec<Dossier>, Fault>> {
    DOSSIERS.iter().find(|(known, _)| *known == name).map(|(_, text)| dossier::read(text))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_bundled_dossier_can_be_read() {
        for name in super::names() {
            let dossiers = super::dossier(name).expect("a dossier").expect("a good dossier");
            assert!(!dossiers.is_empty(), "{name}");
        }
    }
}
