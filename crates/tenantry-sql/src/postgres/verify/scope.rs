//! What hides the table whose rows are changed: in a query within the statement its name may be another's.

use pg_query::{
    NodeEnum,
    protobuf::{JoinExpr, Node, RangeSubselect, ResTarget},
};

use super::{Reader, write::Target};

/// A name that is visible in a query.
#[derive(Debug)]
pub(super) enum Inner {
    Row(String),
    Column(String),
}

impl Reader<'_> {
    /// The table whose rows are changed, if a name, which may be qualified, is that of its row or of the one that could
    /// not be inserted. `alone` says that the name could be a column's too.
    pub(super) fn changed_row(&self, name: &str, alone: bool) -> Option<&Target> {
        let target = self.changed.as_ref();
        let target = target.filter(|target| name == target.exposed || target.excluded && name == "excluded")?;
        let hidden = self.inner.iter().any(|inner| match inner {
            Inner::Row(row) => row == name,
            Inner::Column(column) => alone && column == name,
        });
        let column = alone && target.columns.iter().any(|column| column == name);
        (!hidden && !column).then_some(target)
    }

    /// Whether a name means the old or the new row of a change, as PostgreSQL 18 calls them.
    pub(super) fn is_version(&self, name: &str, alone: bool) -> bool {
        let hidden = self.inner.iter().any(|inner| match inner {
            Inner::Row(row) => row == name,
            Inner::Column(column) => alone && column == name,
        });
        let own = self.changed.as_ref().is_some_and(|target| {
            target.exposed == name || alone && target.columns.iter().any(|column| column == name)
        });
        (name == "old" || name == "new") && !hidden && !own
    }

    /// Notes what an item of `FROM` makes visible, as far as it is certain.
    pub(super) fn expose(&mut self, item: &Node) {
        match &item.node {
            Some(NodeEnum::RangeVar(table)) => {
                let name = table.alias.as_ref().map_or(&table.relname, |alias| &alias.aliasname);
                self.inner.push(Inner::Row(name.clone()));
            }
            Some(NodeEnum::RangeTableSample(sample)) => sample.relation.iter().for_each(|table| self.expose(table)),
            Some(NodeEnum::RangeFunction(function)) => {
                self.inner.extend(function.alias.iter().map(|alias| Inner::Row(alias.aliasname.clone())));
            }
            Some(NodeEnum::RangeSubselect(subquery)) => self.expose_subquery(subquery),
            Some(NodeEnum::JoinExpr(join)) => {
                let JoinExpr { larg, rarg, alias, join_using_alias, .. } = &**join;
                let aliases = alias.iter().chain(join_using_alias);
                self.inner.extend(aliases.map(|alias| Inner::Row(alias.aliasname.clone())));
                if alias.is_none() {
                    larg.iter().chain(rarg).for_each(|item| self.expose(item));
                }
            }
            _ => {}
        }
    }

    fn expose_subquery(&mut self, subquery: &RangeSubselect) {
        let RangeSubselect { lateral: _, subquery, alias } = subquery;
        self.inner.extend(alias.iter().map(|alias| Inner::Row(alias.aliasname.clone())));
        let renamed = alias.as_ref().map_or(&[][..], |alias| &alias.colnames);
        let renamed = renamed.iter().map(|name| match &name.node {
            Some(NodeEnum::String(name)) => Some(name.sval.clone()),
            _ => None,
        });
        let Some(NodeEnum::SelectStmt(select)) = subquery.as_deref().and_then(|node| node.node.as_ref()) else {
            return;
        };
        let results = select.target_list.iter().skip(renamed.len()).map(name_of);
        let columns: Vec<_> = renamed.chain(results).flatten().collect();
        self.inner.extend(columns.into_iter().map(Inner::Column));
    }
}

/// The name of a result that has an alias or is a column.
fn name_of(target: &Node) -> Option<String> {
    let Some(NodeEnum::ResTarget(target)) = &target.node else { return None };
    let ResTarget { name, val, .. } = &**target;
    if !name.is_empty() {
        return Some(name.clone());
    }
    let Some(NodeEnum::ColumnRef(column)) = val.as_deref().and_then(|value| value.node.as_ref()) else { return None };
    match &column.fields.last()?.node {
        Some(NodeEnum::String(name)) => Some(name.sval.clone()),
        _ => None,
    }
}
