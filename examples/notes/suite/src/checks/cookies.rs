//! The cookies the application sets.

use anyhow::{Context, Result, ensure};

use super::writing;
use crate::browser::Browser;
use crate::people;
use crate::site::Site;

/// The name of the session cookie.
pub const SESSION: &str = "notes_session";

/// The name of the cookie with the visitor's theme.
pub const THEME: &str = "theme";

/// The name of the cookie with a message for the next page.
pub const FLASH: &str = "flash";

/// Cookies stay below the base of the site, and the session out of the reach
/// of scripts and other sites.
pub async fn attributes(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Eater").await?;
    browser.submit("#switch-theme", &[]).await?;
    for cookie in browser.cookies() {
        ensure!(site.covers_path(&cookie.path), "the cookie {cookie:?} leaves {}", site.base);
        ensure!(cookie.domain.is_none(), "the cookie {cookie:?} goes to more than one host");
        ensure!(
            cookie.same_site.as_deref() == Some("Lax"),
            "the cookie {cookie:?} goes along with forms of other sites"
        );
    }
    let session = browser.cookie(SESSION).context("there is no session")?;
    ensure!(session.http_only, "scripts can read {session:?}");
    ensure!(!session.persistent, "{session:?} outlives the browser");
    let theme = browser.cookie(THEME).context("there is no theme")?;
    ensure!(!theme.http_only, "scripts cannot read {theme:?}");
    ensure!(theme.persistent, "{theme:?} is soon forgotten");
    Ok(())
}

/// A visitor's theme is theirs, and survives their session.
pub async fn theme(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Painter").await?;
    let before = body_class(&browser)?;
    let form = browser.page()?.form("#switch-theme")?;
    let chosen = form.value("theme").context("there is no theme")?.to_owned();
    ensure!(chosen != before, "the button offers the theme in use");
    browser.send_form(&form).await?;
    ensure!(body_class(&browser)? == chosen, "the theme is not used");
    let cookie = browser.cookie(THEME).context("there is no theme cookie")?;
    ensure!(cookie.value == chosen, "{cookie:?} is not {chosen}");

    browser.submit("#sign-out", &[]).await?;
    ensure!(body_class(&browser)? == chosen, "the theme went with the session");
    let (other, _) = people::member(site, "Neighbour").await?;
    ensure!(body_class(&other)? == before, "everybody got the theme");

    browser.accept_cookie(&format!("{THEME}=none; Path={}", cookie.path))?;
    browser.open().await?;
    ensure!(body_class(&browser)? == before, "a wrong theme is no default");
    Ok(())
}

/// An administrator chooses their own theme on the page with the settings.
pub async fn theme_on_the_settings_page(site: &Site) -> Result<()> {
    let mut admin = people::admin(site).await?;
    for theme in ["dark", "light"] {
        admin.click("Settings").await?;
        let page = admin.submit("#own-theme", &[("theme", theme)]).await?;
        page.expect_text(".flash", &format!("You chose the {theme} theme."))?;
        ensure!(body_class(&admin)? == theme, "{theme} is not used");
        let cookie = admin.cookie(THEME).context("there is no theme cookie")?;
        ensure!(cookie.value == theme, "{cookie:?} is not {theme}");
    }
    Ok(())
}

/// A message is shown after a form was sent, and never again.
pub async fn flash_is_shown_once(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Forgetful").await?;
    let title = people::unique("Flash");
    let note = writing::note(&mut browser, &title, "", "").await?;
    browser.page()?.expect_text(".flash", "The note is saved.")?;
    ensure!(browser.cookie(FLASH).is_none(), "the message is kept");
    browser.get(&note).await?.expect_no(".flash")
}

fn body_class(browser: &Browser) -> Result<String> {
    let class = browser.page()?.attribute("body", "class")?;
    class.context("the body has no class")
}
