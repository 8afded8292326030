//! Writing, changing and deleting notes.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;

use super::writing;
use crate::people;
use crate::site::Site;

/// A note is written, found in the list, changed and deleted.
pub async fn writing_changing_deleting(site: &Site) -> Result<()> {
    let (mut browser, account) = people::member(site, "Writer").await?;
    let title = people::unique("First");
    let text = "\n  One line,\n\n  and another – with “quotes” & ümläuts.";
    let note = writing::note(&mut browser, &title, text, "").await?;
    let page = browser.page()?;
    page.expect_text("article.note .author", &account.name)?;
    ensure!(page.exact_text("article.note .body")? == text, "{note} does not show the text as it was written");
    let found = browser.open().await?.link(&title)?;
    ensure!(found.url == note, "the list leads to {}", found.url);

    browser.get(&note).await?;
    let form = browser.click("Edit").await?.form("#note")?;
    ensure!(
        form.value("title") == Some(&title) && form.value("body") == Some(text),
        "the form to change {note} shows something else"
    );
    let changed = people::unique("Second");
    let page = browser.submit("#note", &[("title", &changed)]).await?;
    page.expect_text(".flash", "The note is changed.")?;
    page.expect_text("h1", &changed)?;
    ensure!(page.exact_text("article.note .body")? == text, "the text changed");
    ensure!(page.url() == &note, "the note moved to {}", page.url());

    let page = browser.submit(".delete-note", &[]).await?;
    page.expect_text(".flash", &format!("“{changed}” is deleted."))?;
    ensure!(page.link(&changed).is_err(), "the note is still listed");
    let page = browser.get(&note).await?;
    page.expect_status(StatusCode::NOT_FOUND)
}

/// Others read a note, but only its author and administrators change it.
pub async fn only_the_author_changes(site: &Site) -> Result<()> {
    let (mut author, _) = people::member(site, "Author").await?;
    let title = people::unique("Mine");
    let note = writing::note(&mut author, &title, "", "").await?;
    let delete = author.page()?.form(".delete-note")?;
    let edit = author.page()?.link("Edit")?;

    let (mut other, _) = people::member(site, "Reader").await?;
    let page = other.get(&note).await?;
    page.expect_text("h1", &title)?;
    page.expect_no(".delete-note")?;
    ensure!(page.link("Edit").is_err(), "{note} offers to be changed");
    let token = page.form("#new-comment")?;
    let token = token.value("csrf_token").context("there is no token")?;
    let page = other.get(&edit.url).await?;
    page.expect_status(StatusCode::FORBIDDEN)?;
    let mut forged = delete.clone();
    forged.fill("csrf_token", token)?;
    let page = other.send_form(&forged).await?;
    page.expect_status(StatusCode::FORBIDDEN)?;
    author.get(&note).await?.expect_text("h1", &title)?;

    let mut admin = people::admin(site).await?;
    admin.get(&note).await?;
    let page = admin.submit(".delete-note", &[]).await?;
    page.expect_text(".flash", &format!("“{title}” is deleted."))
}

/// A note needs a title; what was entered otherwise is not lost.
pub async fn incomplete_notes(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Hasty").await?;
    let long = "x".repeat(201);
    for title in ["   ", long.as_str()] {
        let page = writing::submit_note(&mut browser, title, "Some text", "a, b").await?;
        page.expect_status(StatusCode::UNPROCESSABLE_ENTITY)?;
        page.expect(".error")?;
        let form = page.form("#note")?;
        ensure!(
            form.value("body") == Some("Some text") && form.value("tags") == Some("a, b"),
            "{} lost what was entered",
            page.url()
        );
    }
    Ok(())
}

/// Markup in a note is shown, not obeyed.
pub async fn markup_is_escaped(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Mallory").await?;
    let script = format!("<script>alert(\"{}\")</script>", people::unique("x"));
    let body = format!("{script}</div><img src=x onerror='alert(1)'>");
    let note = writing::note(&mut browser, &script, &body, "").await?;
    let page = browser.page()?;
    page.expect_text("article.note .body", &body)?;
    page.expect_no("main script, main img")?;
    writing::comment(&mut browser, &note, &body).await?;
    browser.page()?.expect_no("main script, main img")?;

    let page = browser.click("Edit").await?;
    ensure!(page.form("#note")?.value("body") == Some(&body), "the form does not show the text as it was written");
    let page = browser.open().await?;
    page.link(&script)?;
    page.expect_no("main script, main img")
}
