//! Rows as they come.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, stream::BoxStream};
use sea_orm::{DbErr, QueryResult};
use tenantry_core::Scope;
use tenantry_resource::{Within, within};

/// The rows of a statement as they come.
///
/// It keeps the scope that it was made in, whoever polls it.
pub struct ScopedStream<'a> {
    rows: Within<BoxStream<'a, Result<QueryResult, DbErr>>>,
}

impl<'a> ScopedStream<'a> {
    pub(crate) const fn new(scope: Scope, rows: BoxStream<'a, Result<QueryResult, DbErr>>) -> Self {
        Self { rows: within(scope, rows) }
    }
}

impl Stream for ScopedStream<'_> {
    type Item = Result<QueryResult, DbErr>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.rows).poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}

impl fmt::Debug for ScopedStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedStream").finish_non_exhaustive()
    }
}
