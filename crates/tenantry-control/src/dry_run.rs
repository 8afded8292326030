//! What a verb would do.

use std::collections::BTreeMap;

use tenantry_core::{Amendment, Amount, CatalogError, Operation, Slug, Tenant, TenantId};

use crate::{Control, VerbError};

/// The verbs of a [`Control`], none of which is done: each says what it would do, and refuses what the real one would
/// refuse, as far as that can be known beforehand. The checks are the real one's own. Nothing is written, not even to the
/// audit log, and nothing is made.
///
/// It is true of the moment when it is asked: a tenant that works goes on.
#[derive(Clone, Copy, Debug)]
pub struct DryRun<'a>(&'a Control);

/// What a verb would do, and has not done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Foreseen {
    /// The tenant as it is; nothing where it would be made.
    pub before: Option<Tenant>,
    /// The tenant as it would be, without an id where it would be made; nothing where it would be gone.
    pub after: Option<Tenant>,
    /// What was abandoned of it, and would be gone on with first. What comes after it is as things are now.
    pub unfinished: Option<Operation>,
    /// The steps of an operation, by name; none where only the record would change.
    pub steps: Vec<String>,
    /// What would be copied to the tenant, or moved, by plane.
    pub copied: BTreeMap<String, Amount>,
    /// What would be removed of what it has, by plane.
    pub removed: BTreeMap<String, Amount>,
}

impl Control {
    /// The same verbs, of which none is done.
    pub const fn dry_run(&self) -> DryRun<'_> {
        DryRun(self)
    }
}

impl Foreseen {
    /// Then the tenant would be so.
    pub(crate) fn then(&mut self, so: impl FnOnce(&mut Tenant)) {
        if let Some(tenant) = &mut self.after {
            so(tenant);
        }
    }
}

impl<'a> DryRun<'a> {
    /// What would become of the record of a deleted tenant, if it was removed with its local users and nothing else.
    ///
    /// # Errors
    ///
    /// Those of [`Control::check_forget`].
    pub async fn forget(&self, tenant: &Slug) -> Result<Foreseen, VerbError> {
        let tenant = self.0.check_forget(tenant).await?;
        let mut removed = BTreeMap::new();
        for plane in self.0.planes().iter().filter(|plane| plane.name() == USERS) {
            let counted = plane.count(&tenant).await;
            let amount = counted.map_err(|error| VerbError::WouldFail {
                verb: "delete",
                tenant: tenant.slug.clone(),
                problem: crate::with_causes(&error),
            })?;
            removed.insert(USERS.to_owned(), amount);
        }
        Ok(Foreseen { before: Some(tenant), removed, ..Foreseen::default() })
    }

    pub(crate) const fn control(&self) -> &'a Control {
        self.0
    }

    /// What would become of a tenant's record, as `decide` says.
    pub(crate) async fn change(
        &self,
        slug: &Slug,
        decide: impl Fn(&Tenant) -> Result<Amendment, VerbError>,
    ) -> Result<Foreseen, VerbError> {
        let before = self.0.find(slug).await?;
        let after = decide(&before)?.of(&before).map_err(CatalogError::from)?;
        self.0.may_become(&before, &after).await?;
        self.are_free(std::iter::once(&after.slug).chain(&after.aliases), Some(before.id)).await?;
        Ok(Foreseen { before: Some(before), after: Some(after), ..Foreseen::default() })
    }

    /// Whether nobody has these names, but the one who has this id.
    pub(crate) async fn are_free(
        &self,
        names: impl Iterator<Item = &Slug>,
        but: Option<TenantId>,
    ) -> Result<(), CatalogError> {
        for name in names {
            let owner = self.0.catalog().by_slug(name).await?;
            if owner.is_some_and(|owner| Some(owner.id) != but) {
                return Err(CatalogError::NameTaken { slug: name.clone() });
            }
        }
        Ok(())
    }
}

/// As the plane calls them.
const USERS: &str = "users";
