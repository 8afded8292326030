//! Expressions, and the columns in them.

use super::{
    Feature,
    draw::Draw,
    tree::{Tree, seq},
};
use crate::Class;

impl Draw<'_> {
    /// Any expression, probably of this class.
    pub(crate) fn expr(&mut self, class: Class) -> Tree {
        self.fuel -= 1;
        let tree = if self.is_tired() {
            self.leaf(class)
        } else if self.aggregates && self.chance(30) {
            self.aggregate()
        } else if self.windows && self.chance(12) {
            self.window()
        } else {
            match self.weighted(&[46, 30, 12, 12]) {
                0 => self.leaf(class),
                1 => self.operator(class),
                2 => self.function(class),
                _ => self.subquery(),
            }
        };
        tree.expr()
    }

    /// An expression of any class.
    pub(crate) fn any_expr(&mut self) -> Tree {
        let class = self.class();
        self.expr(class)
    }

    /// A condition.
    pub(crate) fn condition(&mut self) -> Tree {
        self.fuel -= 1;
        if self.is_tired() {
            let class = self.class();
            let (left, operator, right) =
                (self.leaf(class), self.word(&[" = ", " < ", " >= ", " IS NOT "]), self.constant(class));
            return seq![left, operator, right].expr();
        }
        self.predicate().expr()
    }

    /// A column, if there is one, or a constant.
    pub(crate) fn leaf(&mut self, class: Class) -> Tree {
        if self.chance(70)
            && let Some(column) = self.column(class)
        {
            return column;
        }
        self.constant(class)
    }

    /// A column that can be seen here, probably of this class.
    pub(crate) fn column(&mut self, class: Class) -> Option<Tree> {
        let mut found = self.any_column()?;
        for _ in 0..3 {
            if found.2.class == class {
                break;
            }
            found = self.any_column()?;
        }
        let (scope, at, column) = found;
        let innermost = (0..self.scopes.len()).rfind(|scope| !self.scopes[*scope].items.is_empty());
        let item = self.scopes[scope].items[at].clone();
        let tree = if item.row_id && self.chance(6) {
            self.row_id(scope, item.alias.as_deref())
        } else {
            let qualified = item.alias.filter(|_| self.chance(60) || !self.is_unambiguous(scope, &column.name));
            match qualified {
                Some(alias) => {
                    let main = if item.in_main && self.chance(8) { "main." } else { "" };
                    let (alias, name) = (self.name(&alias), self.name(&column.name));
                    seq![main, alias, ".", name]
                }
                None if self.is_unambiguous(scope, &column.name) => self.name(&column.name),
                None => return None,
            }
        };
        Some(if Some(scope) == innermost { tree } else { tree.mark(Feature::Correlated) })
    }

    fn row_id(&mut self, scope: usize, alias: Option<&str>) -> Tree {
        let name = self.word(&["rowid", "oid", "_rowid_", "RowId", "ROWID", "\"rowid\""]);
        let alone = scope + 1 == self.scopes.len() && self.scopes[scope].items.len() == 1;
        let tree = match alias {
            Some(alias) if !alone || self.chance(50) => {
                let alias = self.name(alias);
                seq![alias, ".", name]
            }
            _ => name,
        };
        tree.mark(Feature::RowIdColumn)
    }

    /// Some expressions, separated by commas.
    pub(crate) fn exprs(&mut self, count: usize) -> Vec<Tree> {
        (0..count).map(|_| self.any_expr()).collect()
    }
}
