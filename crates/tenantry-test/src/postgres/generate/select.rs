//! `SELECT` with its clauses.

use super::{
    Ty,
    draw::{Col, Draw, Scope},
    query::{Made, Want},
};
use crate::generate::{
    Feature,
    tree::{Tree, seq},
};

/// What kind of a `SELECT` it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Each row gives one.
    Plain,
    /// Each row gives one, with window functions.
    Windows,
    /// All rows give one.
    Aggregated,
    /// Each group gives one.
    Grouped,
}

impl Draw<'_> {
    /// A `SELECT`. `tail`: whether it may have `ORDER BY` and `LIMIT`.
    pub(crate) fn select(&mut self, want: &Want, tail: bool) -> Made {
        self.fuel -= 2;
        self.scopes.push(Scope::default());
        let from = if want.single || self.chance(94) { self.from() } else { Tree::NOTHING };
        let shape = match self.weighted(&[72, 8, 7, 13]) {
            _ if want.single => Shape::Aggregated,
            _ if from == Tree::NOTHING => Shape::Plain,
            1 => Shape::Windows,
            2 => Shape::Aggregated,
            3 => Shape::Grouped,
            _ => Shape::Plain,
        };
        let condition = if self.chance(50) {
            let condition = self.plainly(Self::condition);
            seq![" WHERE ", condition].optional()
        } else {
            Tree::NOTHING
        };
        let group = if shape == Shape::Grouped { self.group() } else { Tree::NOTHING };
        if shape == Shape::Aggregated {
            self.keep(Vec::new());
        }
        let window = self.named_window(shape);
        let (results, columns, width) = self.results(want, shape);
        let made = self.ended(want, shape, tail, width, &columns);
        let having = if matches!(shape, Shape::Grouped | Shape::Aggregated) && !want.single && self.chance(35) {
            let condition = self.allowing(true, false, Self::condition);
            seq![" HAVING ", condition].optional().mark(Feature::Having)
        } else {
            Tree::NOTHING
        };
        self.named_windows = false;
        self.scopes.pop();
        let (distinct, tail) = made;
        let verb = self.word(&["SELECT ", "SELECT ", "select "]);
        let tree = seq![verb, distinct, results, from, condition, group, having, window, tail].mark(Feature::Select);
        Made { tree, columns, width }
    }

    fn named_window(&mut self, shape: Shape) -> Tree {
        if shape != Shape::Windows || !self.chance(40) {
            return Tree::NOTHING;
        }
        let definition = self.plainly(Self::window_definition);
        self.named_windows = true;
        seq![" WINDOW w AS (", definition, ")"].mark(Feature::NamedWindow)
    }

    /// From now on these are all that can be named of the innermost scope outside of aggregates.
    fn keep(&mut self, keys: Vec<(Tree, Ty)>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.keys = Some(keys);
        }
    }

    /// `GROUP BY`.
    fn group(&mut self) -> Tree {
        let mut keys: Vec<(Tree, Ty)> = Vec::new();
        let sets = self.pick(&["", "", "", "", "", "", "ROLLUP", "CUBE", "GROUPING SETS"]);
        let mut listed = Vec::new();
        // In sets of groups no column depends on a key.
        if sets.is_empty()
            && self.chance(30)
            && let Some((tree, of)) = self.group_by_key()
        {
            listed.push(tree);
            keys.extend(of);
        }
        let count = if listed.is_empty() { 1 + self.below(2) } else { self.below(2) };
        for _ in 0..count {
            let ty = self.ty();
            if self.may_nest() && self.chance(10) {
                let query = self.plainly(|draw| draw.subquery(ty));
                listed.push(query.expr().mark(Feature::SubqueryGroup));
                continue;
            }
            // A number would be a position.
            let Some(column) = self.locally(|draw| draw.column(ty)) else { continue };
            keys.push((column.clone(), ty));
            listed.push(column);
        }
        if listed.is_empty() {
            listed.push(Tree::from("'one'::text"));
        }
        self.keep(keys);
        let tree = match sets {
            "" => seq![" GROUP BY ", Tree::list(listed, ", ", 1)],
            _ => seq![" GROUP BY ", sets, " (", Tree::all(listed), ")"].mark(Feature::GroupingSets),
        };
        tree.mark(Feature::GroupBy)
    }

    /// The primary key of a table, and all columns that depend on it.
    fn group_by_key(&mut self) -> Option<(Tree, Vec<(Tree, Ty)>)> {
        let at = self.scopes.len() - 1;
        let items: Vec<_> = self.scopes[at].items.iter().filter(|item| !item.key.is_empty()).cloned().collect();
        if items.is_empty() {
            return None;
        }
        let item = self.pick(&items);
        let key = item.key.iter().map(|column| self.written(at, &item, column)).collect();
        let columns = item.columns.iter().map(|column| (self.written(at, &item, &column.name), column.ty));
        let columns = columns.map(|(tree, ty)| (tree.mark(Feature::Dependent), ty)).collect();
        Some((Tree::all(key), columns))
    }

    /// The list of results, the columns that are known, and how many there are, if that is known.
    fn results(&mut self, want: &Want, shape: Shape) -> (Tree, Vec<Col>, Option<usize>) {
        if want.types.is_none()
            && matches!(shape, Shape::Plain | Shape::Windows)
            && self.chance(25)
            && let Some((tree, columns)) = self.star(want)
        {
            let width = columns.as_ref().map(Vec::len);
            return (tree, columns.unwrap_or_default(), width);
        }
        let types = match &want.types {
            Some(types) => types.clone(),
            None => (0..1 + self.below(4)).map(|_| self.ty()).collect(),
        };
        let (mut trees, mut columns) = (Vec::new(), Vec::new());
        for (at, ty) in types.iter().enumerate() {
            let (tree, name) = self.result(at, *ty, want, shape);
            trees.push(tree);
            columns.extend(name.map(|name| Col { name, ty: *ty }));
        }
        let fixed = want.types.is_some() || want.named;
        let list = if fixed { Tree::all(trees) } else { Tree::list(trees, ", ", 1) };
        (list, columns, Some(types.len()))
    }

    /// `*` or `t.*`, if the columns are known where they must be.
    fn star(&mut self, want: &Want) -> Option<(Tree, Option<Vec<Col>>)> {
        let scope = self.scopes.last()?;
        let items = scope.items.clone();
        let merges = !scope.merged.is_empty();
        if items.is_empty() {
            return None;
        }
        if self.chance(35) {
            let item = self.pick(&items);
            let alias = self.name(&item.alias);
            return Some((seq![alias, ".*"].mark(Feature::TableStar), Some(item.columns)));
        }
        let columns: Vec<_> = items.into_iter().flat_map(|item| item.columns).collect();
        let double = (1..columns.len()).any(|at| columns[..at].iter().any(|before| before.name == columns[at].name));
        if want.top && merges {
            return Some((Tree::from("*").mark(Feature::Star), None));
        }
        if merges || want.named && double {
            return None;
        }
        Some((Tree::from("*").mark(Feature::Star), Some(columns)))
    }

    fn result(&mut self, at: usize, ty: Ty, want: &Want, shape: Shape) -> (Tree, Option<String>) {
        let tree = match shape {
            Shape::Aggregated if at == 0 || self.chance(60) => self.aggregate(ty).expr(),
            Shape::Windows if at == 0 => self.window(ty).expr(),
            Shape::Plain if want.top && self.chance(5) => match self.whole_row() {
                Some(row) => row,
                None => self.leaf(ty),
            },
            _ if self.chance(40) => self.leaf(ty),
            _ => {
                let (aggregates, windows) =
                    (matches!(shape, Shape::Grouped | Shape::Aggregated), shape == Shape::Windows);
                self.allowing(aggregates, windows, |draw| draw.expr(ty))
            }
        };
        // A type that is only guessed from a literal would be another one in a set operation.
        let tree = if want.types.is_some() || want.named { seq!["(", tree, ")::", ty.name()] } else { tree };
        if !want.named && self.chance(65) {
            return (tree, None);
        }
        let name = format!("c{at}");
        let name = if want.named || self.chance(85) {
            name
        } else {
            self.pick(&["id", "name", "Odd", "two words"]).to_owned()
        };
        let written = self.name(&name);
        let keyword = self.word(&[" AS ", " as "]);
        (seq![tree, keyword, written], Some(name))
    }

    /// `DISTINCT`, and what comes last.
    fn ended(&mut self, want: &Want, shape: Shape, tail: bool, width: Option<usize>, columns: &[Col]) -> (Tree, Tree) {
        let may_compare = columns.len() == width.unwrap_or(0) || width.is_some();
        if want.single || !tail {
            return (Tree::NOTHING, Tree::NOTHING);
        }
        if shape == Shape::Plain && self.chance(4) && self.scopes.last().is_some_and(|scope| !scope.items.is_empty()) {
            let ty = self.ty();
            let on = self.column(ty).unwrap_or_else(|| Tree::from("'one'::text"));
            let order = on.clone();
            let all = (1..=width.unwrap_or(0)).map(|at| format!(", {at}")).collect::<String>();
            let tree = seq!["DISTINCT ON (", on, ") "].mark(Feature::DistinctOn);
            return (tree, seq![" ORDER BY ", order, all]);
        }
        if may_compare && self.chance(8) {
            let (order, total) = self.order_of_positions(width.unwrap_or(1), want);
            let limit = self.limit(total, want);
            return (Tree::from("DISTINCT ").optional().mark(Feature::Distinct), seq![order, limit]);
        }
        let all = self.word(&["", "", "", "", "", "", "ALL ", "/* all */ "]);
        let (order, total) = if width.is_none() || !want.in_order && self.chance(22) {
            let aggregates = matches!(shape, Shape::Grouped | Shape::Aggregated);
            let term = self.allowing(aggregates, shape == Shape::Windows, Self::order_by);
            (seq![" ORDER BY ", term].optional(), false)
        } else {
            self.order_of_positions(width.unwrap_or(1), want)
        };
        let limit = self.limit(total, want);
        let lock = if want.top && shape == Shape::Plain && self.chance(6) { self.locking() } else { Tree::NOTHING };
        (all, seq![order, limit, lock])
    }

    fn order_by(&mut self) -> Tree {
        let ty = self.ty();
        let direction = self.word(&["", " DESC", " NULLS FIRST", " USING <"]);
        if self.may_nest() && self.chance(25) {
            return seq![self.subquery(ty), direction].mark(Feature::SubqueryOrder);
        }
        // A number would be a position.
        seq!["(", self.expr(ty), ")::text", direction]
    }

    /// `FOR UPDATE` and its kin.
    fn locking(&mut self) -> Tree {
        let tables: Vec<_> = self.scopes.last().map(|scope| scope.items.clone()).unwrap_or_default();
        if !tables.iter().any(|item| item.is_table) {
            return Tree::NOTHING;
        }
        let strength = self.word(&[" FOR UPDATE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR KEY SHARE"]);
        let tables: Vec<_> = tables.into_iter().filter(|item| item.is_table).collect();
        let item = self.pick(&tables);
        let of = if tables.len() > 1 || self.chance(60) { seq![" OF ", self.name(&item.alias)] } else { Tree::NOTHING };
        seq![strength, of, self.word(&["", "", " NOWAIT", " SKIP LOCKED"])].mark(Feature::Locking).optional()
    }
}
