//! What administrators choose for the whole site.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::user::User;
use super::{Invalid, required};
use crate::db::Db;

const MAX_TITLE: usize = 80;
const MAX_PAGE_SIZE: i64 = 100;

/// The settings of the site.
#[derive(Clone, Debug, FromRow)]
pub struct Settings {
    /// Shown at the top of every page.
    pub site_title: String,
    /// The look for people who did not choose one.
    #[sqlx(try_from = "String")]
    pub theme: Theme,
    /// The number of notes on a page.
    pub page_size: i64,
}

impl Settings {
    /// Checks what an administrator entered.
    pub fn new(site_title: &str, theme: Theme, page_size: i64) -> Result<Self, Invalid> {
        if !(1..=MAX_PAGE_SIZE).contains(&page_size) {
            return Err(Invalid(format!("The number of notes on a page must be between 1 and {MAX_PAGE_SIZE}.")));
        }
        Ok(Self { site_title: required("The title", site_title, MAX_TITLE)?, theme, page_size })
    }
}

/// The look of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark text on a light ground.
    Light,
    /// Light text on a dark ground.
    Dark,
}

impl Theme {
    /// The other one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Light => Self::Dark,
            Self::Dark => Self::Light,
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Light => "light",
            Self::Dark => "dark",
        })
    }
}

impl FromStr for Theme {
    type Err = Invalid;

    fn from_str(name: &str) -> Result<Self, Invalid> {
        match name {
            "light" => Ok(Self::Light),
            "dark" => Ok(Self::Dark),
            _ => Err(Invalid(format!("There is no theme “{name}”."))),
        }
    }
}

impl TryFrom<String> for Theme {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        name.parse()
    }
}

/// Gives a new site its first settings, and leaves those of an old one alone.
pub async fn seed(db: &Db) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO settings (id, site_title) VALUES (1, 'Notes') ON CONFLICT DO NOTHING").execute(db).await?;
    Ok(())
}

/// The settings as they are now.
pub async fn load(db: &Db) -> sqlx::Result<Settings> {
    sqlx::query_as("SELECT site_title, theme, page_size FROM settings WHERE id = 1").fetch_one(db).await
}

/// Stores settings, together with who chose them.
pub async fn save(db: &Db, settings: &Settings, by: &User) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO settings (id, site_title, theme, page_size, updated_by)
         VALUES (1, $1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET
             site_title = excluded.site_title,
             theme = excluded.theme,
             page_size = excluded.page_size,
             updated_by = excluded.updated_by,
             updated_at = CURRENT_TIMESTAMP",
    )
    .bind(&settings.site_title)
    .bind(settings.theme.to_string())
    .bind(settings.page_size)
    .bind(by.id)
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked() {
        assert!(Settings::new("Notes", Theme::Light, 20).is_ok());
        assert!(Settings::new(" ", Theme::Light, 20).is_err());
        assert!(Settings::new("Notes", Theme::Light, 0).is_err());
        assert!(Settings::new("Notes", Theme::Light, 101).is_err());
    }

    #[test]
    fn themes_keep_their_names() {
        for theme in [Theme::Light, Theme::Dark] {
            assert_eq!(theme.to_string().parse(), Ok(theme));
        }
        assert!("pink".parse::<Theme>().is_err());
    }
}
