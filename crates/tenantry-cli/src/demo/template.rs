//! The tenant that trials are made from, and one for training.
//!
//! The template is filled through the application's own pages, as somebody would do it who sits in front of them: the
//! application knows nothing of this.

use std::{collections::BTreeMap, fmt::Write as _, future::poll_fn, path::Path};

use anyhow::{Context, bail, ensure};
use axum::{
    Form, Router,
    body::{Body, to_bytes},
    http::{
        Request,
        header::{CONTENT_TYPE, COOKIE, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use tenantry::{
    Front, MasterKeys, NewTenant, Purpose, Slug, Status, Tenancy, TenantId, control::Erasing, entrance::SignIn,
    tower::hidden_fields,
};
use tower_service::Service;

/// How a visitor of a trial is signed in.
pub(super) fn sign_in(password: &str) -> SignIn {
    SignIn::form("/login", [("email", GUEST), ("password", password)])
}

/// The password of the account that everybody comes in as: nobody has to know it.
pub(super) fn password(folder: &Path) -> anyhow::Result<String> {
    let keys = MasterKeys::load_or_create(folder.join("notes.key"))?;
    let key = keys.current(Purpose::new("password of the demo's guest"), TenantId::new(0));
    let mut password = String::new();
    for byte in key.secret().iter().take(16) {
        // Writing to a text cannot fail.
        write!(password, "{byte:02x}").ok();
    }
    Ok(password)
}

/// Makes the template and the training tenant, unless they are there. `front` serves the application.
pub(super) async fn prepare(
    tenancy: &Tenancy,
    front: Front<Router>,
    template: &Slug,
    password: &str,
) -> anyhow::Result<()> {
    let (catalog, control) = (tenancy.catalog(), tenancy.control().await?);
    let training: Slug = TRAINING.parse()?;
    let known = catalog.by_slug(template).await?;
    // It is suspended when it is ready; one that is not was left behind half made.
    if known.as_ref().is_some_and(|known| known.status == Status::Active) {
        control.delete(template, std::time::Duration::ZERO).await?;
        control.erase(template, Erasing::Now).await?;
    }
    if known.is_none_or(|known| known.status == Status::Active) {
        catalog.create(NewTenant::new(template.clone())).await?;
        tenancy.refresh().await?;
        fill(front, template, password).await.context("the template cannot be filled")?;
        control.suspend(template).await?;
    }
    if catalog.by_slug(&training).await?.is_none() {
        control.create_from(template, NewTenant::new(training)).await?;
    }
    Ok(tenancy.refresh().await?)
}

async fn fill(front: Front<Router>, template: &Slug, password: &str) -> anyhow::Result<()> {
    let mut guest = Guest { front, root: format!("/t/{template}"), cookies: BTreeMap::new() };
    guest.send("/signup", "/signup", &[("name", "Guest"), ("email", GUEST), ("password", password)]).await?;
    for (title, body, tags) in NOTES {
        guest.send("/notes/new", "/notes", &[("title", title), ("body", body), ("tags", tags)]).await?;
    }
    Ok(())
}

/// Somebody with a browser.
struct Guest {
    front: Front<Router>,
    root: String,
    cookies: BTreeMap<String, String>,
}

impl Guest {
    /// Opens a page, fills in the form with these fields, and sends it.
    async fn send(&mut self, page: &str, to: &str, fields: &[(&str, &str)]) -> anyhow::Result<()> {
        let first = fields.first().map_or("", |(name, _)| name);
        let shown = self.ask(Request::get(format!("{}{page}", self.root)).body(Body::empty())?).await?;
        let shown = to_bytes(shown.into_body(), PAGE_BYTES_MAX).await?;
        let mut filled = hidden_fields(&shown, first);
        filled.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let form = Form(filled).into_response();
        let form_type = form.headers().get(CONTENT_TYPE).cloned().context("a form has a type")?;
        let request =
            Request::post(format!("{}{to}", self.root)).header(CONTENT_TYPE, form_type).body(form.into_body())?;
        let answer = self.ask(request).await?;
        ensure!(answer.status().is_redirection(), "{to} was answered with {}", answer.status());
        Ok(())
    }

    async fn ask(&mut self, mut request: Request<Body>) -> anyhow::Result<Response> {
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(COOKIE, pairs.join("; ").parse()?);
        }
        let Ok(()) = poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut self.front, cx)).await;
        let Ok(answer) = self.front.call(request).await;
        if answer.status().is_client_error() || answer.status().is_server_error() {
            bail!("the application has answered with {}", answer.status());
        }
        for set in answer.headers().get_all(SET_COOKIE) {
            let pair = set.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// The tenant that is reset to it.
pub(super) const TRAINING: &str = "training";

const GUEST: &str = "guest@example.com";

const NOTES: [(&str, &str, &str); 2] = [
    ("Welcome", "This workspace is yours alone. Write what you like: it is gone when its time is up.", "start"),
    ("What to try", "Write a note, tag it, look for it, attach a file, and look at the statistics.", "start, ideas"),
];

const PAGE_BYTES_MAX: usize = 1024 * 1024;
