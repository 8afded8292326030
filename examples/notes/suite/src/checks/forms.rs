//! The tokens that protect forms against other sites.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;

use super::writing;
use crate::browser::Browser;
use crate::page::Form;
use crate::people;
use crate::site::Site;

const TOKEN: &str = "csrf_token";

/// No form is taken without its token.
pub async fn token_is_required(site: &Site) -> Result<()> {
    let mut browser = Browser::new(site)?;
    browser.open().await?;
    let sign_in = browser.page()?.form("#sign-in")?;
    let sign_up = browser.click("Sign up").await?.form("#sign-up")?;
    for form in [sign_in, sign_up] {
        refused_without_token(&mut browser, form).await?;
    }

    let mut browser = people::admin(site).await?;
    let title = people::unique("Protected");
    writing::note(&mut browser, &title, "", "").await?;
    let page = browser.page()?.clone();
    let mut forms = Vec::new();
    for selector in ["#sign-out", "#switch-theme", ".delete-note", "#new-comment"] {
        forms.push(page.form(selector)?);
    }
    forms.push(browser.click("Edit").await?.form("#note")?);
    forms.push(browser.click("Settings").await?.form("#site-settings")?);
    browser.open().await?;
    forms.push(browser.click("New note").await?.form("#note")?);
    for form in forms {
        refused_without_token(&mut browser, form).await?;
    }
    browser.get(page.url()).await?.expect_text("h1", &title)
}

/// A token is good for the session it was made for, and for no other.
pub async fn token_belongs_to_session(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Mine").await?;
    let (mut other, _) = people::member(site, "Theirs").await?;
    browser.open().await?;
    let mut form = browser.click("New note").await?.form("#note")?;
    other.open().await?;
    let theirs = other.click("New note").await?.form("#note")?;
    let theirs = theirs.value(TOKEN).context("a form has no token")?;
    ensure!(form.value(TOKEN) != Some(theirs), "two sessions have the same token");
    form.fill("title", &people::unique("Smuggled"))?;
    form.fill(TOKEN, theirs)?;
    let page = browser.send_form(&form).await?;
    page.expect_status(StatusCode::FORBIDDEN)
}

async fn refused_without_token(browser: &mut Browser, form: Form) -> Result<()> {
    let action = form.action.clone();
    ensure!(form.is_post, "the form for {action} changes nothing");
    ensure!(form.value(TOKEN).is_some(), "the form for {action} has no token");
    let mut missing = form.clone();
    missing.remove(TOKEN);
    let mut wrong = form;
    wrong.fill(TOKEN, "0123456789abcdef")?;
    for form in [missing, wrong] {
        let page = browser.send_form(&form).await?;
        page.expect_status(StatusCode::FORBIDDEN)
            .with_context(|| format!("the form for {action} without its token"))?;
    }
    Ok(())
}
