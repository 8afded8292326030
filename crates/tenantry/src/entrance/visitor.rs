//! Who comes in.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry_core::{Deed, Tenant};

/// Somebody who comes in by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    #[serde(rename = "w")]
    way: Way,
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    #[serde(rename = "b")]
    by: String,
}

/// Why somebody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Way {
    /// To see what a customer sees.
    Impersonation,
    /// To try the application out.
    Trial,
}

impl Visitor {
    /// Somebody who comes in as `who`, or as whomever the application chooses, by a link that `by` has made.
    pub(crate) fn new(way: Way, who: Option<String>, by: impl Into<String>) -> Self {
        Self { way, who, by: by.into() }
    }

    /// Why it is let in.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// As whom: what `--as` said, or the address that a trial was confirmed by. The application chooses where nobody has said.
    pub fn who(&self) -> Option<&str> {
        self.who.as_deref()
    }

    /// Who has made the link.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The link with this id was made.
    pub(super) fn offered(&self, tenant: &Tenant, id: &str) -> Deed {
        self.deed("impersonation offered", tenant, id)
    }

    /// The link with this id was used.
    pub(super) fn entered(&self, tenant: &Tenant, id: &str) -> Deed {
        let verb = match self.way {
            Way::Impersonation => "impersonated",
            Way::Trial => "trial entered",
        };
        self.deed(verb, tenant, id)
    }

    fn deed(&self, verb: &str, tenant: &Tenant, id: &str) -> Deed {
        let detail = json!({ "link": id, "as": self.who }).to_string();
        Deed { verb: verb.to_owned(), tenant: Some(tenant.id), slug: Some(tenant.slug.clone()), detail }
    }
}
