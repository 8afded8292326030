//! Entities in SeaORM's dense format: graphs of them are saved and loaded at once.

use sea_orm::{ActiveModelTrait, EntityLoaderTrait, EntityTrait, ModelTrait, QueryOrder};

use crate::{
    same::{Log, same, told},
    world::Connection,
};

pub(crate) mod writer {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "writer")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(unique)]
        pub(crate) name: String,
        #[sea_orm(has_one)]
        pub(crate) address: HasOne<super::address::Entity>,
        #[sea_orm(has_many)]
        pub(crate) books: HasMany<super::book::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod address {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "address")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) town: String,
        #[sea_orm(unique)]
        pub(crate) writer_id: i32,
        #[sea_orm(belongs_to, from = "writer_id", to = "id")]
        pub(crate) writer: BelongsTo<super::writer::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod book {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "book")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) title: String,
        pub(crate) writer_id: i32,
        #[sea_orm(belongs_to, from = "writer_id", to = "id")]
        pub(crate) writer: BelongsTo<super::writer::Entity>,
        #[sea_orm(has_many, via = "book_genre")]
        pub(crate) genres: HasMany<super::genre::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod genre {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "genre")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) genre: String,
        #[sea_orm(has_many, via = "book_genre")]
        pub(crate) books: HasMany<super::book::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod book_genre {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "book_genre")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) book_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) genre_id: i32,
        #[sea_orm(belongs_to, from = "book_id", to = "id")]
        pub(crate) book: BelongsTo<super::book::Entity>,
        #[sea_orm(belongs_to, from = "genre_id", to = "id")]
        pub(crate) genre: BelongsTo<super::genre::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

same!(graphs);

async fn graphs(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let book = |title: &str| book::ActiveModel::builder().set_title(title);
    let genre = |name: &str| genre::ActiveModel::builder().set_genre(name);
    let saved = writer::ActiveModel::builder()
        .set_name("Ursula")
        .set_address(address::ActiveModel::builder().set_town("Portland"))
        .add_book(book("The Dispossessed").add_genre(genre("utopia")).add_genre(genre("physics")))
        .add_book(book("A Wizard of Earthsea").add_genre(genre("magic")))
        .save(db)
        .await;
    log.add("saved", &saved);
    let again = writer::ActiveModel::builder().set_name("Ursula").add_book(book("Tehanu")).save(db).await;
    log.add("taken", told(again));
    let loaded =
        writer::Entity::load().filter_by_id(1).with(address::Entity).with((book::Entity, genre::Entity)).one(db).await;
    log.add("loaded", &loaded);
    let found = writer::Entity::find().all(db).await.unwrap();
    log.add("cascade", told(found[0].clone().delete(db).await.map(|done| done.rows_affected)));
    let mut changed = saved.unwrap();
    let first = changed.books.as_slice()[0].clone();
    changed.books.replace_all([first]);
    log.add("replaced", told(changed.save(db).await));
    log.add("books", book::Entity::find().order_by_asc(book::Column::Id).all(db).await);
    log.add("pairs", book_genre::Entity::find().all(db).await);
    log.add("genre", genre::ActiveModel { genre: sea_orm::Set("more".into()), ..Default::default() }.insert(db).await);
    log
}
