//! The JSON API.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::page::Page;
use crate::people::{self, Account};
use crate::site::Site;

/// Nothing is told to whoever is not signed in.
pub async fn needs_session(site: &Site) -> Result<()> {
    let mut stranger = Browser::new(site)?;
    let note = json!({ "title": "Anonymous" });
    for (method, path, body) in [
        (Method::GET, "api/me", None),
        (Method::GET, "api/notes", None),
        (Method::POST, "api/notes", Some(&note)),
        (Method::GET, "api/notes/1", None),
        (Method::PUT, "api/notes/1", Some(&note)),
        (Method::DELETE, "api/notes/1", None),
        (Method::POST, "api/notes/1/comments", Some(&note)),
        (Method::GET, "api/stats", None),
        (Method::GET, "api/digests", None),
    ] {
        let answer = stranger.api(method, path, body).await?;
        expect_error(&answer, StatusCode::UNAUTHORIZED)?;
    }
    Ok(())
}

/// The API signs in with the right password, and pages know the session.
pub async fn signing_in(site: &Site) -> Result<()> {
    let (_, account) = people::member(site, "Script").await?;
    let mut client = Browser::new(site)?;
    let wrong = json!({ "email": account.email, "password": "not this one" });
    let answer = client.api(Method::POST, "api/login", Some(&wrong)).await?;
    expect_error(&answer, StatusCode::UNAUTHORIZED)?;
    ensure!(client.cookies().is_empty(), "a wrong password got a cookie");

    sign_in(&mut client, &account).await?;
    let me = ask(&mut client, Method::GET, "api/me", None, StatusCode::OK).await?;
    ensure!(me["email"] == account.email.as_str() && me["is_admin"] == false, "api/me says {me}");
    ensure!(me.get("password_hash").is_none(), "api/me tells too much");
    let page = client.open().await?;
    page.expect_text("#sign-out .who", &account.name)
}

/// A note is written, read, changed and deleted.
pub async fn notes_by_api(site: &Site) -> Result<()> {
    let (mut client, account) = member(site, "Script").await?;
    let title = people::unique("By API");
    let input = json!({ "title": title, "body": "Text", "tags": ["B", "a c"] });
    let answer = client.api(Method::POST, "api/notes", Some(&input)).await?;
    answer.expect_status(StatusCode::CREATED)?;
    let note = answer.json()?;
    ensure!(
        note["title"] == title.as_str()
            && note["author"] == account.name.as_str()
            && note["tags"] == json!(["a-c", "b"]),
        "the new note is {note}"
    );
    let location = answer.header("location").context("there is no location")?;
    let url = answer.url().join(location)?;
    let read = client.load(&url).await?.json()?;
    ensure!(read["id"] == note["id"] && read["comments"] == json!([]), "{url} is {read}");

    let path = format!("api/notes/{}", note["id"]);
    let input = json!({ "title": format!("{title}!"), "tags": [] });
    let changed = ask(&mut client, Method::PUT, &path, Some(&input), StatusCode::OK).await?;
    ensure!(
        changed["title"] == format!("{title}!") && changed["body"] == "" && changed["tags"] == json!([]),
        "the changed note is {changed}"
    );
    client.open().await?.link(&format!("{title}!"))?;

    let answer = client.api(Method::DELETE, &path, None).await?;
    answer.expect_status(StatusCode::NO_CONTENT)?;
    let answer = client.api(Method::GET, &path, None).await?;
    expect_error(&answer, StatusCode::NOT_FOUND)
}

/// Lists are filtered by tag and text, and come in pages.
pub async fn lists_by_api(site: &Site) -> Result<()> {
    let (mut client, _) = member(site, "Lister").await?;
    let (tag, word) = (people::unique("list"), people::unique("100%"));
    for (title, tags) in [("One", vec![&tag]), ("Two", vec![&tag]), ("Three", vec![])] {
        let input = json!({ "title": format!("{title} {word}"), "tags": tags });
        create(&mut client, &input).await?;
    }
    let by_tag = list(&mut client, &[("tag", &tag)]).await?;
    ensure!(by_tag["total"] == 2, "the tag {tag} has {by_tag}");
    let by_text = list(&mut client, &[("q", &word)]).await?;
    ensure!(by_text["total"] == 3, "the text {word} has {by_text}");
    let by_both = list(&mut client, &[("q", "Two"), ("tag", &tag)]).await?;
    let found = titles(&by_both);
    ensure!(found == [&json!(format!("Two {word}"))], "both have {by_both}");

    let first = list(&mut client, &[("page", "1")]).await?;
    let pages = first["pages"].to_string();
    let last = list(&mut client, &[("page", &pages)]).await?;
    ensure!(
        first["page"] == 1 && last["page"] == last["pages"] && !titles(&last).is_empty(),
        "the last page is {last}"
    );
    Ok(())
}

/// Comments are added to notes and read with them.
pub async fn comments_by_api(site: &Site) -> Result<()> {
    let (mut client, account) = member(site, "Commenter").await?;
    let id = create(&mut client, &json!({ "title": people::unique("Talk") })).await?;
    let path = format!("api/notes/{id}/comments");
    let input = json!({ "body": "Hear, hear" });
    let comment = ask(&mut client, Method::POST, &path, Some(&input), StatusCode::CREATED).await?;
    ensure!(
        comment["body"] == "Hear, hear" && comment["author"] == account.name.as_str() && comment["note_id"] == id,
        "the comment is {comment}"
    );
    let path = format!("api/notes/{id}");
    let note = ask(&mut client, Method::GET, &path, None, StatusCode::OK).await?;
    ensure!(note["comments"] == json!([comment]) && note["comment_count"] == 1, "the note is {note}");
    Ok(())
}

