//! Files that are attached to notes.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};

use super::writing;
use crate::browser::Browser;
use crate::people;
use crate::site::Site;

const FORM: &str = "#attach";
const DELETE: &str = ".delete-attachment";

/// What somebody else would like to run in the reader's name.
const PAGE: &str = "<script>alert(document.cookie)</script><a href=\"/\">Home</a>";

/// A file is attached, listed, downloaded as it was, and deleted.
pub async fn attaching(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Archivist").await?;
    let note = writing::note(&mut browser, &people::unique("With files"), "", "").await?;
    // More than is sent or read at once.
    let long = "0123456789abcdef".repeat(1 << 15);
    for (name, contents) in [("été 2024.txt", long.as_str()), ("empty", "")] {
        attach(&mut browser, name, contents).await?;
        browser.page()?.expect_text(".flash", "The file is attached.")?;
        let link = browser.page()?.link(name)?;
        let file = browser.load(&link.url).await?;
        file.expect_status(StatusCode::OK)?;
        ensure!(file.source() == contents, "{} gives {} bytes, and others", link.url, file.source().len());
    }
    let link = browser.page()?.link("empty")?;
    let (mut reader, _) = people::member(site, "Reader").await?;
    reader.get(&note).await?.link("empty")?;
    reader.page()?.expect_no(DELETE)?;
    reader.load(&link.url).await?.expect_status(StatusCode::OK)?;
    Browser::new(site)?.load(&link.url).await?.expect_status(StatusCode::SEE_OTHER)?;

    let delete = browser.page()?.form(&format!("li:last-child {DELETE}"))?;
    browser.send_form(&delete).await?.expect_text(".flash", "“empty” is deleted.")?;
    ensure!(browser.page()?.link("empty").is_err(), "{note} still lists the file");
    browser.load(&link.url).await?.expect_status(StatusCode::NOT_FOUND)
}

/// A page that somebody attached is saved by browsers, not shown.
pub async fn saved_and_not_shown(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Mallory").await?;
    writing::note(&mut browser, &people::unique("With a page"), "", "").await?;
    attach(&mut browser, "<b>.html", PAGE).await?;
    let link = browser.page()?.link("<b>.html")?;
    let file = browser.load(&link.url).await?;
    ensure!(file.source() == PAGE, "{} gives {}", link.url, file.source());
    ensure!(!file.is_html(), "{} is shown as a page", link.url);
    ensure!(file.header("x-content-type-options") == Some("nosniff"), "browsers may guess what {} is", link.url);
    let disposition = file.header("content-disposition").unwrap_or_default();
    ensure!(disposition.starts_with("attachment; ") && disposition.contains("%3Cb%3E%2Ehtml"), "it is {disposition}");
    Ok(())
}

/// Only who may change a note attaches files to it, by its own form, and files
/// need names.
pub async fn refused(site: &Site) -> Result<()> {
    let (mut author, _) = people::member(site, "Author").await?;
    let note = writing::note(&mut author, &people::unique("Mine"), "", "").await?;
    let form = author.page()?.form(FORM)?;
    let mut forged = form.clone();
    forged.fill("csrf_token", "0123456789abcdef")?;
    author.send_file(&forged, "file", "a", b"").await?.expect_status(StatusCode::FORBIDDEN)?;
    forged.remove("csrf_token");
    author.send_file(&forged, "file", "a", b"").await?.expect_status(StatusCode::FORBIDDEN)?;
    author.send_file(&form, "file", " ", b"a").await?.expect_status(StatusCode::UNPROCESSABLE_ENTITY)?;

    let (mut other, _) = people::member(site, "Other").await?;
    other.get(&note).await?.expect_no(FORM)?;
    let token = other.page()?.form("#new-comment")?;
    let mut forged = form;
    forged.fill("csrf_token", token.value("csrf_token").context("there is no token")?)?;
    other.send_file(&forged, "file", "a", b"").await?.expect_status(StatusCode::FORBIDDEN)?;
    author.get(&note).await?.expect_no(".attachments li")
}

/// Files go with their note, and the API lists them.
pub async fn gone_with_the_note(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Tidy").await?;
    let note = writing::note(&mut browser, &people::unique("Not for long"), "", "").await?;
    attach(&mut browser, "notes.txt", "a text").await?;
    let link = browser.page()?.link("notes.txt")?;
    let id = note.path_segments().and_then(Iterator::last).context("a note has a number")?.to_owned();
    let read = browser.api(Method::GET, &format!("api/notes/{id}"), None).await?.json()?;
    let file = &read["attachments"][0];
    ensure!(file["name"] == "notes.txt" && file["size"] == 6 && file.get("object_key").is_none(), "it is {read}");
    browser.submit(".delete-note", &[]).await?;
    browser.load(&link.url).await?.expect_status(StatusCode::NOT_FOUND)
}

/// Attaches a file to the note that is shown.
pub async fn attach(browser: &mut Browser, name: &str, contents: &str) -> Result<()> {
    let form = browser.page()?.form(FORM)?;
    browser.send_file(&form, "file", name, contents.as_bytes()).await?;
    Ok(())
}
