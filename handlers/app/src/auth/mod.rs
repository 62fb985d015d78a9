//! Who calls, and what they may do. Access tokens of Entra ID are checked here and nowhere else; the roles a route needs stand in
//! [`access`], in one table.

pub mod access;
mod keys;
mod token;

use sluice_flow::audit::Actor;

pub use keys::{KeyError, Keys};
pub use token::{Authenticator, TokenError};

/// App roles of the API, as declared in the app registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Uploads files and sees its own submissions.
    Partner,
    /// Decides review cases.
    Reviewer,
    /// Runs the service.
    Operator,
    /// Writes contracts and pipelines.
    Engineer,
    /// Reads everything but rows.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Partner, Self::Reviewer, Self::Operator, Self::Engineer, Self::Auditor];

    /// Value of the role in a token's `roles`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Partner => "Partner",
            Self::Reviewer => "Reviewer",
            Self::Operator => "Operator",
            Self::Engineer => "Engineer",
            Self::Auditor => "Auditor",
        }
    }

    /// The role of this name; roles of other apps are none of ours.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The bearer of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Object id (`oid`), or `sub` where a token has none.
    pub id: String,
    /// Display name, or the id.
    pub name: String,
    /// App roles.
    pub roles: Vec<Role>,
    /// Partner id, if the token or the settings name one.
    pub partner: Option<String>,
}

impl Caller {
    /// As it is written to audit logs.
    pub fn actor(&self) -> Actor {
        Actor::Person { id: self.id.clone(), name: self.name.clone() }
    }
}

/// What a caller may see on the route it called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// Only what belongs to this partner; the rest does not exist for it.
    Partner(String),
}

impl Scope {
    /// The only partner that may be seen, if it is one.
    pub fn partner(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Partner(partner) => Some(partner),
        }
    }

    /// Whether something of `partner` may be seen.
    pub fn sees(&self, partner: &str) -> bool {
        self.partner().is_none_or(|own| own == partner)
    }
}
