//! What of a table is adopted, and the statements that copy and compare it.

use sqlx::SqliteConnection;
use tenantry_sql::{Quoted, ROW_ID, RowId, TENANT, Table};

use super::source::SOURCE;

/// The rows of a table.
#[derive(Clone, Debug)]
pub(in crate::shared) struct Rows {
    /// The table, as the application spells it.
    pub(in crate::shared) table: String,
    /// Whether it is AUTOINCREMENT.
    pub(in crate::shared) is_counted: bool,
    /// Whether all tenants read it.
    pub(in crate::shared) is_global: bool,
    /// The row id: what it is called in the source, and in the shared table.
    id: Option<Id>,
    /// All other columns, quoted; those left out that are computed.
    columns: Vec<String>,
    /// What orders a table without row ids.
    key: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Id {
    source: String,
    shared: String,
}

/// A column of a key.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Term {
    name: String,
    coll: String,
    desc: bool,
}

/// Where rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shared) enum Place {
    /// In the database that is called so: all rows of the table.
    Whole(&'static str),
    /// In the shared tables: those of the tenant that is parameter ?1.
    Tenant,
    /// The same in the shared tables of the database that is called so.
    TenantOf(&'static str),
}

impl Place {
    /// The source.
    pub(in crate::shared) const SOURCE: Self = Self::Whole(SOURCE);
    /// The shared database, for a table that all tenants read.
    pub(in crate::shared) const GLOBAL: Self = Self::Whole("main");
}

impl Rows {
    /// Those of a table; nothing if columns have taken all names of its hidden row id.
    pub(in crate::shared) async fn of(
        table: &Table,
        is_global: bool,
        connection: &mut SqliteConnection,
    ) -> Result<Option<Self>, sqlx::Error> {
        let id = match &table.row_id {
            RowId::None => None,
            RowId::Column(column) => {
                let column = column.quoted().to_string();
                Some(Id { source: column.clone(), shared: column })
            }
            RowId::Hidden => {
                let Some(free) = row_id_of(table) else { return Ok(None) };
                Some(Id { source: free.to_owned(), shared: Quoted::new(ROW_ID).to_string() })
            }
        };
        let key = if id.is_none() { key(table, connection).await? } else { Vec::new() };
        let is_row_id = |name: &tenantry_sql::Name| matches!(&table.row_id, RowId::Column(column) if column == name);
        let stored = table.columns.iter().filter(|column| !column.generated && !is_row_id(&column.name));
        Ok(Some(Self {
            table: table.name.as_str().to_owned(),
            is_counted: table.auto_increment,
            is_global,
            id,
            columns: stored.map(|column| column.name.quoted().to_string()).collect(),
            key,
        }))
    }

    /// Copies the next rows to the tenant ?1, at most ?2: the first ones, or those after the rows that are there.
    pub(super) fn copy(&self, first: bool) -> String {
        let (into, from) = (self.named("m", Place::Tenant), self.named("s", Place::SOURCE));
        let after = if first { String::new() } else { format!(" WHERE {}", self.after()) };
        format!(
            "INSERT INTO {into} ({TENANT}, {}) SELECT ?1, {} FROM {from}{after} ORDER BY {} LIMIT ?2",
            self.columns("", Place::Tenant),
            self.columns("s.", Place::SOURCE),
            self.order("s.", Place::SOURCE, ""),
        )
    }

    /// Copies all rows from one place to another, which has none.
    pub(in crate::shared) fn transfer(&self, from: Place, to: Place) -> String {
        let (tenant, value) = match to {
            Place::Whole(_) => (String::new(), ""),
            Place::Tenant | Place::TenantOf(_) => (format!("{TENANT}, "), "?1, "),
        };
        format!(
            "INSERT INTO {} ({tenant}{}) SELECT {value}{} FROM {} WHERE {}",
            self.named("m", to),
            self.columns("", to),
            self.columns("s.", from),
            self.named("s", from),
            of_tenant("s.", from),
        )
    }

    /// Deletes the rows of a copy that are not, or not the same, where it comes from.
    pub(in crate::shared) fn delete_stale(&self, from: Place, to: Place) -> String {
        format!(
            "DELETE FROM {} WHERE {} AND NOT EXISTS (SELECT 1 FROM {} WHERE {}{} AND {} = {})",
            self.named("m", to),
            of_tenant("m.", to),
            self.named("s", from),
            self.same(from, to),
            of_tenant("s.", from),
            self.digest("s.", from),
            self.digest("m.", to),
        )
    }

    /// Copies the rows that a copy does not have.
    pub(in crate::shared) fn insert_missing(&self, from: Place, to: Place) -> String {
        format!(
            "{} AND NOT EXISTS (SELECT 1 FROM {} WHERE {}{})",
            self.transfer(from, to),
            self.named("m", to),
            self.same(from, to),
            of_tenant("m.", to),
        )
    }

    /// That a row `s` of one place and a row `m` of another have the same key.
    fn same(&self, from: Place, to: Place) -> String {
        let (from, to) = (self.keys("s.", from), self.keys("m.", to));
        from.iter().zip(&to).map(|(from, to)| format!("{to} = {from} AND ")).collect()
    }

    /// Deletes the rows of a place.
    pub(in crate::shared) fn delete(&self, place: Place) -> String {
        format!("DELETE FROM {} WHERE {}", self.named("m", place), of_tenant("m.", place))
    }

    /// Copies the rows of a table that all tenants read.
    pub(super) fn copy_global(&self) -> String {
        let (into, from) = (self.named("m", Place::GLOBAL), self.named("s", Place::SOURCE));
        let columns = (self.columns("", Place::GLOBAL), self.columns("s.", Place::SOURCE));
        format!("INSERT INTO {into} ({}) SELECT {} FROM {from}", columns.0, columns.1)
    }

    /// Those of the source in order, each with its key as a text in front, and these columns.
    #[cfg(feature = "postgres")]
    pub(super) fn in_order(&self, columns: &[String]) -> String {
        let keys: Vec<_> = self.keys("s.", Place::SOURCE).iter().map(|key| format!("quote({key})")).collect();
        let columns: String = columns.iter().map(|column| format!(", s.{}", Quoted::new(column))).collect();
        let (from, order) = (self.named("s", Place::SOURCE), self.order("s.", Place::SOURCE, ""));
        format!("SELECT {}{columns} FROM {from} ORDER BY {order}", keys.join(" || ', ' || "))
    }

    /// Whether the tenant ?1 has any.
    pub(super) fn exists(&self) -> String {
        format!("SELECT EXISTS (SELECT 1 FROM {} WHERE m.{TENANT} = ?1)", self.named("m", Place::Tenant))
    }

    /// How many there are, and the two halves of the sum of their digests.
    pub(super) fn sum(&self, place: Place) -> String {
        let (digest, from, of) = (self.digest("s.", place), self.named("s", place), of_tenant("s.", place));
        // The LIMIT keeps SQLite from computing each digest twice.
        format!(
            "SELECT count(*), coalesce(sum(digest & 4294967295), 0), coalesce(sum((digest >> 32) & 4294967295), 0) \
             FROM (SELECT {digest} AS digest FROM {from} WHERE {of} LIMIT -1)"
        )
    }

    /// The keys of the first rows that are in one place and missing or different in another.
    pub(super) fn missing(&self, here: Place, there: Place) -> String {
        let (keys, theirs) = (self.keys("h.", here), self.keys("t.", there));
        let same: String = keys.iter().zip(&theirs).map(|(here, there)| format!("{there} = {here} AND ")).collect();
        let shown: Vec<_> = keys.iter().map(|key| format!("quote({key})")).collect();
        format!(
            "SELECT {} FROM {} WHERE {} AND NOT EXISTS (SELECT 1 FROM {} WHERE {same}{} AND {} = {}) LIMIT {KEYS_MAX}",
            shown.join(" || ', ' || "),
            self.named("h", here),
            of_tenant("h.", here),
            self.named("t", there),
            of_tenant("t.", there),
            self.digest("t.", there),
            self.digest("h.", here),
        )
    }

    /// Whether one batch has to do, since where a key runs backwards a row does not tell where to go on.
    pub(super) fn at_once(&self) -> bool {
        self.key.iter().any(|term| term.desc)
    }

    /// That a row of the source comes after those that the tenant ?1 has.
    fn after(&self) -> String {
        let tenants = format!("{} WHERE m.{TENANT} = ?1", self.named("m", Place::Tenant));
        let (here, there) = (self.order("s.", Place::SOURCE, ""), self.order("m.", Place::Tenant, ""));
        match &self.id {
            Some(_) => format!("{here} > (SELECT max({there}) FROM {tenants})"),
            None => {
                let last = self.order("m.", Place::Tenant, " DESC");
                format!("({here}) > (SELECT {there} FROM {tenants} ORDER BY {last} LIMIT 1)")
            }
        }
    }

    fn order(&self, alias: &str, place: Place, end: &str) -> String {
        let keys = self.keys(alias, place);
        keys.iter().map(|key| format!("{key}{end}")).collect::<Vec<_>>().join(", ")
    }

    fn keys(&self, alias: &str, place: Place) -> Vec<String> {
        match &self.id {
            Some(id) => vec![format!("{alias}{}", id.at(place))],
            None => {
                let term =
                    |term: &Term| format!("{alias}{} COLLATE {}", Quoted::new(&term.name), Quoted::new(&term.coll));
                self.key.iter().map(term).collect()
            }
        }
    }

    fn digest(&self, alias: &str, place: Place) -> String {
        let mut digest = String::new();
        for part in self.all(alias, place).chunks(ARGUMENTS_MAX) {
            let before = if digest.is_empty() { String::new() } else { format!("{digest}, ") };
            digest = format!("_tenantry_digest({before}{})", part.join(", "));
        }
        digest
    }

    fn columns(&self, alias: &str, place: Place) -> String {
        self.all(alias, place).join(", ")
    }

    /// The row id and all columns after it.
    fn all(&self, alias: &str, place: Place) -> Vec<String> {
        let id = self.id.iter().map(|id| id.at(place));
        id.chain(self.columns.iter().map(String::as_str)).map(|column| format!("{alias}{column}")).collect()
    }

    fn named(&self, alias: &str, place: Place) -> String {
        let database = match place {
            Place::Whole(database) | Place::TenantOf(database) => database,
            Place::Tenant => "main",
        };
        format!("{database}.{} AS {alias}", Quoted::new(&self.table))
    }
}

impl Id {
    fn at(&self, place: Place) -> &str {
        match place {
            Place::Whole(_) => &self.source,
            Place::Tenant | Place::TenantOf(_) => &self.shared,
        }
    }
}

fn of_tenant(alias: &str, place: Place) -> String {
    match place {
        Place::Whole(_) => "true".to_owned(),
        Place::Tenant | Place::TenantOf(_) => format!("{alias}{TENANT} = ?1"),
    }
}

/// What the hidden row id of a table can be called. It has three names, unless columns take them.
pub(in crate::shared) fn row_id_of(table: &Table) -> Option<&'static str> {
    let is_free = |name: &&&str| !table.columns.iter().any(|column| column.name.is(name));
    ["rowid", "_rowid_", "oid"].iter().find(is_free).copied()
}

/// The primary key of a table of the source that has no row ids.
async fn key(table: &Table, connection: &mut SqliteConnection) -> Result<Vec<Term>, sqlx::Error> {
    let text = "SELECT x.name, x.coll, x.\"desc\" FROM pragma_index_list(?1, ?2) l, pragma_index_xinfo(l.name, ?2) x \
                WHERE l.origin = 'pk' AND x.key AND x.name <> '_tenant' ORDER BY x.seqno";
    let source = SOURCE.trim_matches('"');
    sqlx::query_as(text).bind(table.name.as_str()).bind(source).fetch_all(connection).await
}

/// SQLite allows functions a few more arguments.
const ARGUMENTS_MAX: usize = 100;

/// As many keys as are told.
const KEYS_MAX: u32 = 3;
