//! Where all links lead.

use std::collections::{BTreeSet, VecDeque};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use url::Url;

use super::{attachments, writing};
use crate::browser::Browser;
use crate::page::Page;
use crate::people;
use crate::site::Site;

/// A site in use has more pages than anybody wants to wait for.
const MAX_PAGES: usize = 120;

/// Every link in every page leads to something below the base, for those who
/// are signed in and for those who are not, and style sheets are there.
pub async fn all_lead_somewhere(site: &Site) -> Result<()> {
    crawl(Browser::new(site)?).await.context("as a stranger")?;
    let mut admin = people::admin(site).await?;
    let title = people::unique("Linked");
    let note = writing::note(&mut admin, &title, "text", "linked, c++").await?;
    writing::comment(&mut admin, &note, "A comment.").await?;
    attachments::attach(&mut admin, "linked.html", "<a href=\"/nowhere\">Nowhere</a>").await?;
    let seen = crawl(admin).await.context("as administrator")?;
    ensure!(seen.len() > 10, "there are only the pages {seen:?}");
    Ok(())
}

/// Visits whatever can be reached by links, and gives all addresses found.
async fn crawl(mut browser: Browser) -> Result<BTreeSet<Url>> {
    let mut queue = VecDeque::new();
    let mut seen = BTreeSet::new();
    let start = browser.open().await?.clone();
    enqueue(&start, &mut seen, &mut queue)?;
    let mut visited = 0;
    while let Some((url, from)) = queue.pop_front() {
        visited += 1;
        if visited > MAX_PAGES {
            break;
        }
        if !browser.site().has_origin_of(&url) {
            continue;
        }
        let page = browser.get(&url).await;
        let page = page.with_context(|| format!("a link in {from}"))?.clone();
        page.expect_status(StatusCode::OK).with_context(|| format!("a link in {from}"))?;
        if page.is_html() {
            expect_style(&mut browser, &page).await?;
            enqueue(&page, &mut seen, &mut queue)?;
        }
    }
    Ok(seen)
}

fn enqueue(page: &Page, seen: &mut BTreeSet<Url>, queue: &mut VecDeque<(Url, Url)>) -> Result<()> {
    for link in page.links("a[href], link[href]")? {
        let mut url = link.url;
        url.set_fragment(None);
        if seen.insert(url.clone()) {
            queue.push_back((url, page.url().clone()));
        }
    }
    Ok(())
}

async fn expect_style(browser: &mut Browser, page: &Page) -> Result<()> {
    let sheets = page.links("link[rel=stylesheet]")?;
    ensure!(!sheets.is_empty(), "{} has no style sheet", page.url());
    for sheet in sheets {
        let style = browser.load(&sheet.url).await?;
        style.expect_status(StatusCode::OK)?;
        let kind = style.header("content-type").unwrap_or_default();
        ensure!(kind.starts_with("text/css"), "{} is {kind}", sheet.url);
        ensure!(!style.source().is_empty(), "{} is empty", sheet.url);
    }
    Ok(())
}
