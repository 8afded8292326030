//! The digests of what was written.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Method, StatusCode};
use tokio::time::{Instant, sleep};

use super::writing;
use crate::browser::Browser;
use crate::people;
use crate::site::Site;

const FORM: &str = "#digest-now";
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);

/// An administrator orders a digest, which has what was written lately; pages
/// and the API show it to everybody.
pub async fn ordered(site: &Site) -> Result<()> {
    let (mut browser, account) = people::member(site, "Reporter").await?;
    let title = people::unique("News");
    writing::note(&mut browser, &title, "", "").await?;
    let line = format!("“{title}” by {}", account.name);
    browser.click("Digests").await?.expect_no(FORM)?;

    let mut admin = people::admin(site).await?;
    let form = admin.click("Digests").await?.form(FORM)?;
    order(&mut admin).await?;
    expect(&mut browser, &line).await?;
    let digests = browser.api(Method::GET, "api/digests", None).await?.json()?;
    let newest = digests.as_array().and_then(|digests| digests.first()).context("there are no digests")?;
    let (text, notes) = (newest["text"].as_str().unwrap_or_default(), newest["notes"].as_u64());
    ensure!(text.contains(&line) && notes == u64::try_from(text.lines().count()).ok(), "it is {newest}");

    let mut forged = form;
    let token = browser.page()?.form("#sign-out")?;
    forged.fill("csrf_token", token.value("csrf_token").context("there is no token")?)?;
    browser.send_form(&forged).await?.expect_status(StatusCode::FORBIDDEN)
}

/// Lets an administrator order a digest.
pub async fn order(admin: &mut Browser) -> Result<()> {
    admin.click("Digests").await?;
    admin.submit(FORM, &[]).await?.expect_text(".flash", "A digest is being written.")
}

/// Waits for a digest with this line.
pub async fn expect(browser: &mut Browser, line: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !browser.click("Digests").await?.texts(".digest .body")?.iter().any(|text| text.contains(line)) {
        if Instant::now() > deadline {
            bail!("no digest with {line} was written in {PATIENCE:?}");
        }
        sleep(PAUSE).await;
    }
    Ok(())
}
