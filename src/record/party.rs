//! Who speaks, publishes or is hit: organisations and people, and in what capacity.

use serde::{Deserialize, Serialize};

use crate::{
    lang::{Prose, worded},
    slug::Slug,
};

/// Whoever says or publishes something: an organisation of the incident by its handle, or somebody by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a handle, or { name = \"…\" }")]
pub enum Party {
    /// An organisation recorded in the same incident.
    Organisation(Slug),
    /// A person, paper or body by name.
    Named(Name),
}

/// A name as it is written, the same in every language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// The name.
    pub name: String,
}

impl Party {
    /// Somebody by name.
    pub fn named(name: &str) -> Party {
        Party::Named(Name { name: name.to_owned() })
    }
}

worded! {
    /// In what capacity somebody speaks.
    Capacity {
        /// Was attacked or failed.
        Victim = "victim", "victim", "vittima";
        /// Supplies those who were hit.
        Supplier = "supplier", "supplier", "fornitore";
        /// Depends on a victim or supplier.
        Customer = "customer", "customer", "cliente";
        /// A public authority.
        Authority = "authority", "authority", "autorità";
        /// Whoever did it, or says so.
        Attacker = "attacker", "attacker", "attaccante";
        /// Reports or analyses it.
        Press = "press", "press", "stampa";
        /// Somebody else: of whom nothing more is said.
        Other = "other", "other", "altro";
        /// Sources that a publisher does not name.
        Unnamed = "unnamed", "unnamed sources", "fonti anonime";
    }
}

worded! {
    /// What an organisation has to do with an incident.
    Role {
        /// Attacked, or where it failed.
        Victim = "victim", "victim", "vittima";
        /// Supplies those who were hit.
        Supplier = "supplier", "supplier", "fornitore";
        /// Hit through a supplier.
        Customer = "customer", "customer", "cliente";
        /// A public authority at work on it.
        Authority = "authority", "authority", "autorità";
        /// Did it, or is said to have.
        Attacker = "attacker", "attacker", "attaccante";
        /// Named in the record, and not hit.
        Mentioned = "mentioned", "mentioned", "citata";
    }
}

/// An organisation, and what it has to do with the incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its handle, the same in every incident.
    pub handle: Slug,
    /// Its name.
    pub name: String,
    /// Other names it is called by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Its roles, the most telling first.
    pub roles: Vec<Role>,
    /// What is to be known about it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Prose>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<crate::entry::Ref>,
}
