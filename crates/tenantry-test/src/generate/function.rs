//! Functions and aggregates.

use super::{
    Feature,
    draw::Draw,
    tree::{Tree, seq},
};
use crate::Class;

/// Functions with the classes of their arguments: `i`, `r`, `t`, `j`, and `*` for any.
const FUNCTIONS: &[(&str, &str)] = &[
    ("abs", "i"),
    ("coalesce", "**"),
    ("ifnull", "**"),
    ("nullif", "**"),
    ("iif", "***"),
    ("length", "t"),
    ("lower", "t"),
    ("upper", "t"),
    ("substr", "tii"),
    ("trim", "t"),
    ("replace", "ttt"),
    ("instr", "tt"),
    ("hex", "*"),
    ("quote", "*"),
    ("typeof", "*"),
    ("unicode", "t"),
    ("round", "r"),
    ("min", "**"),
    ("max", "**"),
    ("printf", "ti"),
    ("char", "i"),
    ("sign", "i"),
    ("likely", "*"),
    ("concat", "**"),
    ("LOWER", "t"),
];

/// Functions of JSON. They give an error for what is no JSON, so that they are asked of JSON only.
const OF_JSON: &[(&str, &str)] = &[
    ("json_valid", ""),
    ("json_type", ""),
    ("json_array_length", ""),
    ("json", ""),
    ("json_extract", ", '$.a'"),
    ("json_extract", ", '$[0]', '$.b'"),
    ("json_set", ", '$.z', 1"),
    ("json_remove", ", '$.a'"),
];

impl Draw<'_> {
    /// A call of a function.
    pub(crate) fn function(&mut self, class: Class) -> Tree {
        if class == Class::Json || self.chance(12) {
            return self.json();
        }
        let (name, of) = self.pick(FUNCTIONS);
        let arguments = of.bytes().map(|of| match of {
            b'i' => self.expr(Class::Integer),
            b'r' => self.expr(Class::Real),
            b't' => self.expr(Class::Text),
            _ => self.any_expr(),
        });
        let arguments = Tree::all(arguments.collect());
        seq![name, "(", arguments, ")"]
    }

    fn json(&mut self) -> Tree {
        let tree = match self.below(5) {
            0 => {
                let count = self.below(3);
                let items = self.exprs(count);
                seq!["json_array(", Tree::list(items, ", ", 0), ")"]
            }
            1 => {
                let value = self.any_expr();
                seq!["json_object('k', ", value, ")"]
            }
            _ => {
                let (name, rest) = self.pick(OF_JSON);
                let document = self.leaf(Class::Json);
                seq![name, "(", document, rest, ")"]
            }
        };
        tree.mark(Feature::Json)
    }

    /// A call of an aggregate.
    pub(crate) fn aggregate(&mut self) -> Tree {
        let tree = self.locally(|draw| draw.plainly(Self::aggregate_of));
        tree.mark(Feature::Aggregate)
    }

    fn aggregate_of(&mut self) -> Tree {
        let class = self.class();
        let call = match self.below(9) {
            0 | 1 => Tree::from("count(*)"),
            2 => {
                let of = self.any_expr();
                seq!["count(DISTINCT ", of, ")"]
            }
            3 | 4 => {
                let (name, of) = (self.word(&["min", "max"]), self.any_expr());
                seq![name, "(", of, ")"]
            }
            5 => {
                let of = self.expr(class);
                seq!["count(", of, ")"]
            }
            6 => {
                let (name, of) = (self.word(&["sum", "total", "avg"]), self.leaf(Class::Integer));
                seq![name, "(", of, ")"]
            }
            _ => return self.ordered(),
        };
        seq![call, self.filter()]
    }

    /// An aggregate that shows the order of its rows, unless it is told one.
    fn ordered(&mut self) -> Tree {
        let of = self.leaf(Class::Text);
        let call = self.pick(&["group_concat(", "json_group_array(", "group_concat(DISTINCT "]);
        let comma = if call == "group_concat(" && self.chance(50) { ", '-'" } else { "" };
        if self.chance(50) {
            let by = of.clone();
            return seq![call, of, comma, " ORDER BY ", by, ")", self.filter()];
        }
        seq![call, of, comma, ")", self.filter()].mark(Feature::AggregateOrdered)
    }

    /// `FILTER`, or nothing.
    pub(crate) fn filter(&mut self) -> Tree {
        if !self.chance(15) {
            return Tree::NOTHING;
        }
        let condition = self.condition();
        seq![" FILTER (WHERE ", condition, ")"].optional().mark(Feature::Filter)
    }
}
