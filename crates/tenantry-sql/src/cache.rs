//! Plans that are kept, so that a statement is scoped once and not each time it runs.

use std::{fmt, sync::Arc};

use quick_cache::{Weighter, sync::Cache};

use crate::{Plan, Refused, Rewriter, SchemaMap};

/// A [`Rewriter`] that remembers what it has scoped, and what it has refused.
///
/// The tenant is no part of what is remembered: one plan serves all of them. A new schema needs new plans, so that this
/// is made anew for each version of the schema map.
pub struct Plans {
    rewriter: Rewriter,
    cache: Cache<Arc<str>, Result<Arc<Plan>, Refused>, TextLen>,
}

impl Plans {
    /// What `rewriter` plans, at most [`crate::Limits::plan_bytes_max`] of it.
    pub fn new(rewriter: Rewriter) -> Self {
        let bytes_max = rewriter.limits().plan_bytes_max;
        // A plan of an ordinary statement takes a kilobyte or so.
        let expected = usize::try_from(bytes_max / 1024).unwrap_or(usize::MAX);
        Self { rewriter, cache: Cache::with_weighter(expected, bytes_max, TextLen) }
    }

    /// The tables that statements are scoped for.
    pub const fn schema(&self) -> &Arc<SchemaMap> {
        self.rewriter.schema()
    }

    /// The plan of a statement.
    ///
    /// # Errors
    ///
    /// The refusal, if the statement is refused.
    pub fn plan(&self, text: &str) -> Result<Arc<Plan>, Refused> {
        if let Some(plan) = self.cache.get(text) {
            return plan;
        }
        let plan = self.rewriter.scope(text).map(Arc::new);
        self.cache.insert(text.into(), plan.clone());
        plan
    }
}

impl fmt::Debug for Plans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plans").field("schema", &self.schema().version()).field("len", &self.cache.len()).finish()
    }
}

#[derive(Clone)]
struct TextLen;

impl Weighter<Arc<str>, Result<Arc<Plan>, Refused>> for TextLen {
    fn weight(&self, text: &Arc<str>, plan: &Result<Arc<Plan>, Refused>) -> u64 {
        let plan = plan.as_ref().map_or(0, |plan| plan.text.len());
        // What is kept beside the texts is about as large for all of them.
        u64::try_from(text.len() + plan + 300).unwrap_or(u64::MAX)
    }
}
