//! Lists that are too long for one page.

use anyhow::{Context, Result, ensure};

use super::{settings, writing};
use crate::browser::Browser;
use crate::people;
use crate::site::Site;

const PAGE_SIZE: &str = "3";
const NOTES: usize = 7;

/// A tag with many notes shows them page by page, as does the list of all.
pub async fn listing_by_pages(site: &Site) -> Result<()> {
    let mut admin = people::admin(site).await?;
    let before = settings::change(&mut admin, &[("page_size", PAGE_SIZE)]).await?;
    let listed = list(site).await;
    settings::restore(&mut admin, &before).await?;
    listed
}

/// What was searched for stays when turning pages.
pub async fn searching_by_pages(site: &Site) -> Result<()> {
    let mut admin = people::admin(site).await?;
    let before = settings::change(&mut admin, &[("page_size", PAGE_SIZE)]).await?;
    let found = search(site).await;
    settings::restore(&mut admin, &before).await?;
    found
}

async fn list(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Diligent").await?;
    let tag = people::unique("many");
    let titles = write_many(&mut browser, &tag).await?;

    browser.click(&tag).await?;
    expect_pages(&mut browser, &titles).await?;
    let page = browser.click("Newer").await?;
    page.expect_text(".pager span", "Page 2 of 3")?;

    let page = browser.open().await?;
    let newest = page.texts("ol.notes h2")?;
    ensure!(newest == titles[..3], "the list begins with {newest:?}");
    ensure!(page.link("Newer").is_err(), "there is something newer");
    let page = browser.click("Older").await?;
    let older = page.texts("ol.notes h2")?;
    ensure!(older == titles[3..6], "the list goes on with {older:?}");
    Ok(())
}

async fn search(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Seeker").await?;
    let text = people::unique("this & that + 100%");
    let tag = people::unique("sought");
    let mut titles = write_many(&mut browser, &tag).await?;
    for title in &titles {
        browser.click("Tags").await?;
        browser.click(&tag).await?;
        turn_to(&mut browser, title).await?;
        browser.click("Edit").await?;
        browser.submit("#note", &[("body", &text)]).await?;
    }
    browser.click("Search").await?;
    browser.submit("#search", &[("q", &text)]).await?;
    let found = collect(&mut browser).await?;
    let mut all = found.concat();
    all.sort();
    titles.sort();
    ensure!(all == titles, "the search found {found:?}");
    let form = browser.page()?.form("#search")?;
    ensure!(form.value("q") == Some(&text), "the last page forgot {text}");
    Ok(())
}

/// Writes notes with a tag, and gives their titles, the newest first.
async fn write_many(browser: &mut Browser, tag: &str) -> Result<Vec<String>> {
    let mut titles = Vec::new();
    for _ in 0..NOTES {
        let title = people::unique("One of many");
        writing::note(browser, &title, "", tag).await?;
        titles.insert(0, title);
    }
    Ok(titles)
}

/// Turns pages until there is a link to `title`, and follows it.
async fn turn_to(browser: &mut Browser, title: &str) -> Result<()> {
    while browser.page()?.link(title).is_err() {
        browser.click("Older").await.with_context(|| format!("looking for {title}"))?;
    }
    browser.click(title).await?;
    Ok(())
}

async fn expect_pages(browser: &mut Browser, titles: &[String]) -> Result<()> {
    let found = collect(browser).await?;
    let expected: Vec<Vec<String>> = titles.chunks(3).map(<[String]>::to_vec).collect();
    ensure!(found == expected, "the pages are {found:?}");
    Ok(())
}

/// The titles on this page and all older ones.
async fn collect(browser: &mut Browser) -> Result<Vec<Vec<String>>> {
    let mut pages = vec![browser.page()?.texts("ol.notes h2")?];
    while browser.page()?.has("a[rel=next]")? {
        let page = browser.click_on("a[rel=next]").await?;
        pages.push(page.texts("ol.notes h2")?);
        ensure!(pages.len() <= NOTES, "there is no end of pages");
    }
    Ok(pages)
}
