//! Signing up, in and out.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::SignedCookieJar;
use serde::Deserialize;

use crate::db::Db;
use crate::directory::{self, Directory};
use crate::error::AppError;
use crate::form::{Button, CheckedForm};
use crate::models::Invalid;
use crate::models::user::{self, Account, Registration};
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

/// The account with this email address and password, if they are right: its
/// own, or else those of somebody in the directory, whose it is from then on.
pub(super) async fn authenticate(
    db: &Db,
    directory: &Directory,
    email: &str,
    password: String,
) -> Result<Option<Account>, AppError> {
    let found = user::find_by_email(db, email).await?;
    let hash = found.as_ref().and_then(Account::hash).map(str::to_owned);
    if password::verify(password.clone(), hash).await? {
        return Ok(found);
    }
    let asked = directory::sign_in(directory, email.trim(), &password).await;
    let unavailable = |cause| AppError::Unavailable { what: "The directory cannot be asked who you are", cause };
    let Some(person) = asked.map_err(unavailable)? else {
        return Ok(None);
    };
    let registration = Registration::without_password(&person.mail, &person.name)?;
    Ok(user::take_over(db, &registration).await?)
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
    let account = match register(&db, &email, &name, password).await? {
        Ok(account) => account,
        Err(error) => {
            return page.show_again(&SignUpPage { page: &page, email: &email, name: &name, error: Some(error) });
        }
    };
    let jar = Session::of(&account).write(jar);
    let welcome = flash::redirect("/notes", format!("Welcome, {}!", account.user.name));
    Ok((jar, welcome).into_response())
}

async fn register(db: &Db, email: &str, name: &str, password: String) -> Result<Result<Account, Invalid>, AppError> {
    let registration = match Registration::new(email, name, &password) {
        Ok(registration) => registration,
        Err(invalid) => return Ok(Err(invalid)),
    };
    let hash = password::hash(password).await?;
    let created = user::create(db, &registration, &hash).await?;
    let created = created.map(|user| Account { user, password_hash: hash });
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
    State(directory): State<Directory>,
    page: Page,
    jar: SignedCookieJar,
    CheckedForm(form): CheckedForm<SignInForm>,
) -> Result<Response, AppError> {
    let Some(account) = authenticate(&db, &directory, &form.email, form.password).await? else {
        return page.show_again(&SignInPage { page: &page, email: &form.email, error: Some(AppError::WrongPassword) });
    };
    let jar = Session::of(&account).write(jar);
    let greeting = flash::redirect("/notes", format!("Hello, {}.", account.user.name));
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
