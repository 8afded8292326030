//! The files of each tenant.

pub use tenantry_resource::uploads::{
    Bucket, Download, ObjectName, ObjectNameError, Options, Place, PlaceError, Stored, UploadError, Uploads, Usage,
};

use crate::Tenancy;

impl Tenancy {
    /// The uploads of the tenant whose scope is current, in the folder or the bucket at `uploads.url`.
    ///
    /// Nothing is opened before it is first used. Every call gives the same handle.
    ///
    /// ```no_run
    /// # use axum::body::Body;
    /// # use axum::http::{Response, StatusCode};
    /// use tenantry::{Refusal, uploads::{ObjectName, UploadError, Uploads}};
    ///
    /// async fn upload(uploads: Uploads, name: ObjectName, body: Body) -> Result<StatusCode, Refusal> {
    ///     uploads.put(&name, None, body.into_data_stream()).await?;
    ///     Ok(StatusCode::CREATED)
    /// }
    ///
    /// async fn download(uploads: Uploads, token: &str) -> Result<Response<Body>, Refusal> {
    ///     let Some(download) = uploads.open_link(token).await? else {
    ///         let mut gone = Response::new(Body::empty());
    ///         *gone.status_mut() = StatusCode::NOT_FOUND;
    ///         return Ok(gone);
    ///     };
    ///     let mut response = Response::builder();
    ///     // The browser saves it, and runs nothing of it.
    ///     for (name, value) in download.stored.headers() {
    ///         response = response.header(name, value);
    ///     }
    ///     response.body(Body::from_stream(download)).map_err(|_| Refusal::new(tenantry::Code::RequestMalformed))
    /// }
    /// ```
    pub fn uploads(&self) -> Uploads {
        self.uploads_handle().clone()
    }
}
