//! A tenant becomes a file.

use std::{io::Write, path::Path};

use tenantry_core::{GivenUpload, Overrides, Tenant};

use super::{
    ArchiveError, Header, Options, Parts, Progress, Summary,
    pack::{Command, Packing},
    partial::Partial,
};

/// Writes what a tenant has into a file, in the place of what is there when it is whole. See [the module](super).
///
/// Nothing of the tenant is changed, and it may be served meanwhile.
///
/// # Errors
///
/// [`ArchiveError`], and there is no file, or the one that was there before.
pub async fn export(tenant: &Tenant, parts: Parts<'_>, file: &Path, how: Options<'_>) -> Result<Summary, ArchiveError> {
    export_if(tenant, parts, file, how, async { Ok(()) }).await
}

/// The same, if at the end all is well.
pub(crate) async fn export_if<E: From<ArchiveError>>(
    tenant: &Tenant,
    parts: Parts<'_>,
    file: &Path,
    how: Options<'_>,
    is_well: impl Future<Output = Result<(), E>>,
) -> Result<Summary, E> {
    let path = file.to_owned();
    let (partial, file) = blocking(move || Partial::begin(&path)).await?;
    let (file, summary) = export_to(tenant, parts, file, how).await?;
    is_well.await?;
    blocking(move || partial.finish(&file)).await?;
    Ok(summary)
}

/// The same into anything that bytes can be written to, which it gives back. When this fails, what was written is no
/// archive.
///
/// # Errors
///
/// [`ArchiveError`].
pub async fn export_to<W: Write + Send + 'static>(
    tenant: &Tenant,
    parts: Parts<'_>,
    to: W,
    mut how: Options<'_>,
) -> Result<(W, Summary), ArchiveError> {
    let settings = parts.settings.map(|settings| settings.give(tenant, how.secrets.as_ref())).transpose();
    let settings = settings.map_err(|source| ArchiveError::Settings { tenant: tenant.slug.clone(), source })?;
    let (settings, left_out): (Overrides, _) = settings.unwrap_or_default();
    let mut rows = parts.rows.give(tenant).await?;
    let header = Header::new(tenant, rows.schema().clone(), left_out);
    let mut packing = Packing::begin(to, header, settings.to_json());
    let mut progress = Progress::default();
    while let Some(part) = rows.next().await? {
        progress.rows += part.rows;
        packing.send(Command::Rows(part)).await?;
        how.told(&progress)?;
    }
    // Whatever holds that moment is let go.
    drop(rows);
    if let Some(uploads) = parts.uploads {
        let mut uploads = uploads.give(tenant).await?;
        while let Some(upload) = uploads.next().await? {
            write_upload(upload, &mut packing, &mut progress, &mut how).await?;
        }
    }
    packing.finish().await
}

async fn write_upload<W: Write + Send + 'static>(
    upload: GivenUpload,
    packing: &mut Packing<W>,
    progress: &mut Progress,
    how: &mut Options<'_>,
) -> Result<(), ArchiveError> {
    let GivenUpload { head, mut body } = upload;
    let (name, bytes) = (head.name.clone(), head.bytes);
    let mut left = bytes;
    packing.send(Command::Upload(head)).await?;
    loop {
        let next = body.next().await;
        let piece = next.map_err(|source| ArchiveError::UploadUnread { name: name.clone(), source })?;
        let Some(piece) = piece else { break };
        let fits = left.checked_sub(piece.len() as u64);
        left = fits.ok_or_else(|| ArchiveError::Upload { name: name.clone(), bytes })?;
        progress.upload_bytes += piece.len() as u64;
        packing.send(Command::Bytes(piece)).await?;
        how.told(progress)?;
    }
    if left > 0 {
        return Err(ArchiveError::Upload { name, bytes });
    }
    progress.uploads += 1;
    packing.send(Command::UploadEnd).await?;
    how.told(progress)
}

/// Does what waits for a disk where others do not wait for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, ArchiveError> {
    #[expect(clippy::disallowed_methods, reason = "an archive is written for no request, and needs no scope")]
    let done = tokio::task::spawn_blocking(work);
    done.await.map_err(ArchiveError::ended)?.map_err(ArchiveError::Write)
}
