//! Whether a file could become a tenant: it is read as an import reads it, and nothing of it is taken.

use std::{io::Read, sync::Arc};

use tenantry_core::{
    BoxFuture, Chunks, GivesRows, GivesUploads, PlaneError, PortableRows, PortableUploads, RowsPart, RowsSchema,
    TakesRows, Tenant, UploadHead,
};

use super::{ArchiveError, Imported, Options, Parts, Portable, import::read};

/// Reads an archive to its end as [`import`](super::import()) does for this tenant, who need not be there, and looks whether its
/// tables fit, whether its settings can be opened, and whether there is a place for its uploads. Nothing is taken in.
///
/// Whether each value fits its column, and each reference leads somewhere, only an import finds out.
///
/// # Errors
///
/// [`ArchiveError`] says what an import would not accept.
pub async fn check(
    tenant: &Tenant,
    portable: &Portable,
    from: impl Read + Send + 'static,
    how: Options<'_>,
) -> Result<Imported, ArchiveError> {
    let rows = OnlyChecked(Arc::clone(&portable.rows));
    let uploads = portable.uploads.as_ref().map(|uploads| OnlyChecked(Arc::clone(uploads)));
    let parts = Parts {
        rows: &rows,
        uploads: uploads.as_ref().map(|uploads| uploads as &dyn PortableUploads),
        settings: portable.settings.as_deref(),
    };
    read(tenant, parts, from, how).await
}

/// What is not taken.
struct OnlyChecked<T: ?Sized>(Arc<T>);

impl PortableRows for OnlyChecked<dyn PortableRows> {
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesRows>, PlaneError>> {
        self.0.give(tenant)
    }

    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        schema: &'a RowsSchema,
    ) -> BoxFuture<'a, Result<Box<dyn TakesRows>, PlaneError>> {
        Box::pin(async move {
            self.0.fits(tenant, schema).await?;
            Ok(Box::new(Counted(0)) as Box<dyn TakesRows>)
        })
    }

    fn fits<'a>(&'a self, tenant: &'a Tenant, schema: &'a RowsSchema) -> BoxFuture<'a, Result<(), PlaneError>> {
        self.0.fits(tenant, schema)
    }
}

/// Rows that are only counted.
struct Counted(u64);

impl TakesRows for Counted {
    fn take(&mut self, part: RowsPart) -> BoxFuture<'_, Result<(), PlaneError>> {
        self.0 += part.rows;
        Box::pin(std::future::ready(Ok(())))
    }

    fn finish<'a>(self: Box<Self>) -> BoxFuture<'a, Result<u64, PlaneError>>
    where
        Self: 'a,
    {
        Box::pin(std::future::ready(Ok(self.0)))
    }
}

impl PortableUploads for OnlyChecked<dyn PortableUploads> {
    fn give<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Box<dyn GivesUploads>, PlaneError>> {
        self.0.give(tenant)
    }

    fn take<'a>(
        &'a self,
        tenant: &'a Tenant,
        _: &'a UploadHead,
        body: &'a mut dyn Chunks,
    ) -> BoxFuture<'a, Result<(), PlaneError>> {
        Box::pin(async move {
            while body.next().await.map_err(|error| PlaneError::new("uploads", tenant, error))?.is_some() {}
            Ok(())
        })
    }
}
