//! The JSON API. A session cookie from `POST /api/login` stands for its user.

use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_extra::extract::SignedCookieJar;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::notes::{changeable, delete_wholly};
use super::{Id, PageNumber, auth};
use crate::cache::{self, Cache};
use crate::db::Db;
use crate::directory::Directory;
use crate::error::{ApiError, AppError};
use crate::files::Files;
use crate::models::attachment::{self, Attachment};
use crate::models::comment::{self, Comment, Remark};
use crate::models::digest::{self, Digest};
use crate::models::note::{self, Draft, Filter, Listing, Note};
use crate::models::stats::Stats;
use crate::models::user::User;
use crate::models::{Invalid, setting};
use crate::session::Session;
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/login", post(sign_in))
        .route("/me", get(me))
        .route("/notes", get(list).post(create))
        .route("/notes/{id}", get(read).put(update).delete(delete))
        .route("/notes/{id}/comments", post(create_comment))
        .route("/stats", get(show_stats))
        .route("/digests", get(list_digests))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
}

#[derive(Debug, Deserialize)]
struct SignIn {
    email: String,
    password: String,
}

async fn sign_in(
    State(db): State<Db>,
    State(directory): State<Directory>,
    jar: SignedCookieJar,
    Body(input): Body<SignIn>,
) -> Result<(SignedCookieJar, Json<User>), ApiError> {
    let account =
        auth::authenticate(&db, &directory, &input.email, input.password).await?.ok_or(AppError::WrongPassword)?;
    let jar = Session::of(&account).write(jar);
    Ok((jar, Json(account.user)))
}

async fn me(Api(Member(user)): Api<Member>) -> Json<User> {
    Json(user)
}

#[derive(Debug, Deserialize)]
struct ListQuery {
    q: Option<String>,
    tag: Option<String>,
}

async fn list(
    State(db): State<Db>,
    _: Api<Member>,
    Api(Query(query)): Api<Query<ListQuery>>,
    PageNumber(number): PageNumber,
) -> Result<Json<Listing>, ApiError> {
    let filter = Filter { text: query.q.filter(|q| !q.is_empty()), tag: query.tag.filter(|tag| !tag.is_empty()) };
    let settings = setting::load(&db).await?;
    let listing = note::list(&db, &filter, number, settings.page_size).await?;
    Ok(Json(listing))
}

#[derive(Debug, Serialize)]
struct Discussion {
    #[serde(flatten)]
    note: Note,
    comments: Vec<Comment>,
    attachments: Vec<Attachment>,
}

async fn read(State(db): State<Db>, _: Api<Member>, Api(Id(id)): Api<Id>) -> Result<Json<Discussion>, ApiError> {
    let note = note::find(&db, id).await?.ok_or(AppError::NotFound)?;
    let comments = comment::list(&db, id).await?;
    let attachments = attachment::list(&db, id).await?;
    Ok(Json(Discussion { note, comments, attachments }))
}

#[derive(Debug, Deserialize)]
struct NoteInput {
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    tags: Vec<String>,
}

impl NoteInput {
    fn draft(&self) -> Result<Draft, Invalid> {
        let tags = self.tags.iter().map(String::as_str);
        Draft::new(&self.title, &self.body, tags)
    }
}

async fn create(
    State(db): State<Db>,
    Api(Member(user)): Api<Member>,
    Body(input): Body<NoteInput>,
) -> Result<impl IntoResponse, ApiError> {
    let note = note::create(&db, &user, &input.draft()?).await?;
    let location = [(header::LOCATION, format!("/api/notes/{}", note.id))];
    Ok((StatusCode::CREATED, location, Json(note)))
}

async fn update(
    State(db): State<Db>,
    Api(Member(user)): Api<Member>,
    Api(Id(id)): Api<Id>,
    Body(input): Body<NoteInput>,
) -> Result<Json<Note>, ApiError> {
    changeable(&db, id, &user).await?;
    let note = note::update(&db, id, &input.draft()?).await?;
    Ok(Json(note.ok_or(AppError::NotFound)?))
}

async fn delete(
    State(db): State<Db>,
    State(files): State<Files>,
    Api(Member(user)): Api<Member>,
    Api(Id(id)): Api<Id>,
) -> Result<StatusCode, ApiError> {
    changeable(&db, id, &user).await?;
    delete_wholly(&db, &files, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
struct CommentInput {
    body: String,
}

async fn create_comment(
    State(db): State<Db>,
    Api(Member(user)): Api<Member>,
    Api(Id(id)): Api<Id>,
    Body(input): Body<CommentInput>,
) -> Result<(StatusCode, Json<Comment>), ApiError> {
    let remark = Remark::new(&input.body)?;
    let comment = comment::create(&db, &user, id, &remark).await?.ok_or(AppError::NotFound)?;
    Ok((StatusCode::CREATED, Json(comment)))
}

async fn show_stats(State(db): State<Db>, State(cache): State<Cache>, _: Api<Member>) -> Result<Json<Stats>, ApiError> {
    Ok(Json(cache::stats(&cache, &db).await?))
}

async fn list_digests(State(db): State<Db>, _: Api<Member>) -> Result<Json<Vec<Digest>>, ApiError> {
    Ok(Json(digest::list(&db).await?))
}

async fn nothing_here() -> ApiError {
    AppError::NotFound.into()
}

async fn wrong_method() -> ApiError {
    AppError::Malformed { status: StatusCode::METHOD_NOT_ALLOWED, message: "This cannot be done here.".to_owned() }
        .into()
}

/// Takes `E` from a request, but refuses in JSON.
struct Api<E>(E);

impl<E> FromRequestParts<AppState> for Api<E>
where
    E: FromRequestParts<AppState>,
    ApiError: From<E::Rejection>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(Self(E::from_request_parts(parts, state).await?))
    }
}

/// The body of a request, read as JSON.
struct Body<T>(T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}
