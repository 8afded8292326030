//! The ids of rows: those that a private database would choose.

use std::rc::Rc;

use libsqlite3_sys as ffi;

use super::{
    connection::{Native, Query},
    quoted,
    raw::{Failed, Value, random},
};

/// A table that has row ids.
#[derive(Debug)]
pub(super) struct Table {
    name: String,
    id_column: String,
    auto_increment: bool,
}

impl Native {
    /// The id of the next row of the tenant in a table, as SQLite chooses it:
    ///
    /// | table | id |
    /// |---|---|
    /// | empty | 1 |
    /// | has rows | the largest plus one; if that is too large, any positive one that is not taken |
    /// | AUTOINCREMENT | larger than all that ever were; if that is too large, none |
    pub(super) fn next_id(&self, number: i64) -> Result<i64, Failed> {
        let tenant = self.tenant()?;
        let (table, largest) = self.largest(number, tenant)?;
        if table.auto_increment {
            let largest = largest.unwrap_or(0).max(self.sequence(tenant, number)?.unwrap_or(0));
            let id = largest.checked_add(1).ok_or_else(full)?;
            self.store(tenant, number, id)?;
            return Ok(id);
        }
        if largest == Some(i64::MAX) {
            self.exhausted.borrow_mut().insert(number);
        }
        if self.exhausted.borrow().contains(&number) {
            return self.any_id(number, tenant, &table);
        }
        Ok(largest.map_or(1, |largest| largest.saturating_add(1)))
    }

    /// The id for a row that says NULL for it, given before it is known whether the row will be inserted, and therefore
    /// never twice in a statement.
    pub(super) fn new_id(&self, number: i64) -> Result<i64, Failed> {
        let next = self.next_id(number)?;
        let given = self.given.borrow().get(&number).and_then(|given| given.checked_add(1));
        let id = given.map_or(next, |given| given.max(next));
        self.gave(number, id);
        Ok(id)
    }

    /// The running statement has this id for a row of the table.
    pub(super) fn gave(&self, number: i64, id: i64) {
        let mut given = self.given.borrow_mut();
        let largest = given.entry(number).or_insert(id);
        *largest = id.max(*largest);
    }

    /// A row with this id is about to be inserted into an AUTOINCREMENT table, which counts although it may be ignored.
    pub(super) fn counted(&self, number: i64, tenant: i64, id: i64) -> Result<(), Failed> {
        match self.sequence(tenant, number)? {
            Some(stored) if stored >= id => Ok(()),
            _ => self.store(tenant, number, id.max(0)),
        }
    }

    fn largest(&self, number: i64, tenant: i64) -> Result<(Rc<Table>, Option<i64>), Failed> {
        // A table keeps its number when it gets another name, and SQLite tells us of another schema only afterwards.
        if let Ok((table, largest, false)) = self.largest_now(number, tenant) {
            return Ok((table, largest));
        }
        self.tables.borrow_mut().remove(&number);
        self.discard(Query::Largest(number));
        self.discard(Query::IsTaken(number));
        self.largest_now(number, tenant).map(|(table, largest, _)| (table, largest))
    }

    fn largest_now(&self, number: i64, tenant: i64) -> Result<(Rc<Table>, Option<i64>, bool), Failed> {
        let table = self.table(number)?;
        let sql = || {
            let (name, column) = (quoted(&table.name), quoted(&table.id_column));
            format!("SELECT max({column}) FROM main.{name} WHERE _tenant = ?1")
        };
        let answer = self.query(Query::Largest(number), sql, &[tenant])?;
        let largest = match answer.row {
            Some([Value::Integer(largest)]) => Some(largest),
            _ => None,
        };
        Ok((table, largest, answer.is_recompiled))
    }

    fn any_id(&self, number: i64, tenant: i64, table: &Table) -> Result<i64, Failed> {
        for _ in 0..TRIES_MAX {
            let id = (random() & (i64::MAX >> 1)) + 1;
            let sql = || {
                let (name, column) = (quoted(&table.name), quoted(&table.id_column));
                format!("SELECT 1 FROM main.{name} WHERE _tenant = ?1 AND {column} = ?2")
            };
            if self.query::<1>(Query::IsTaken(number), sql, &[tenant, id])?.row.is_none() {
                return Ok(id);
            }
        }
        Err(full())
    }

    fn table(&self, number: i64) -> Result<Rc<Table>, Failed> {
        if let Some(table) = self.tables.borrow().get(&number) {
            return Ok(Rc::clone(table));
        }
        let sql = || "SELECT name, id_column, auto_increment FROM main._tenantry_tables WHERE number = ?1".to_owned();
        match self.query(Query::Table, sql, &[number])?.row {
            Some([Value::Text(name), Value::Text(id_column), auto_increment]) => {
                let auto_increment = !matches!(auto_increment, Value::Integer(0) | Value::Null);
                let table = Rc::new(Table { name, id_column, auto_increment });
                self.tables.borrow_mut().insert(number, Rc::clone(&table));
                Ok(table)
            }
            _ => Err(Failed::new(ffi::SQLITE_ERROR, format!("no table with row ids has the number {number}"))),
        }
    }

    fn sequence(&self, tenant: i64, number: i64) -> Result<Option<i64>, Failed> {
        let sql = || "SELECT seq FROM main._tenantry_sequence WHERE _tenant = ?1 AND number = ?2".to_owned();
        Ok(match self.query(Query::Sequence, sql, &[tenant, number])?.row {
            Some([Value::Integer(stored)]) => Some(stored),
            _ => None,
        })
    }

    fn store(&self, tenant: i64, number: i64, id: i64) -> Result<(), Failed> {
        let sql = || {
            "INSERT INTO main._tenantry_sequence (_tenant, number, seq) VALUES (?1, ?2, ?3) \
             ON CONFLICT (_tenant, number) DO UPDATE SET seq = excluded.seq"
                .to_owned()
        };
        self.write(Query::Store, sql, &[tenant, number, id])
    }
}

fn full() -> Failed {
    Failed::new(ffi::SQLITE_FULL, "database or disk is full")
}

/// As often as SQLite tries.
const TRIES_MAX: usize = 100;
