//! Talking about notes.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;

use super::writing;
use crate::people;
use crate::site::Site;

/// Everybody may comment; comments are shown in order and counted in lists.
pub async fn commenting(site: &Site) -> Result<()> {
    let (mut author, _) = people::member(site, "Host").await?;
    let title = people::unique("Discussed");
    let tag = people::unique("talk");
    let note = writing::note(&mut author, &title, "", &tag).await?;
    author.page()?.expect_text(".empty", "Nobody has commented yet.")?;

    let (mut guest, guest_account) = people::member(site, "Guest").await?;
    writing::comment(&mut guest, &note, "First!\nReally.").await?;
    guest.page()?.expect_text(".flash", "Thank you for your comment.")?;
    writing::comment(&mut author, &note, "Second.").await?;
    let page = author.page()?;
    ensure!(page.texts(".comment .body")? == ["First!\nReally.", "Second."], "{note} has not both comments in order");
    page.expect_text(".comment .author", &guest_account.name)?;
    let page = author.click(&tag).await?;
    let meta = page.text("ol.notes .meta")?;
    ensure!(meta.contains("2 comments"), "the list says “{meta}”");

    guest.get(&note).await?;
    let page = guest.submit("#new-comment", &[("body", "  ")]).await?;
    page.expect_status(StatusCode::UNPROCESSABLE_ENTITY)
}

/// A comment is deleted by its author or an administrator.
pub async fn only_the_author_deletes(site: &Site) -> Result<()> {
    let (mut author, _) = people::member(site, "Host").await?;
    let title = people::unique("Moderated");
    let note = writing::note(&mut author, &title, "", "").await?;
    let (mut guest, _) = people::member(site, "Guest").await?;
    writing::comment(&mut guest, &note, "Mine").await?;
    let delete = guest.page()?.form(".delete-comment")?;

    let page = author.get(&note).await?;
    page.expect_no(".delete-comment")?;
    let own = page.form("#new-comment")?;
    let token = own.value("csrf_token").context("there is no token")?;
    let mut forged = delete.clone();
    forged.fill("csrf_token", token)?;
    let page = author.send_form(&forged).await?;
    page.expect_status(StatusCode::FORBIDDEN)?;

    let page = guest.send_form(&delete).await?;
    page.expect_text(".flash", "The comment is deleted.")?;
    page.expect_no(".comment")?;
    let page = guest.send_form(&delete).await?;
    page.expect_status(StatusCode::NOT_FOUND)?;

    writing::comment(&mut guest, &note, "Again").await?;
    let mut admin = people::admin(site).await?;
    admin.get(&note).await?;
    let page = admin.submit(".delete-comment", &[]).await?;
    page.expect_no(".comment")
}
