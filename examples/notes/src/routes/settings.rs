//! The settings of the site, for administrators.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use crate::db::Db;
use crate::error::AppError;
use crate::flash;
use crate::form::CheckedForm;
use crate::models::Invalid;
use crate::models::setting::{self, Settings, Theme};
use crate::page::Page;
use crate::state::AppState;
use crate::visitor::Admin;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/settings", get(show).post(save))
}

async fn show(_: Admin, page: Page) -> Result<Response, AppError> {
    page.show(&SettingsPage { page: &page, form: &SettingsForm::from(&page.settings), error: None })
}

/// Settings as they are entered.
#[derive(Debug, Deserialize)]
struct SettingsForm {
    site_title: String,
    theme: Theme,
    page_size: i64,
}

impl From<&Settings> for SettingsForm {
    fn from(settings: &Settings) -> Self {
        Self { site_title: settings.site_title.clone(), theme: settings.theme, page_size: settings.page_size }
    }
}

async fn save(
    State(db): State<Db>,
    Admin(user): Admin,
    page: Page,
    CheckedForm(form): CheckedForm<SettingsForm>,
) -> Result<Response, AppError> {
    let settings = match Settings::new(&form.site_title, form.theme, form.page_size) {
        Ok(settings) => settings,
        Err(error) => {
            return page.show_again(&SettingsPage { page: &page, form: &form, error: Some(error) });
        }
    };
    setting::save(&db, &settings, &user).await?;
    Ok(flash::redirect("/settings", "The settings are saved."))
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'a> {
    page: &'a Page,
    form: &'a SettingsForm,
    error: Option<Invalid>,
}
