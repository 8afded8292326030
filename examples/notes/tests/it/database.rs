//! A database of a test's own.

use notes::db::{self, Db};
use notes::models::setting;

use crate::place::Place;

/// A new database as the application prepares it, with the place that it needs
/// for as long as it is used.
pub(crate) async fn open() -> (Db, Place) {
    let place = Place::new().await;
    let db = db::connect(&place.url()).await.unwrap();
    db::migrate(&db).await.unwrap();
    setting::seed(&db).await.unwrap();
    (db, place)
}
