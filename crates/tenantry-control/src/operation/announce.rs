//! What whoever listens is told when a step begins.

use tenantry_core::{Copying, News, Tenant, TenantId};

use super::{
    moving::ROWS,
    step::{Leg, Step, find},
};
use crate::Control;

impl Step {
    /// Tells what the step is called, and about how much there is to do, where counting says so. That it cannot be counted is no
    /// reason not to begin.
    pub(super) async fn announce(&self, control: &Control, tenant: TenantId, (number, of): (usize, usize)) {
        let listener = control.listener();
        if !listener.is_there() {
            return;
        }
        listener.tell(News::Step { name: &self.name(), number, of });
        if let Some(items) = self.expected(control, tenant).await.filter(|items| *items > 0) {
            listener.tell(News::Expected(items));
        }
    }

    async fn expected(&self, control: &Control, tenant: TenantId) -> Option<u64> {
        let (plane, of) = match self {
            Self::Copy { plane, from } => (plane.as_str(), *from),
            Self::Erase { plane } => (plane.as_str(), tenant),
            Self::Move { leg: Leg::Copy, .. } => (ROWS, tenant),
            Self::Close
            | Self::Count { .. }
            | Self::CopySettings { .. }
            | Self::Forget
            | Self::Import { .. }
            | Self::Migrate
            | Self::Move { .. }
            | Self::Open { .. }
            | Self::Prove { .. }
            | Self::Renew
            | Self::Settle => return None,
        };
        let plane = find(control, plane).ok()?;
        if matches!(self, Self::Copy { .. }) && plane.copying() != Copying::Everything {
            return None;
        }
        let tenant: Tenant = control.catalog().by_id(of).await.ok()??;
        plane.count(&tenant).await.ok().map(|amount| amount.items)
    }
}
