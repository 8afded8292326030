//! Entities that are inserted, changed and deleted.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, QueryOrder, TryInsertResult, Unchanged, sea_query::Expr, sea_query::OnConflict,
};

use crate::{
    entity::{post, post_tag, setting, tag, user},
    same::{Log, same, told},
    world::{Connection, a_post, a_setting, a_tag, a_user},
};

same!(active_models, many_at_once, conflicts, updates, deletes, upserts_by_save);

async fn active_models(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let dora = a_user("dora@example.com").insert(db).await.unwrap();
    log.add("inserted", &dora);
    let mut changed = dora.clone().into_active_model();
    changed.role = Set(user::Role::Admin);
    changed.profile = Set(None);
    log.add("updated", changed.update(db).await);
    log.add("found", user::Entity::find_by_id(dora.id).one(db).await);
    log.add("nothing found", user::Entity::find_by_id(4711).one(db).await);
    log.add("by enum", user::Entity::find().filter(user::Column::Role.eq(user::Role::Admin)).all(db).await);
    log.add("by uuid", user::Entity::find().filter(user::Column::Token.eq(dora.token)).count(db).await);
    log.add("by time", user::Entity::find().filter(user::Column::Joined.lte(dora.joined)).count(db).await);
    let missing = user::ActiveModel { id: Unchanged(4711), email: Set("x".into()), ..Default::default() };
    log.add("update of nothing", missing.update(db).await);
    log.add("deleted", dora.delete(db).await.map(|done| done.rows_affected));
    log.add("inserted after it", a_user("eve@example.com").insert(db).await);
    log.add("without returning", user::Entity::insert(a_user("fay@example.com")).exec_without_returning(db).await);
    log.add("last id", user::Entity::insert(a_user("gus@example.com")).exec(db).await.map(|done| done.last_insert_id));
    log
}

async fn many_at_once(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let tags = ["one", "two", "three"].map(a_tag);
    log.add("many", tag::Entity::insert_many(tags).exec(db).await);
    let returning = tag::Entity::insert_many([a_tag("four"), a_tag("five")]).exec_with_returning(db).await;
    log.add("returning", returning);
    let keys = tag::Entity::insert_many([a_tag("six"), a_tag("seven")]).exec_with_returning_keys(db).await;
    log.add("keys", keys);
    let counted = tag::Entity::insert_many([a_tag("eight")]).exec_without_returning(db).await;
    log.add("counted", counted);
    let none: [tag::ActiveModel; 0] = [];
    log.add("none", tag::Entity::insert_many(none).exec(db).await);
    let pair = |post, tag| post_tag::ActiveModel { post_id: Set(post), tag_id: Set(tag) };
    log.add("pairs", post_tag::Entity::insert_many([pair(5, 1), pair(5, 2)]).exec_with_returning(db).await);
    log.add("all", tag::Entity::find().order_by_asc(tag::Column::Id).all(db).await);
    log
}

async fn conflicts(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let update = OnConflict::column(setting::Column::Name)
        .update_column(setting::Column::Value)
        .value(setting::Column::Version, Expr::col((setting::Entity, setting::Column::Version)).add(1))
        .to_owned();
    for value in ["light", "high contrast"] {
        let upsert = setting::Entity::insert(a_setting("theme", value)).on_conflict(update.clone());
        log.add("upsert", upsert.exec_with_returning(db).await);
    }
    let nothing = OnConflict::column(tag::Column::Name).do_nothing().to_owned();
    let ignored = tag::Entity::insert(a_tag("red")).on_conflict(nothing.clone()).exec(db).await;
    log.add("ignored", ignored);
    let ignored = tag::Entity::insert(a_tag("red")).on_conflict(nothing.clone()).try_insert().exec(db).await;
    log.add("ignored", matches!(ignored, Ok(TryInsertResult::Conflicted)));
    let mixed = tag::Entity::insert_many([a_tag("red"), a_tag("new")]).on_conflict(nothing).exec(db).await;
    log.add("mixed", mixed);
    let first = OnConflict::columns([post_tag::Column::PostId, post_tag::Column::TagId])
        .do_nothing_on([post_tag::Column::PostId])
        .to_owned();
    let pair = post_tag::ActiveModel { post_id: Set(1), tag_id: Set(1) };
    log.add("pair", post_tag::Entity::insert(pair).on_conflict(first).exec_without_returning(db).await);
    log.add("taken", told(a_tag("red").insert(db).await));
    log.add("no such post", told(post_tag::ActiveModel { post_id: Set(99), tag_id: Set(1) }.insert(db).await));
    log.add("settings", setting::Entity::find().all(db).await);
    log.add("tags", tag::Entity::find().order_by_asc(tag::Column::Id).all(db).await);
    log
}

async fn updates(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let viewed = post::Entity::update_many()
        .col_expr(post::Column::Views, Expr::col(post::Column::Views).add(10))
        .filter(post::Column::UserId.eq(2));
    log.add("many", viewed.exec(db).await);
    let hidden = post::Entity::update_many()
        .set(post::ActiveModel { is_public: Set(false), rating: Set(None), ..Default::default() })
        .filter(post::Column::Title.contains("f"));
    log.add("returning", hidden.exec_with_returning(db).await);
    let one = post::ActiveModel { id: Unchanged(1), title: Set("1st".into()), ..Default::default() };
    log.add("one", post::Entity::update(one).exec(db).await);
    let none = post::Entity::update_many().col_expr(post::Column::Views, Expr::val(0)).filter(post::Column::Id.gt(99));
    log.add("none", none.exec(db).await);
    let all = post::Entity::update_many().col_expr(post::Column::Image, Expr::val(vec![1_u8, 2]));
    log.add("all", all.exec(db).await);
    log.add("posts", post::Entity::find().order_by_asc(post::Column::Id).all(db).await);
    log
}

async fn deletes(db: &impl Connection) -> Log {
    let mut log = Log::default();
    log.add("by id", post::Entity::delete_by_id(4).exec(db).await.map(|done| done.rows_affected));
    let returned = tag::Entity::delete_many().filter(tag::Column::Name.eq("blue")).exec_with_returning(db).await;
    log.add("returning", returned);
    log.add("key", post_tag::Entity::delete_by_id((1, 2)).exec(db).await.map(|done| done.rows_affected));
    log.add("not there", post::Entity::delete_by_id(99).exec(db).await.map(|done| done.rows_affected));
    log.add("needed", told(tag::Entity::delete_by_id(1).exec(db).await.map(|done| done.rows_affected)));
    log.add("cascade", user::Entity::delete_by_id(1).exec(db).await.map(|done| done.rows_affected));
    log.add("posts", post::Entity::find().order_by_asc(post::Column::Id).all(db).await);
    log.add("pairs", post_tag::Entity::find().all(db).await);
    log.add("all", post::Entity::delete_many().exec(db).await.map(|done| done.rows_affected));
    log.add("left", post::Entity::find().count(db).await);
    log.add("next id", a_post(2, "next").insert(db).await);
    log
}

async fn upserts_by_save(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let saved = a_post(3, "saved").save(db).await.unwrap();
    log.add("inserted", &saved);
    let mut again = saved;
    again.title = Set("saved again".into());
    log.add("updated", again.save(db).await);
    let fixed = post::ActiveModel { id: Set(50), ..a_post(3, "id of its own") };
    log.add("with an id", fixed.clone().insert(db).await);
    log.add("taken", told(fixed.insert(db).await));
    log.add("next id", a_post(3, "after it").insert(db).await.map(|post| post.id));
    log
}
