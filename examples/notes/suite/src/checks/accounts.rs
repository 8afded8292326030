//! Signing up, in and out.

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;

use crate::browser::Browser;
use crate::people::{self, Account};
use crate::site::Site;

/// The first to sign up is administrator, and nobody after.
pub async fn first_user_is_administrator(site: &Site) -> Result<()> {
    people::admin(site).await?;
    let (browser, account) = people::member(site, "Second").await?;
    let page = browser.page()?;
    ensure!(page.link("Settings").is_err(), "{} is administrator too", account.email);
    Ok(())
}

/// Somebody signs up and is greeted; what cannot be is refused.
pub async fn signing_up(site: &Site) -> Result<()> {
    let (browser, account) = people::member(site, "Newcomer").await?;
    let page = browser.page()?;
    page.expect_text(".flash", &format!("Welcome, {}!", account.name))?;
    page.expect_text("#sign-out .who", &account.name)?;

    for (email, password) in [("nobody", people::PASSWORD), ("short@example.org", "short")] {
        let mut browser = Browser::new(site)?;
        let account = Account { email: email.to_owned(), password: password.to_owned(), ..Account::unique("Refused") };
        people::sign_up(&mut browser, &account).await?;
        let page = browser.page()?;
        page.expect_status(StatusCode::UNPROCESSABLE_ENTITY)?;
        page.expect(".error")?;
        let kept = page.form("#sign-up")?;
        ensure!(
            kept.value("email") == Some(email) && kept.value("password") == Some(""),
            "{} keeps not what was entered, or the password",
            page.url()
        );
    }
    Ok(())
}

/// An email address makes one account, whatever its case.
pub async fn signing_up_twice(site: &Site) -> Result<()> {
    let (_, account) = people::member(site, "Twin").await?;
    let again = Account { email: account.email.to_uppercase(), ..account };
    let mut browser = Browser::new(site)?;
    people::sign_up(&mut browser, &again).await?;
    let page = browser.page()?;
    page.expect_status(StatusCode::UNPROCESSABLE_ENTITY)?;
    page.expect_text(".error", "There is an account with this email address.")
}

/// Somebody signs out, meets the door, and signs in again.
pub async fn signing_in_and_out(site: &Site) -> Result<()> {
    let (mut browser, account) = people::member(site, "Regular").await?;
    let page = browser.submit("#sign-out", &[]).await?;
    page.expect_text(".flash", "You are signed out.")?;
    page.expect("#sign-in")?;
    browser.open().await?;
    ensure!(!people::is_signed_in(&browser)?, "signing out did nothing");

    people::sign_in(&mut browser, &account).await?;
    let page = browser.page()?;
    page.expect_text(".flash", &format!("Hello, {}.", account.name))?;
    page.expect_text("#sign-out .who", &account.name)
}

/// Neither a wrong password nor an unknown address lets anybody in, and the
/// answer does not tell which it was.
pub async fn wrong_password(site: &Site) -> Result<()> {
    let (_, account) = people::member(site, "Careful").await?;
    let wrong = Account { password: format!("{} not", account.password), ..account };
    for account in [wrong, Account::unique("Unknown")] {
        let mut browser = Browser::new(site)?;
        people::sign_in(&mut browser, &account).await?;
        let page = browser.page()?;
        page.expect_status(StatusCode::UNPROCESSABLE_ENTITY)?;
        page.expect_text(".error", "The email address or the password is wrong.")?;
        browser.open().await?;
        ensure!(!people::is_signed_in(&browser)?, "the visitor got in");
    }
    Ok(())
}

/// Whoever is not signed in is led to the form to do so.
pub async fn pages_need_signing_in(site: &Site) -> Result<()> {
    let mut browser = people::admin(site).await?;
    let mut links = browser.open().await?.links("header nav a")?;
    links.push(browser.page()?.link("New note")?);
    ensure!(links.len() > 5, "there are only the links {links:?}");

    let mut stranger = Browser::new(site)?;
    for link in links {
        let page = stranger.get(&link.url).await?;
        page.expect_status(StatusCode::OK)?;
        page.expect("#sign-in").with_context(|| format!("“{}” at {} is not protected", link.text, link.url))?;
    }
    Ok(())
}

/// A session cookie somebody tampered with is worth nothing.
pub async fn forged_session(site: &Site) -> Result<()> {
    let (mut browser, account) = people::member(site, "Victim").await?;
    let session = browser.cookie(super::cookies::SESSION).context("there is no session cookie")?;
    let url = browser.open().await?.url().clone();

    let mut stranger = Browser::new(site)?;
    let mut forged = session.value.clone();
    forged.pop();
    for (value, is_real) in [(&session.value, true), (&forged, false)] {
        stranger.send_raw_cookies(Some(&format!("{}={value}", session.name)));
        stranger.get(&url).await?;
        ensure!(
            people::is_signed_in(&stranger)? == is_real,
            "the session {value} of {} should count: {is_real}",
            account.email
        );
    }
    Ok(())
}
