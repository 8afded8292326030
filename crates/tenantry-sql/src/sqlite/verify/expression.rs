//! Expressions, in whatever clause.

use sqlite3_parser::ast::{
    Distinctness, Expr, FrameBound, FunctionCallOrder, FunctionTail, LikeOperator, Literal, Operator, Over,
    QualifiedName, Type, TypeSize, UnaryOperator as U, Window,
};

use super::{
    Checked,
    names::{is_reserved, plain, unquoted},
    no,
    walk::Walk,
};
use crate::{Refused, sqlite::functions};

impl Walk<'_> {
    pub(super) fn exprs(&mut self, exprs: &[Expr<'_>]) -> Checked {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    pub(super) fn optional(&mut self, expr: Option<&Expr<'_>>) -> Checked {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    pub(super) fn expr(&mut self, expr: &Expr<'_>) -> Checked {
        self.enter()?;
        // Long chains, `a OR b OR …`, lean to the left: they are followed, not descended into.
        let mut next = Some(expr);
        while let Some(expr) = next {
            next = self.node(expr)?;
        }
        self.leave();
        Ok(())
    }

    /// Checks all of it but its first operand, which is the result.
    fn node<'e, 'bump>(&mut self, expr: &'e Expr<'bump>) -> Result<Option<&'e Expr<'bump>>, Refused> {
        match expr {
            Expr::Between { lhs, not: _, start, end } => {
                self.expr(start)?;
                self.expr(end)?;
                return Ok(Some(lhs));
            }
            Expr::Binary(left, operator, right) => {
                known(*operator);
                self.expr(right)?;
                return Ok(Some(left));
            }
            Expr::Like { lhs, not: _, op, rhs, escape } => {
                like(*op)?;
                self.expr(rhs)?;
                self.optional(*escape)?;
                return Ok(Some(lhs));
            }
            Expr::Collate(of, collation) => {
                plain(collation)?;
                return Ok(Some(of));
            }
            Expr::Cast { expr, type_name } => {
                type_name.as_ref().map_or(Ok(()), type_of)?;
                return Ok(Some(expr));
            }
            Expr::IsNull(of)
            | Expr::NotNull(of)
            | Expr::Unary(U::BitwiseNot | U::Negative | U::Not | U::Positive, of) => return Ok(Some(of)),
            Expr::InList { lhs, not: _, rhs } => {
                self.exprs(rhs.unwrap_or_default())?;
                return Ok(Some(lhs));
            }
            Expr::InSelect { lhs, not: _, rhs } => {
                self.select(rhs)?;
                return Ok(Some(lhs));
            }
            Expr::InTable { lhs, not: _, rhs, args } => {
                self.in_table(rhs, *args)?;
                return Ok(Some(lhs));
            }
            Expr::Parenthesized(exprs) => self.exprs(exprs)?,
            Expr::Case { base, when_then_pairs, else_expr } => self.case(*base, when_then_pairs, *else_expr)?,
            Expr::Exists(select) | Expr::Subquery(select) => self.select(select)?,
            Expr::FunctionCall { name, distinctness, args, order_by, filter_over } => {
                let bare = distinctness.is_none() && order_by.is_none() && filter_over.is_none();
                match distinctness {
                    Some(Distinctness::Distinct | Distinctness::All) | None => {}
                }
                self.function(name.0, args.unwrap_or_default(), bare)?;
                match order_by {
                    Some(FunctionCallOrder::SortList(terms)) => self.order_by(Some(terms))?,
                    None => {}
                }
                self.tail(filter_over.as_ref())?;
            }
            Expr::FunctionCallStar { name, filter_over } => {
                self.function(name.0, &[], false)?;
                self.tail(filter_over.as_ref())?;
            }
            Expr::Id(id) => self.column(id.0)?,
            Expr::Qualified(table, column) => {
                plain(table.0)?;
                self.column(column.0)?;
            }
            Expr::Variable(variable) if self.is_parameter(variable) => {
                return no("tenant: its parameter stands where it is not expected");
            }
            Expr::Variable(_) => {}
            Expr::Literal(literal) => literal_of(literal)?,
            Expr::Raise(_, message) if self.in_trigger() => self.optional(*message)?,
            Expr::Raise(..) => return no("expression: RAISE outside of a trigger"),
            Expr::DoublyQualified(..) => return no("expression: a column with a schema"),
            Expr::Name(_) => return no("expression: a word that is no column"),
        }
        Ok(None)
    }

    fn case(
        &mut self,
        base: Option<&Expr<'_>>,
        pairs: &[(Expr<'_>, Expr<'_>)],
        otherwise: Option<&Expr<'_>>,
    ) -> Checked {
        self.optional(base)?;
        for (when, then) in pairs {
            self.expr(when)?;
            self.expr(then)?;
        }
        self.optional(otherwise)
    }

    /// `x IN t`: a `FROM` in disguise.
    fn in_table(&mut self, name: &QualifiedName<'_>, arguments: Option<&[Expr<'_>]>) -> Checked {
        match arguments {
            Some(arguments) => {
                self.table_function(name)?;
                self.exprs(arguments)
            }
            None if name.db_name.is_some() => no("expression: IN with a table"),
            None => self.cte(&unquoted(name.name.0)),
        }
    }

    /// V6: functions of the list, and two of Tenantry's own. `bare`: nothing but arguments is given.
    fn function(&mut self, token: &str, arguments: &[Expr<'_>], bare: bool) -> Checked {
        let name = unquoted(token);
        if is_reserved(&name) {
            let known = match arguments {
                [_] => name.eq_ignore_ascii_case("_tenantry_row_id"),
                [Expr::Literal(Literal::Numeric(number)), _] => {
                    name.eq_ignore_ascii_case("_tenantry_new_id") && number.bytes().all(|byte| byte.is_ascii_digit())
                }
                _ => false,
            };
            if !(known && bare) {
                return no("function: it is Tenantry's own");
            }
            self.accepted.reserved += 1;
        } else if !functions::is_allowed(&name) {
            return no("function: it is not known to be harmless");
        }
        self.exprs(arguments)
    }

    fn tail(&mut self, tail: Option<&FunctionTail<'_>>) -> Checked {
        let Some(FunctionTail { filter_clause, over_clause }) = tail else { return Ok(()) };
        self.optional(*filter_clause)?;
        match over_clause {
            Some(Over::Window(window)) => self.window(window),
            Some(Over::Name(name)) => plain(name.0),
            None => Ok(()),
        }
    }

    pub(super) fn window(&mut self, window: &Window<'_>) -> Checked {
        let Window { base, partition_by, order_by, frame_clause } = window;
        base.as_ref().map_or(Ok(()), |name| plain(name.0))?;
        self.exprs(partition_by.unwrap_or_default())?;
        self.order_by(*order_by)?;
        if let Some(frame) = frame_clause {
            self.bound(&frame.start)?;
            frame.end.as_ref().map_or(Ok(()), |end| self.bound(end))?;
        }
        Ok(())
    }

    fn bound(&mut self, bound: &FrameBound<'_>) -> Checked {
        match bound {
            FrameBound::Following(expr) | FrameBound::Preceding(expr) => self.expr(expr),
            FrameBound::CurrentRow | FrameBound::UnboundedFollowing | FrameBound::UnboundedPreceding => Ok(()),
        }
    }
}

/// All operators there are; none of them reaches a table. One that is new stops the build here.
const fn known(operator: Operator) {
    use Operator as O;
    match operator {
        O::Add | O::And | O::ArrowRight | O::ArrowRightShift | O::BitwiseAnd | O::BitwiseOr | O::Concat | O::Divide => {
        }
        O::Equals | O::Greater | O::GreaterEquals | O::Is | O::IsNot | O::LeftShift | O::Less | O::LessEquals => {}
        O::Modulus | O::Multiply | O::NotEquals | O::Or | O::RightShift | O::Subtract => {}
    }
}

/// These operators are calls of functions.
fn like(operator: LikeOperator) -> Checked {
    let function = match operator {
        LikeOperator::Glob => "glob",
        LikeOperator::Like => "like",
        LikeOperator::Match => "match",
        LikeOperator::Regexp => "regexp",
    };
    if functions::is_allowed(function) { Ok(()) } else { no("function: it is not known to be harmless") }
}

fn type_of(of: &Type<'_>) -> Checked {
    if of.name.split(' ').any(|word| is_reserved(&unquoted(word))) {
        return no("name: it is reserved");
    }
    match of.size {
        Some(TypeSize::MaxSize(_) | TypeSize::TypeSize(..)) | None => Ok(()),
    }
}

fn literal_of(literal: &Literal<'_>) -> Checked {
    match literal {
        Literal::Numeric(_)
        | Literal::String(_)
        | Literal::Blob(_)
        | Literal::Null
        | Literal::CurrentDate
        | Literal::CurrentTime
        | Literal::CurrentTimestamp => Ok(()),
        Literal::Keyword(_) => no("expression: a keyword"),
    }
}
