//! The words notes are filed under.

use sqlx::FromRow;

use super::Invalid;
use crate::db::{Db, Tx};

const MAX_TAGS: usize = 20;
const MAX_NAME: usize = 40;

/// A tag with the number of notes that carry it.
#[derive(Clone, Debug, FromRow)]
pub struct TagCount {
    /// The tag.
    pub name: String,
    /// How many notes carry it.
    pub notes: i64,
}

/// Brings tags into their stored form: lower case, without blanks, each once.
pub fn normalise<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, Invalid> {
    let mut names = Vec::new();
    for word in words {
        let parts: Vec<&str> = word.split_whitespace().collect();
        let name = parts.join("-").to_lowercase();
        if name.chars().count() > MAX_NAME {
            return Err(Invalid(format!("A tag must not be longer than {MAX_NAME} characters.")));
        }
        // A comma separates tags wherever they are shown or entered together.
        if name.contains(',') {
            return Err(Invalid("A tag must not contain a comma.".to_owned()));
        }
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MAX_TAGS {
        return Err(Invalid(format!("A note must not have more than {MAX_TAGS} tags.")));
    }
    Ok(names)
}

/// All tags in use, by name.
pub async fn list(db: &Db) -> sqlx::Result<Vec<TagCount>> {
    sqlx::query_as(
        "SELECT tags.name, count(*) AS notes
           FROM tags
           JOIN note_tags ON note_tags.tag_id = tags.id
          GROUP BY tags.id, tags.name
          ORDER BY tags.name",
    )
    .fetch_all(db)
    .await
}

/// Makes `names` the tags of a note, in place of those it had.
pub(super) async fn replace(tx: &mut Tx, note_id: i64, names: &[String]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM note_tags WHERE note_id = $1").bind(note_id).execute(&mut **tx).await?;
    for name in names {
        sqlx::query("INSERT INTO tags (name) VALUES ($1) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .execute(&mut **tx)
            .await?;
        sqlx::query(
            "INSERT INTO note_tags (note_id, tag_id)
             SELECT $1, id FROM tags WHERE name = $2
             ON CONFLICT (note_id, tag_id) DO NOTHING",
        )
        .bind(note_id)
        .bind(name)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// Removes tags no note carries any more.
pub(super) async fn sweep(tx: &mut Tx) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tags WHERE id NOT IN (SELECT tag_id FROM note_tags)").execute(&mut **tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_lower_case_without_blanks_and_unique() {
        let names = normalise(" Big Plans, idea,, IDEA ,".split(',')).unwrap();
        assert_eq!(names, ["big-plans", "idea"]);
    }

    #[test]
    fn long_tags_many_tags_and_commas_are_refused() {
        assert!(normalise(["x".repeat(MAX_NAME + 1).as_str()]).is_err());
        let many: Vec<String> = (0..=MAX_TAGS).map(|n| n.to_string()).collect();
        assert!(normalise(many.iter().map(String::as_str)).is_err());
        assert!(normalise(["one,two"]).is_err());
    }
}
