//! A file becomes a tenant.

use std::{fmt, io::Read};

use tenantry_core::{
    BoxError, BoxFuture, Chunks, Overrides, Plane, PortableUploads, Status, TakesRows, Tenant, UploadHead,
};
use tokio::sync::mpsc::{self, Receiver};

use super::{
    ArchiveError, Options, Parts, Progress, Summary,
    unpack::{Event, unpack},
};

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// What was in the archive.
    pub summary: Summary,
    /// What is to be set for the tenant itself, as its record stores it.
    pub settings: Overrides,
}

/// Makes what is in an archive a tenant's, who is being prepared. See [the module](super).
///
/// What the tenant has in `planes` is erased first: an import that was killed is begun again. So it is when this fails. The
/// settings are given back and not stored; who calls this has the tenant's record to change anyway.
///
/// # Errors
///
/// [`ArchiveError`]. Nothing of the tenant is seen then.
pub async fn import(
    tenant: &Tenant,
    parts: Parts<'_>,
    planes: &[&dyn Plane],
    from: impl Read + Send + 'static,
    how: Options<'_>,
) -> Result<Imported, ArchiveError> {
    if tenant.status != Status::Provisioning {
        return Err(ArchiveError::Ready(tenant.slug.clone()));
    }
    erase(tenant, planes).await?;
    let imported = read(tenant, parts, from, how).await;
    if imported.is_err() {
        // Why it failed is more than that this failed as well; what is left is erased when it is begun again.
        if let Err(error) = erase(tenant, planes).await {
            tracing::warn!(%error, tenant = %tenant.slug, "what was imported of a tenant is left over");
        }
    }
    imported
}

async fn erase(tenant: &Tenant, planes: &[&dyn Plane]) -> Result<(), ArchiveError> {
    for plane in planes {
        plane.erase(tenant).await?;
    }
    Ok(())
}

pub(super) async fn read(
    tenant: &Tenant,
    parts: Parts<'_>,
    from: impl Read + Send + 'static,
    how: Options<'_>,
) -> Result<Imported, ArchiveError> {
    let (events, received) = mpsc::channel(WAITING);
    let limits = how.limits;
    #[expect(clippy::disallowed_methods, reason = "an archive is read for no request, and needs no scope")]
    let thread = tokio::task::spawn_blocking(move || {
        unpack(from, &limits, &mut |event| events.blocking_send(event).map_err(|_| ArchiveError::Stopped))
    });
    let mut taking = Taking {
        tenant,
        parts,
        received,
        how,
        rows: None,
        settings: Overrides::default(),
        progress: Progress::default(),
    };
    let taken = taking.all().await;
    // Whoever is told nothing more stops reading.
    taking.received.close();
    let read = thread.await.map_err(ArchiveError::ended)?;
    let summary = match (taken, read) {
        (Err(error), Ok(_) | Err(ArchiveError::Stopped)) | (_, Err(error)) => return Err(error),
        (Ok(()), Ok(summary)) => summary,
    };
    // Only here is it known that all of it was what was written.
    if let Some(rows) = taking.rows {
        rows.finish().await?;
    }
    Ok(Imported { summary, settings: taking.settings })
}

struct Taking<'a> {
    tenant: &'a Tenant,
    parts: Parts<'a>,
    received: Receiver<Event>,
    how: Options<'a>,
    rows: Option<Box<dyn TakesRows>>,
    settings: Overrides,
    progress: Progress,
}

impl Taking<'_> {
    async fn all(&mut self) -> Result<(), ArchiveError> {
        while let Some(event) = self.received.recv().await {
            match event {
                Event::Header(header) => self.rows = Some(self.parts.rows.take(self.tenant, &header.schema).await?),
                Event::Settings(given) => self.settings = self.settings(&given)?,
                Event::Rows(part) => {
                    self.progress.rows += part.rows;
                    if let Some(rows) = &mut self.rows {
                        rows.take(part).await?;
                    }
                }
                Event::Upload(head) => self.upload(&head).await?,
                // They come after an upload, and with it they went.
                Event::Bytes(_) | Event::UploadEnd => {}
            }
            self.how.told(&self.progress)?;
        }
        Ok(())
    }

    fn settings(&self, given: &Overrides) -> Result<Overrides, ArchiveError> {
        let Some(settings) = self.parts.settings else { return Ok(Overrides::default()) };
        let taken = settings.take(self.tenant, given, self.how.secrets.as_ref());
        taken.map_err(|source| ArchiveError::Settings { tenant: self.tenant.slug.clone(), source })
    }

    async fn upload(&mut self, head: &UploadHead) -> Result<(), ArchiveError> {
        let uploads: &dyn PortableUploads = self.parts.uploads.ok_or(ArchiveError::NoUploads)?;
        uploads.take(self.tenant, head, &mut Body { received: &mut self.received, ended: false }).await?;
        self.progress.uploads += 1;
        self.progress.upload_bytes += head.bytes;
        Ok(())
    }
}

/// The content of an upload.
struct Body<'a> {
    received: &'a mut Receiver<Event>,
    ended: bool,
}

impl Chunks for Body<'_> {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, BoxError>> {
        Box::pin(async move {
            if self.ended {
                return Ok(None);
            }
            match self.received.recv().await {
                Some(Event::Bytes(piece)) => Ok(Some(piece)),
                Some(Event::UploadEnd) => {
                    self.ended = true;
                    Ok(None)
                }
                _ => Err(BodyCutOff(()).into()),
            }
        })
    }
}

/// The archive has ended, or is damaged, within an upload.
#[derive(Debug)]
struct BodyCutOff(());

impl fmt::Display for BodyCutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the archive ends within an upload")
    }
}

impl std::error::Error for BodyCutOff {}

/// How many pieces wait to be taken in.
const WAITING: usize = 4;
