//! Rows that are asked for: with what is related to them, by page, in part, by text of the application's own.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, JoinType, JsonValue, LoaderTrait,
    ModelTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationTrait, SelectExt, Statement,
    prelude::Date,
    sea_query::{Alias, CommonTableExpression, Expr, ExprTrait, Func, Query, UnionType},
};

use crate::{
    entity::{post, post_tag, setting, tag, user},
    same::{Log, same},
    world::Connection,
};

same!(relations, joins, pages, parts, builders, raw_statements, subqueries);

async fn relations(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let posts = || post::Entity::find().order_by_asc(post::Column::Id);
    log.add("also related", posts().find_also_related(user::Entity).all(db).await);
    let users = user::Entity::find().order_by_asc(user::Column::Id);
    log.add("with related", users.clone().find_with_related(post::Entity).all(db).await);
    log.add("many to many", posts().find_with_related(tag::Entity).all(db).await);
    let both = post::Entity::find().find_also_related(tag::Entity).order_by_asc(post::Column::Id);
    log.add("also many to many", both.order_by_asc(tag::Column::Id).all(db).await);
    let users = users.all(db).await.unwrap();
    log.add("loaded", users.load_many(post::Entity, db).await);
    log.add("related", users[0].find_related(post::Entity).order_by_desc(post::Column::Id).all(db).await);
    let posts = posts().all(db).await.unwrap();
    log.add("loaded one", posts.load_one(user::Entity, db).await);
    log.add("loaded through", posts.load_many_to_many(tag::Entity, post_tag::Entity, db).await);
    log
}

async fn joins(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let joined = post::Entity::find()
        .join(JoinType::InnerJoin, post::Relation::User.def())
        .filter(user::Column::Email.starts_with("ben"))
        .order_by_asc(post::Column::Id);
    log.add("inner", joined.all(db).await);
    let writer = Alias::new("writer");
    let aliased = post::Entity::find()
        .join_as(JoinType::LeftJoin, post::Relation::User.def(), writer.clone())
        .filter(Expr::col((writer, user::Column::Id)).eq(1))
        .order_by_asc(post::Column::Id);
    log.add("as", aliased.all(db).await);
    let tagged = post::Entity::find()
        .join(JoinType::LeftJoin, post::Relation::PostTag.def())
        .join(JoinType::LeftJoin, post_tag::Relation::Tag.def())
        .group_by(post::Column::Id)
        .having(Expr::expr(Func::count(Expr::col((tag::Entity, tag::Column::Id)))).gt(1));
    log.add("grouped", tagged.all(db).await);
    let without = user::Entity::find().left_join(post::Entity).filter(post::Column::Id.is_null()).all(db).await;
    log.add("without", without);
    log
}

async fn pages(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let posts = post::Entity::find().order_by_desc(post::Column::Id);
    let pages = posts.paginate(db, 2);
    log.add("numbers", pages.num_items_and_pages().await);
    for page in 0..4 {
        log.add("page", pages.fetch_page(page).await);
    }
    let mut cursor = post::Entity::find().cursor_by(post::Column::Id);
    log.add("cursor", cursor.after(1).before(5).first(2).all(db).await);
    let mut cursor = post::Entity::find().cursor_by((post::Column::UserId, post::Column::Id));
    log.add("cursor of two", cursor.after((1, 2)).last(2).all(db).await);
    log.add("exists", post::Entity::find().filter(post::Column::Title.eq("third")).exists(db).await);
    log.add("offset", post::Entity::find().order_by_asc(post::Column::Title).offset(1).limit(2).all(db).await);
    log
}

#[derive(Debug, FromQueryResult)]
#[expect(dead_code, reason = "read by Debug")]
struct Sum {
    user_id: i32,
    posts: i64,
    views: Option<i64>,
}

async fn parts(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let tuples = post::Entity::find().select_only().columns([post::Column::Id, post::Column::Title]);
    let tuples = tuples.order_by_asc(post::Column::Id).into_tuple::<(i32, String)>();
    log.add("tuples", tuples.all(db).await);
    let sums = post::Entity::find()
        .select_only()
        .column(post::Column::UserId)
        .column_as(post::Column::Id.count(), "posts")
        .column_as(post::Column::Views.sum(), "views")
        .group_by(post::Column::UserId)
        .order_by_asc(post::Column::UserId);
    log.add("sums", sums.clone().into_model::<Sum>().all(db).await);
    log.add("json", sums.into_json().all(db).await);
    let named = user::Entity::find().select_only().column_as(user::Column::Email.max(), "last");
    log.add("max", named.into_tuple::<Option<String>>().one(db).await);
    let distinct = post::Entity::find().select_only().column(post::Column::UserId).distinct();
    log.add("distinct", distinct.order_by_asc(post::Column::UserId).into_tuple::<i32>().all(db).await);
    log.add("settings", setting::Entity::find().into_json().all(db).await.map(JsonValue::from));
    log
}

