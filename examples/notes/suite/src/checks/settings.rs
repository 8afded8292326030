//! The settings of the site. Checks that change them put them back.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;

use crate::browser::Browser;
use crate::page::Form;
use crate::people;
use crate::site::Site;

const FORM: &str = "#site-settings";

/// An administrator changes the title and the theme for everybody.
pub async fn changing(site: &Site) -> Result<()> {
    let mut admin = people::admin(site).await?;
    let title = people::unique("Our <b>notes</b>");
    let old = admin.click("Settings").await?.form(FORM)?;
    let theme = match old.value("theme") {
        Some("dark") => "light",
        _ => "dark",
    };
    let fields = [("site_title", title.as_str()), ("theme", theme)];
    let before = change(&mut admin, &fields).await?;
    let shown = expect_shown(site, &title, theme).await;
    restore(&mut admin, &before).await?;
    shown?;
    let old_title = before.value("site_title").context("there was no title")?;
    admin.open().await?.expect_text(".brand", old_title)
}

/// Settings are for administrators, whatever others send.
pub async fn refused_to_members(site: &Site) -> Result<()> {
    let mut admin = people::admin(site).await?;
    let link = admin.page()?.link("Settings")?;
    let before = admin.get(&link.url).await?.form(FORM)?;
    let mut form = before.clone();
    let (mut member, _) = people::member(site, "Curious").await?;
    let own = member.page()?.form("#switch-theme")?;
    let token = own.value("csrf_token").context("there is no token")?;
    form.fill("csrf_token", token)?;
    form.fill("site_title", "Taken over")?;
    let page = member.get(&link.url).await?;
    page.expect_status(StatusCode::FORBIDDEN)?;
    page.expect_no(FORM)?;
    let page = member.send_form(&form).await?;
    page.expect_status(StatusCode::FORBIDDEN)?;
    // The page after the form is refused too, so see what became of the title.
    let after = admin.get(&link.url).await?.form(FORM)?;
    ensure!(after.fields == before.fields, "a member changed the settings to {after:?}");
    Ok(())
}

/// What makes no sense is refused, and changes nothing.
pub async fn nonsense_is_refused(site: &Site) -> Result<()> {
    let mut admin = people::admin(site).await?;
    let before = admin.click("Settings").await?.form(FORM)?;
    for (field, value) in
        [("page_size", "0"), ("page_size", "101"), ("page_size", "many"), ("site_title", "  "), ("theme", "pink")]
    {
        admin.open().await?;
        admin.click("Settings").await?;
        let page = admin.submit(FORM, &[(field, value)]).await?;
        page.expect_status(StatusCode::UNPROCESSABLE_ENTITY).with_context(|| format!("{field} = “{value}”"))?;
        page.expect(".error")?;
    }
    admin.open().await?;
    let after = admin.click("Settings").await?.form(FORM)?;
    ensure!(after.fields == before.fields, "the settings are {after:?}");
    Ok(())
}

/// Changes settings, and gives the form as it was before.
pub async fn change(admin: &mut Browser, fields: &[(&str, &str)]) -> Result<Form> {
    admin.open().await?;
    let before = admin.click("Settings").await?.form(FORM)?;
    let page = admin.submit(FORM, fields).await?;
    page.expect_text(".flash", "The settings are saved.")?;
    Ok(before)
}

/// Puts settings back.
pub async fn restore(admin: &mut Browser, before: &Form) -> Result<()> {
    let page = admin.send_form(before).await?;
    page.expect_text(".flash", "The settings are saved.")
}

async fn expect_shown(site: &Site, title: &str, theme: &str) -> Result<()> {
    let mut visitor = Browser::new(site)?;
    let page = visitor.open().await?;
    page.expect_text(".brand", title)?;
    page.expect_text("title", &format!("Sign in – {title}"))?;
    page.expect_no(".brand b")?;
    let class = page.attribute("body", "class")?;
    ensure!(class.as_deref() == Some(theme), "{} has the theme {class:?} instead of {theme}", page.url());
    Ok(())
}