/// What cannot be done is answered with a status and a reason.
pub async fn errors(site: &Site) -> Result<()> {
    let (mut author, _) = member(site, "Author").await?;
    let mine = create(&mut author, &json!({ "title": people::unique("Mine") })).await?;
    let mine = format!("api/notes/{mine}");
    let (mut other, _) = member(site, "Other").await?;
    let (valid, blank, partial) = (
        json!({ "title": "Valid", "body": "Valid" }),
        json!({ "title": " ", "body": " " }),
        json!({ "text": "Untitled" }),
    );
    let missing = "api/notes/9007199254740991";
    for (method, path, body, status) in [
        (Method::PUT, mine.as_str(), Some(&valid), StatusCode::FORBIDDEN),
        (Method::DELETE, &mine, None, StatusCode::FORBIDDEN),
        (Method::GET, missing, None, StatusCode::NOT_FOUND),
        (Method::PUT, missing, Some(&valid), StatusCode::NOT_FOUND),
        (Method::DELETE, missing, None, StatusCode::NOT_FOUND),
        (Method::POST, &format!("{missing}/comments"), Some(&valid), StatusCode::NOT_FOUND),
        (Method::GET, "api/notes/first", None, StatusCode::NOT_FOUND),
        (Method::GET, "api/nonsense", None, StatusCode::NOT_FOUND),
        (Method::POST, "api/notes", Some(&blank), StatusCode::UNPROCESSABLE_ENTITY),
        (Method::POST, "api/notes", Some(&partial), StatusCode::UNPROCESSABLE_ENTITY),
        (Method::POST, &format!("{mine}/comments"), Some(&blank), StatusCode::UNPROCESSABLE_ENTITY),
        (Method::DELETE, "api/me", None, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = other.api(method, path, body).await?;
        expect_error(&answer, status)?;
    }
    let mut admin = people::admin(site).await?;
    let answer = admin.api(Method::DELETE, &mine, None).await?;
    answer.expect_status(StatusCode::NO_CONTENT)
}

/// The API has the figures of the page.
pub async fn stats_by_api(site: &Site) -> Result<()> {
    let (mut client, account) = member(site, "Statistician").await?;
    let tag = people::unique("figure");
    let input = json!({ "title": people::unique("Figures"), "tags": [tag] });
    create(&mut client, &input).await?;
    let stats = ask(&mut client, Method::GET, "api/stats", None, StatusCode::OK).await?;
    let user = find(&stats["per_user"], &account.name)?;
    ensure!(user["notes"] == 1 && user["comments"] == 0, "{user}");
    let tag = find(&stats["per_tag"], &tag)?;
    ensure!(tag["notes"] == 1 && tag["authors"] == 1, "{tag}");
    let months = stats["per_month"].as_array().context("there are no months")?;
    let so_far = months.last().map(|month| &month["so_far"]);
    ensure!(so_far == Some(&stats["totals"]["notes"]), "{stats}");
    Ok(())
}

/// A client in which somebody new is signed in through the API alone.
async fn member(site: &Site, name: &str) -> Result<(Browser, Account)> {
    let (_, account) = people::member(site, name).await?;
    let mut client = Browser::new(site)?;
    sign_in(&mut client, &account).await?;
    Ok((client, account))
}

async fn sign_in(client: &mut Browser, account: &Account) -> Result<()> {
    let input = json!({ "email": account.email, "password": account.password });
    let user = ask(client, Method::POST, "api/login", Some(&input), StatusCode::OK).await?;
    ensure!(user["name"] == account.name.as_str(), "signed in as {user}");
    Ok(())
}

async fn create(client: &mut Browser, input: &Value) -> Result<Value> {
    let created = StatusCode::CREATED;
    let note = ask(client, Method::POST, "api/notes", Some(input), created).await?;
    Ok(note["id"].clone())
}

async fn list(client: &mut Browser, query: &[(&str, &str)]) -> Result<Value> {
    let path = format!("api/notes?{}", encode(query));
    ask(client, Method::GET, &path, None, StatusCode::OK).await
}

async fn ask(
    client: &mut Browser,
    method: Method,
    path: &str,
    body: Option<&Value>,
    status: StatusCode,
) -> Result<Value> {
    let answer = client.api(method, path, body).await?;
    answer.expect_status(status)?;
    answer.json()
}

fn expect_error(answer: &Page, status: StatusCode) -> Result<()> {
    answer.expect_status(status)?;
    let error = answer.json()?;
    let reason = error["error"].as_str().unwrap_or_default();
    ensure!(!reason.is_empty(), "{} gave no reason", answer.url());
    Ok(())
}

fn encode(query: &[(&str, &str)]) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(query).finish()
}

fn titles(listing: &Value) -> Vec<&Value> {
    let notes = listing["notes"].as_array();
    notes.map_or_else(Vec::new, |notes| notes.iter().map(|note| &note["title"]).collect())
}

fn find<'a>(rows: &'a Value, name: &str) -> Result<&'a Value> {
    let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == name));
    row.with_context(|| format!("there is no figure for {name}"))
}
