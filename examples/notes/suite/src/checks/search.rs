//! Finding notes by their text.

use anyhow::{Result, ensure};

use super::writing;
use crate::browser::Browser;
use crate::people;
use crate::site::Site;

/// Title, text and tags are searched, whatever the case.
pub async fn finding(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Finder").await?;
    let word = people::unique("needle");
    let title = format!("A {word} in the title");
    let (text, tag) = (people::unique("Text"), people::unique("Tag"));
    writing::note(&mut browser, &title, "", "").await?;
    writing::note(&mut browser, &text, &format!("some {word} here"), "").await?;
    writing::note(&mut browser, &tag, "", &format!("hay, {word}")).await?;
    writing::note(&mut browser, &people::unique("Other"), "hay", "hay").await?;
    expect_found(&mut browser, &word, &[&title, &text, &tag]).await?;
    expect_found(&mut browser, &word.to_uppercase(), &[&title, &text, &tag]).await
}

/// What means something to a database or a page is just text here.
pub async fn special_characters(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Pedant").await?;
    let end = people::unique("");
    for (text, lookalike) in [
        ("100%", "100 per cent "),
        ("a_b", "axb"),
        ("it's", "its"),
        ("say \"yes\"", "say yes"),
        (r"c:\d", "c:d"),
        (r"\%", r"\x"),
        ("'); DROP TABLE notes; --", "nothing"),
        ("<script>alert(1)</script>", "<script >"),
        ("&amp;", "&"),
    ] {
        let (text, lookalike) = (format!("{text}{end}"), format!("{lookalike}{end}"));
        writing::note(&mut browser, &text, "", "").await?;
        writing::note(&mut browser, &lookalike, "", "").await?;
        expect_found(&mut browser, &text, &[&text]).await?;
        browser.page()?.expect_no("main script")?;
    }
    Ok(())
}

/// Finding nothing, and not having searched, look like it.
pub async fn nothing_found(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Loser").await?;
    let page = browser.click("Search").await?;
    page.expect_no("ol.notes, .empty")?;
    let word = people::unique("<i>lost</i>");
    let page = browser.submit("#search", &[("q", &word)]).await?;
    page.expect_text(".empty", &format!("Nothing was found for “{word}”."))?;
    page.expect_no("main i")
}

async fn expect_found(browser: &mut Browser, text: &str, titles: &[&str]) -> Result<()> {
    browser.click("Search").await?;
    let page = browser.submit("#search", &[("q", text)]).await?;
    let mut found = page.texts("ol.notes h2")?;
    let mut titles = titles.to_vec();
    found.sort();
    titles.sort_unstable();
    ensure!(found == titles, "searching for {text} found {found:?} instead of {titles:?}");
    Ok(())
}
