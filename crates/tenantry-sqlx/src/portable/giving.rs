//! Rows on their way out: read by a task of their own, a few pieces ahead of who takes them.

use std::fmt;

use tenantry_core::{BoxFuture, GivesRows, PlaneError, RowsPart, RowsSchema, Tenant};
use tokio::sync::{mpsc, oneshot};

use super::{PortableError, line::Line};

/// Rows that are being read.
pub(crate) struct Giving {
    tenant: Tenant,
    schema: RowsSchema,
    parts: mpsc::Receiver<Result<RowsPart, PortableError>>,
}

/// Where a task puts the rows that it reads.
pub(crate) struct Out {
    parts: mpsc::Sender<Result<RowsPart, PortableError>>,
    part: RowsPart,
}

impl Giving {
    /// Begins to read: `read` tells the schema first, and then puts out all rows.
    pub(crate) async fn begin<F>(
        tenant: &Tenant,
        read: impl FnOnce(oneshot::Sender<RowsSchema>, Out) -> F,
    ) -> Result<Box<dyn GivesRows>, PlaneError>
    where
        F: Future<Output = Result<(), PortableError>> + Send + 'static,
    {
        let (schema, told) = oneshot::channel();
        let (sender, mut parts) = mpsc::channel(AHEAD);
        let reading = read(schema, Out { parts: sender.clone(), part: RowsPart::default() });
        #[expect(clippy::disallowed_methods, reason = "rows are given out for no request, and need no scope")]
        tokio::spawn(async move {
            if let Err(error) = reading.await {
                // Who has gone need not know why.
                sender.send(Err(error)).await.ok();
            }
        });
        match told.await {
            Ok(schema) => Ok(Box::new(Self { tenant: tenant.clone(), schema, parts })),
            Err(_) => {
                let error = parts.recv().await.and_then(Result::err).unwrap_or(PortableError::Stopped);
                Err(error.of(tenant))
            }
        }
    }
}

impl GivesRows for Giving {
    fn schema(&self) -> &RowsSchema {
        &self.schema
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Option<RowsPart>, PlaneError>> {
        Box::pin(async { self.parts.recv().await.transpose().map_err(|error| error.of(&self.tenant)) })
    }
}

impl fmt::Debug for Giving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Giving").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Out {
    /// The next rows are those of this table.
    pub(crate) async fn table(&mut self, number: usize) -> Result<(), PortableError> {
        self.flush().await?;
        self.part.table = number;
        Ok(())
    }

    /// A row that is to be written.
    pub(crate) fn line(&mut self) -> Line<'_> {
        self.part.rows += 1;
        Line::begin(&mut self.part.lines)
    }

    /// A row was written: passes it on when there are enough.
    pub(crate) async fn written(&mut self) -> Result<(), PortableError> {
        if self.part.lines.len() >= PART_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Passes on what there is.
    pub(crate) async fn flush(&mut self) -> Result<(), PortableError> {
        if self.part.rows == 0 {
            return Ok(());
        }
        let next = RowsPart { table: self.part.table, rows: 0, lines: Vec::with_capacity(PART_BYTES + PART_BYTES / 8) };
        let part = std::mem::replace(&mut self.part, next);
        self.parts.send(Ok(part)).await.map_err(|_| PortableError::Stopped)
    }
}

/// How many pieces are read before somebody takes the first.
const AHEAD: usize = 2;

/// How large a piece is, but for a row that is larger.
const PART_BYTES: usize = 1 << 20;
