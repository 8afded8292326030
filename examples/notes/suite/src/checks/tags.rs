//! Filing notes under tags.

use anyhow::{Context, Result, ensure};

use super::writing;
use crate::browser::Browser;
use crate::people;
use crate::site::Site;

/// Notes are found by their tags, for as long as they have them.
pub async fn filing(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Filer").await?;
    let (both, one) = (people::unique("both"), people::unique("one"));
    let (first, second) = (people::unique("First"), people::unique("Second"));
    let entered = format!("{both}, {} ,, {one}", one.to_uppercase());
    let note = writing::note(&mut browser, &first, "", &entered).await?;
    ensure!(
        browser.page()?.texts("article.note .tag")? == [both.as_str(), &one],
        "{note} has not the tags {both} and {one}"
    );
    writing::note(&mut browser, &second, "", &both).await?;

    expect_filed(&mut browser, &both, &[&second, &first]).await?;
    expect_filed(&mut browser, &one, &[&first]).await?;
    browser.get(&note).await?;
    browser.click("Edit").await?;
    browser.submit("#note", &[("tags", &both)]).await?;
    expect_filed(&mut browser, &both, &[&first, &second]).await.context("after a note was changed")?;
    let page = browser.click("Tags").await?;
    ensure!(page.link(&one).is_err(), "{one} is listed without a note");

    browser.get(&note).await?;
    browser.submit(".delete-note", &[]).await?;
    expect_filed(&mut browser, &both, &[&second]).await.context("after a note was deleted")
}

/// Tags may have characters that mean something in addresses.
pub async fn unusual_names(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Poet").await?;
    for name in ["c++ & co", "50%", "a/b", "größe?", "#1", "<b>", "..x"] {
        let tag = people::unique(name);
        let shown = tag.replace(' ', "-");
        let title = people::unique("Unusual");
        writing::note(&mut browser, &title, "", &tag).await?;
        let page = browser.click(&shown).await?;
        page.expect_text("h1", &format!("Notes tagged “{shown}”"))?;
        page.link(&title)?;
        expect_filed(&mut browser, &shown, &[&title]).await?;
    }
    Ok(())
}

/// Goes to a tag by the list of all tags, and compares the notes there.
async fn expect_filed(browser: &mut Browser, tag: &str, titles: &[&str]) -> Result<()> {
    browser.open().await?;
    browser.click("Tags").await?;
    let page = browser.click(tag).await?;
    let mut found = page.texts("ol.notes h2")?;
    let mut titles = titles.to_vec();
    // Notes changed in the same second are in the order of their numbers.
    found.sort();
    titles.sort_unstable();
    ensure!(found == titles, "{} lists {found:?} instead of {titles:?}", page.url());
    Ok(())
}