async fn builders(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let ids = Query::select().column(post::Column::Id).from(post::Entity).and_where(Expr::val(1).eq(1)).take();
    let other = Query::select().column(tag::Column::Id).from(tag::Entity).take();
    let union = ids.clone().union(UnionType::All, other).to_owned();
    log.add("union", count(db.query_all(&union).await));
    let table = CommonTableExpression::new().query(ids).table_name(Alias::new("ids")).column("id").to_owned();
    let with = Query::select().column("id").from("ids").to_owned().with(Query::with().cte(table).to_owned());
    let rows = db.query_all(&with).await.unwrap();
    log.add("with", rows.iter().map(|row| row.try_get::<i32>("", "id")).collect::<Vec<_>>());
    let delete = Query::delete().from_table(post_tag::Entity).and_where(post_tag::Column::TagId.eq(3)).take();
    log.add("delete", db.execute(&delete).await.map(|done| done.rows_affected()));
    let update = Query::update().table(tag::Entity).value(tag::Column::Name, "grey").take();
    let update = update.to_owned().and_where(tag::Column::Id.eq(3)).returning_all().take();
    log.add("update", db.query_one(&update).await.unwrap().unwrap().try_get::<String>("", "name"));
    log
}

async fn raw_statements(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let backend = ConnectionTrait::get_database_backend(db);
    log.add("backend", (backend, db.support_returning(), db.is_mock_connection()));
    let is_sqlite = backend == DbBackend::Sqlite;
    let mark = if is_sqlite { "?" } else { "$1" };
    let text = "SELECT p.title, u.email FROM post p JOIN \"user\" u ON u.id = p.user_id WHERE u.id = ";
    let statement = Statement::from_sql_and_values(backend, format!("{text}{mark} ORDER BY p.id"), [2.into()]);
    let rows = db.query_all_raw(statement).await.unwrap();
    let rows: Vec<(String, String)> = rows.iter().map(|row| row.try_get_many_by_index().unwrap()).collect();
    log.add("rows", rows);
    let insert = Statement::from_string(backend, "INSERT INTO tag (name) VALUES ('raw'), ('rawer')");
    log.add(
        "insert",
        db.execute_raw(insert).await.map(|done| (done.rows_affected(), is_sqlite.then(|| done.last_insert_id()))),
    );
    let find = "SELECT * FROM tag WHERE name LIKE $1 ORDER BY id";
    let find = Statement::from_sql_and_values(backend, find, ["raw%".into()]);
    log.add("models", tag::Entity::find().from_raw_sql(find).all(db).await);
    log.add("no row", count(db.query_one_raw(Statement::from_string(backend, "SELECT 1 WHERE 1 = 0")).await));
    let unprepared = "UPDATE tag SET name = 'x' WHERE id = 1; -- and then\nDELETE FROM post WHERE user_id = 2;";
    log.add("script", db.execute_unprepared(unprepared).await.map(|done| done.rows_affected()));
    log.add("nothing", db.execute_unprepared(" -- nothing").await.map(|done| done.rows_affected()));
    log.add("alone", db.execute_unprepared("DELETE FROM post").await.map(|done| done.rows_affected()));
    log.add("no such table", db.execute_unprepared("DELETE FROM setting WHERE nothing = 1").await.is_err());
    log.add("tags", tag::Entity::find().order_by_asc(tag::Column::Id).all(db).await);
    log
}

async fn subqueries(db: &impl Connection) -> Log {
    let mut log = Log::default();
    let writers = post::Entity::find().select_only().column(post::Column::UserId).into_query();
    let silent = user::Entity::find().filter(user::Column::Id.not_in_subquery(writers));
    log.add("not in", silent.all(db).await);
    let any = Condition::any().add(post::Column::Title.like("f%")).add(post::Column::Id.is_in([2, 3]));
    let any = post::Entity::find().filter(any.not()).order_by_asc(post::Column::Id);
    log.add("conditions", any.all(db).await);
    let empty = post::Entity::find().filter(post::Column::Id.is_in(Vec::<i32>::new()));
    log.add("in nothing", empty.all(db).await);
    let day = |text: &str| text.parse::<Date>().unwrap();
    let lowered = user::Entity::find()
        .filter(Expr::expr(Func::lower(Expr::col(user::Column::Email))).eq("ada@example.com"))
        .filter(user::Column::Birthday.between(day("1999-01-01"), day("2000-01-01")));
    log.add("functions", lowered.all(db).await);
    log
}

fn count<T>(rows: Result<impl IntoIterator<Item = T>, sea_orm::DbErr>) -> Result<usize, sea_orm::DbErr> {
    rows.map(|rows| rows.into_iter().count())
}
