//! Writing notes and comments, which most checks begin with.

use anyhow::{Context, Result};
use url::Url;

use crate::browser::Browser;
use crate::page::Page;

/// Writes a note and tells where it is. The browser then shows it.
pub async fn note(browser: &mut Browser, title: &str, body: &str, tags: &str) -> Result<Url> {
    let page = submit_note(browser, title, body, tags).await?;
    page.expect_text("h1", title).context("the note is not shown after it was written")?;
    Ok(page.url().clone())
}

/// Sends the form for a new note, whatever comes of it.
pub async fn submit_note<'a>(browser: &'a mut Browser, title: &str, body: &str, tags: &str) -> Result<&'a Page> {
    browser.open().await?;
    browser.click("New note").await?;
    let fields = [("title", title), ("body", body), ("tags", tags)];
    browser.submit("#note", &fields).await
}

/// Comments on a note. The browser then shows it.
pub async fn comment(browser: &mut Browser, note: &Url, body: &str) -> Result<()> {
    browser.get(note).await?;
    let page = browser.submit("#new-comment", &[("body", body)]).await?;
    page.expect_text(".comment .body", body).context("the comment is not shown after it was written")
}
