//! The people who use the site in the checks, and what all of them do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::browser::Browser;
use crate::site::Site;

/// The email address of the usual administrator.
pub const ADMIN_EMAIL: &str = "admin@example.org";

/// The password of everybody in the checks.
pub const PASSWORD: &str = "correct horse battery staple";

/// What somebody signs up and signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The email address.
    pub email: String,
    /// The name others see.
    pub name: String,
    /// The password.
    pub password: String,
}

impl Account {
    /// The usual administrator.
    #[must_use]
    pub fn admin() -> Self {
        Self { email: ADMIN_EMAIL.to_owned(), name: "Admin".to_owned(), password: PASSWORD.to_owned() }
    }

    /// Somebody nobody else is called like.
    #[must_use]
    pub fn unique(name: &str) -> Self {
        let name = unique(name);
        Self { email: format!("{}@example.org", name.to_lowercase()), name, password: PASSWORD.to_owned() }
    }
}

/// `word` with a suffix that makes it differ from every other.
#[must_use]
pub fn unique(word: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = now.map_or(0, |since| since.as_micros());
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{word}-{micros:x}x{:x}x{count}", std::process::id())
}

/// A browser in which the administrator is signed in, having signed up if the
/// site is new.
pub async fn admin(site: &Site) -> Result<Browser> {
    let mut browser = Browser::new(site)?;
    sign_in(&mut browser, &site.admin).await?;
    if !is_signed_in(&browser)? {
        sign_up(&mut browser, &site.admin).await?;
    }
    let page = browser.page()?;
    if page.link("Settings").is_err() {
        bail!("{} is no administrator of {}", site.admin.email, site.base);
    }
    Ok(browser)
}

/// A browser in which somebody new, who is no administrator, is signed in.
pub async fn member(site: &Site, name: &str) -> Result<(Browser, Account)> {
    // The first to sign up becomes administrator, so let that be somebody else.
    admin(site).await.context("the administrator")?;
    let account = Account::unique(name);
    let mut browser = Browser::new(site)?;
    sign_up(&mut browser, &account).await?;
    if !is_signed_in(&browser)? {
        bail!("{} could not sign up", account.email);
    }
    Ok((browser, account))
}

/// Goes to the form to sign up and sends it.
pub async fn sign_up(browser: &mut Browser, account: &Account) -> Result<()> {
    browser.open().await?;
    browser.click("Sign up").await?;
    let fields = [("email", account.email.as_str()), ("name", &account.name), ("password", &account.password)];
    browser.submit("#sign-up", &fields).await?;
    Ok(())
}

/// Goes to the form to sign in and sends it.
pub async fn sign_in(browser: &mut Browser, account: &Account) -> Result<()> {
    browser.open().await?;
    browser.click("Sign in").await?;
    let fields = [("email", account.email.as_str()), ("password", &account.password)];
    browser.submit("#sign-in", &fields).await?;
    Ok(())
}

/// Whether the page that is shown has a way to sign out.
pub fn is_signed_in(browser: &Browser) -> Result<bool> {
    browser.page()?.has("#sign-out")
}
