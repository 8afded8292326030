//! Reading and writing notes.

use askama::Template;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{Id, PageNumber};
use crate::db::Db;
use crate::error::AppError;
use crate::files::{self, Files};
use crate::flash;
use crate::form::{Button, CheckedForm};
use crate::models::Invalid;
use crate::models::attachment::{self, Attachment};
use crate::models::comment::{self, Comment};
use crate::models::note::{self, Draft, Filter, Listing, Note};
use crate::models::tag::{self, TagCount};
use crate::models::user::User;
use crate::page::{Page, Pager};
use crate::state::AppState;
use crate::visitor::Member;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/notes", get(list).post(create))
        .route("/notes/new", get(compose))
        .route("/notes/{id}", get(read).post(update))
        .route("/notes/{id}/edit", get(edit))
        .route("/notes/{id}/delete", post(delete))
        .route("/tags", get(list_tags))
        .route("/tags/{name}", get(list_tagged))
}

/// The note, provided `user` may change it.
pub(super) async fn changeable(db: &Db, id: i64, user: &User) -> Result<Note, AppError> {
    let note = note::find(db, id).await?.ok_or(AppError::NotFound)?;
    if !note.may_be_changed_by(user) {
        return Err(AppError::Forbidden("This note belongs to somebody else."));
    }
    Ok(note)
}

/// Deletes a note with everything that belongs to it.
pub(super) async fn delete_wholly(db: &Db, files: &Files, id: i64) -> Result<(), AppError> {
    for key in note::delete(db, id).await? {
        files::delete(files, &key).await?;
    }
    Ok(())
}

async fn list(
    State(db): State<Db>,
    _: Member,
    PageNumber(number): PageNumber,
    page: Page,
) -> Result<Response, AppError> {
    let listing = note::list(&db, &Filter::default(), number, page.settings.page_size).await?;
    page.show(&ListPage { page: &page, pager: Pager::new("/notes?", &listing), listing })
}

async fn list_tags(State(db): State<Db>, _: Member, page: Page) -> Result<Response, AppError> {
    let tags = tag::list(&db).await?;
    page.show(&TagsPage { page: &page, tags })
}

async fn list_tagged(
    State(db): State<Db>,
    _: Member,
    path: Result<Path<String>, PathRejection>,
    PageNumber(number): PageNumber,
    page: Page,
) -> Result<Response, AppError> {
    let Path(tag) = path?;
    let filter = Filter { tag: Some(tag.clone()), ..Filter::default() };
    let listing = note::list(&db, &filter, number, page.settings.page_size).await?;
    let path = format!("/tags/{}?", utf8_percent_encode(&tag, NON_ALPHANUMERIC));
    page.show(&TagPage { page: &page, tag: &tag, pager: Pager::new(&path, &listing), listing })
}

async fn read(State(db): State<Db>, Member(user): Member, Id(id): Id, page: Page) -> Result<Response, AppError> {
    let note = note::find(&db, id).await?.ok_or(AppError::NotFound)?;
    let comments = comment::list(&db, id).await?;
    let attachments = attachment::list(&db, id).await?;
    page.show(&NotePage { page: &page, user, note, comments, attachments })
}

async fn compose(_: Member, page: Page) -> Result<Response, AppError> {
    page.show(&EditPage { page: &page, id: None, form: &NoteForm::default(), error: None })
}

/// A note as it is entered.
#[derive(Debug, Default, Deserialize)]
struct NoteForm {
    title: String,
    body: String,
    tags: String,
}

impl NoteForm {
    fn draft(&self) -> Result<Draft, Invalid> {
        Draft::new(&self.title, &self.body, self.tags.split(','))
    }
}

async fn create(
    State(db): State<Db>,
    Member(user): Member,
    page: Page,
    CheckedForm(form): CheckedForm<NoteForm>,
) -> Result<Response, AppError> {
    let draft = match form.draft() {
        Ok(draft) => draft,
        Err(error) => {
            return page.show_again(&EditPage { page: &page, id: None, form: &form, error: Some(error) });
        }
    };
    let note = note::create(&db, &user, &draft).await?;
    let path = format!("/notes/{}", note.id);
    Ok(flash::redirect(&path, "The note is saved."))
}

async fn edit(State(db): State<Db>, Member(user): Member, Id(id): Id, page: Page) -> Result<Response, AppError> {
    let note = changeable(&db, id, &user).await?;
    let form = NoteForm { title: note.title, body: note.body, tags: note.tags.0.join(", ") };
    page.show(&EditPage { page: &page, id: Some(id), form: &form, error: None })
}

async fn update(
    State(db): State<Db>,
    Member(user): Member,
    Id(id): Id,
    page: Page,
    CheckedForm(form): CheckedForm<NoteForm>,
) -> Result<Response, AppError> {
    changeable(&db, id, &user).await?;
    let draft = match form.draft() {
        Ok(draft) => draft,
        Err(error) => {
            return page.show_again(&EditPage { page: &page, id: Some(id), form: &form, error: Some(error) });
        }
    };
    note::update(&db, id, &draft).await?.ok_or(AppError::NotFound)?;
    let path = format!("/notes/{id}");
    Ok(flash::redirect(&path, "The note is changed."))
}

async fn delete(
    State(db): State<Db>,
    State(files): State<Files>,
    Member(user): Member,
    Id(id): Id,
    CheckedForm(Button {}): CheckedForm<Button>,
) -> Result<Response, AppError> {
    let note = changeable(&db, id, &user).await?;
    delete_wholly(&db, &files, id).await?;
    let message = format!("“{}” is deleted.", note.title);
    Ok(flash::redirect("/notes", message))
}

#[derive(Template)]
#[template(path = "notes.html")]
struct ListPage<'a> {
    page: &'a Page,
    listing: Listing,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "tags.html")]
struct TagsPage<'a> {
    page: &'a Page,
    tags: Vec<TagCount>,
}

#[derive(Template)]
#[template(path = "tag.html")]
struct TagPage<'a> {
    page: &'a Page,
    tag: &'a str,
    listing: Listing,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "note.html")]
struct NotePage<'a> {
    page: &'a Page,
    user: User,
    note: Note,
    comments: Vec<Comment>,
    attachments: Vec<Attachment>,
}

#[derive(Template)]
#[template(path = "edit.html")]
struct EditPage<'a> {
    page: &'a Page,
    id: Option<i64>,
    form: &'a NoteForm,
    error: Option<Invalid>,
}
