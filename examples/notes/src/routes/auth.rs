//! Signing up, in and out.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::SignedCookieJar;
use serde::Deserialize;

use crate::db::Db;
use crate::error::AppError;
use crate::form::{Button, CheckedForm};
use crate::models::Invalid;
use crate::models::user::{self, Registration, User};
use crate::page::Page;
use crate::session::Session;
use crate::state::AppState;
use crate::visitor::Member;
use crate::{flash, password};

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/signup", get(show_sign_up).post(sign_up))
        .route("/login", get(show_sign_in).post(sign_in))
        .route("/logout", post(sign_out))
}

/// The user with this email address and password, if they are right.
pub(super) async fn authenticate(db: &Db, email: &str, password: String) -> Result<Option<User>, AppError> {
    let (id, hash) = match user::credentials(db, email).await? {
        Some(found) => (Some(found.id), Some(found.password_hash)),
        None => (None, None),
    };
    if !password::verify(password, hash).await? {
        return Ok(None);
    }
    match id {
        Some(id) => Ok(user::find(db, id).await?),
        None => Ok(None),
    }
}

async fn show_sign_up(member: Option<Member>, page: Page) -> Result<Response, AppError> {
    if member.is_some() {
        return Ok(Redirect::to("/notes").into_response());
    }
    page.show(&SignUpPage::empty(&page))
}

#[derive(Debug, Deserialize)]
struct SignUpForm {
    email: String,
    name: String,
    password: String,
}

async fn sign_up(
    State(db): State<Db>,
    page: Page,
    jar: SignedCookieJar,
    CheckedForm(form): CheckedForm<SignUpForm>,
) -> Result<Response, AppError> {
    let SignUpForm { email, name, password } = form;
    let user = match register(&db, &email, &name, password).await? {
        Ok(user) => user,
        Err(error) => {
            return page.show_again(&SignUpPage { page: &page, email: &email, name: &name, error: Some(error) });
        }
    };
    let jar = Session::new(Some(user.id)).write(jar);
    let welcome = flash::redirect("/notes", format!("Welcome, {}!", user.name));
    Ok((jar, welcome).into_response())
}

async fn register(db: &Db, email: &str, name: &str, password: String) -> Result<Result<User, Invalid>, AppError> {
    let registration = match Registration::new(email, name, &password) {
        Ok(registration) => registration,
        Err(invalid) => return Ok(Err(invalid)),
    };
    let hash = password::hash(password).await?;
    let created = user::create(db, &registration, &hash).await?;
    Ok(created.ok_or_else(|| Invalid("There is an account with this email address.".to_owned())))
}

async fn show_sign_in(member: Option<Member>, page: Page) -> Result<Response, AppError> {
    if member.is_some() {
        return Ok(Redirect::to("/notes").into_response());
    }
    page.show(&SignInPage { page: &page, email: "", error: None })
}

#[derive(Debug, Deserialize)]
struct SignInForm {
    email: String,
    password: String,
}

async fn sign_in(
    State(db): State<Db>,
    page: Page,
    jar: SignedCookieJar,
    CheckedForm(form): CheckedForm<SignInForm>,
) -> Result<Response, AppError> {
    let Some(user) = authenticate(&db, &form.email, form.password).await? else {
        return page.show_again(&SignInPage { page: &page, email: &form.email, error: Some(AppError::WrongPassword) });
    };
    let jar = Session::new(Some(user.id)).write(jar);
    let greeting = flash::redirect("/notes", format!("Hello, {}.", user.name));
    Ok((jar, greeting).into_response())
}

async fn sign_out(jar: SignedCookieJar, CheckedForm(Button {}): CheckedForm<Button>) -> Response {
    let jar = Session::erase(jar);
    (jar, flash::redirect("/login", "You are signed out.")).into_response()
}

#[derive(Template)]
#[template(path = "signup.html")]
struct SignUpPage<'a> {
    page: &'a Page,
    email: &'a str,
    name: &'a str,
    error: Option<Invalid>,
}

impl<'a> SignUpPage<'a> {
    fn empty(page: &'a Page) -> Self {
        Self { page, email: "", name: "", error: None }
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct SignInPage<'a> {
    page: &'a Page,
    email: &'a str,
    error: Option<AppError>,
}
