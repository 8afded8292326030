//! Expressions.

use sqlite3_parser::{
    ast::{self, Literal, Operator, UnaryOperator},
    dialect::TokenType as T,
};

use super::Cursor;
use crate::{
    Code, Ident, Refused,
    ir::{ColumnRef, Expr, Function, Shape, Site, TableRef},
};

impl Cursor<'_> {
    pub(crate) fn expr(&mut self, tree: &ast::Expr<'_>) -> Result<Expr, Refused> {
        let (start, mut sites) = (self.start(), Vec::new());
        self.sites(tree, &mut sites)?;
        Ok(Expr { span: self.since(start), shape: shape(tree), sites })
    }

    /// Walks an expression, and adds what it names to `sites`.
    pub(super) fn sites(&mut self, tree: &ast::Expr<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        self.deeper(|cursor| cursor.sites_of(tree, sites))
    }

    fn sites_of(&mut self, tree: &ast::Expr<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        use ast::Expr as E;
        match tree {
            E::Binary(..) => self.binary(tree, sites),
            E::Unary(operator, operand) => {
                self.expect(unary(*operator))?;
                self.sites(operand, sites)
            }
            E::Between { lhs, not, start, end } => {
                self.sites(lhs, sites)?;
                self.not(*not)?;
                self.expect(T::TK_BETWEEN)?;
                self.sites(start, sites)?;
                self.expect(T::TK_AND)?;
                self.sites(end, sites)
            }
            E::Like { lhs, not, op, rhs, escape } => {
                self.sites(lhs, sites)?;
                self.not(*not)?;
                self.like(*op, sites)?;
                self.sites(rhs, sites)?;
                escape.iter().try_for_each(|escape| {
                    self.expect(T::TK_ESCAPE)?;
                    self.sites(escape, sites)
                })
            }
            E::IsNull(operand) => {
                self.sites(operand, sites)?;
                self.expect(T::TK_ISNULL).map(drop)
            }
            E::NotNull(operand) => {
                self.sites(operand, sites)?;
                match self.accept(T::TK_NOTNULL) {
                    Some(_) => Ok(()),
                    None => self.expect_all(&[T::TK_NOT, T::TK_NULL]),
                }
            }
            E::Collate(operand, collation) => {
                self.sites(operand, sites)?;
                self.expect(T::TK_COLLATE)?;
                self.ident(collation).map(drop)
            }
            E::Cast { expr, type_name } => {
                self.expect_all(&[T::TK_CAST, T::TK_LP])?;
                self.sites(expr, sites)?;
                self.expect(T::TK_AS)?;
                type_name.iter().try_for_each(|name| self.type_name(name))?;
                self.expect(T::TK_RP).map(drop)
            }
            E::Case { base, when_then_pairs, else_expr } => {
                self.expect(T::TK_CASE)?;
                base.iter().try_for_each(|base| self.sites(base, sites))?;
                for (when, then) in *when_then_pairs {
                    self.expect(T::TK_WHEN)?;
                    self.sites(when, sites)?;
                    self.expect(T::TK_THEN)?;
                    self.sites(then, sites)?;
                }
                if let Some(otherwise) = else_expr {
                    self.expect(T::TK_ELSE)?;
                    self.sites(otherwise, sites)?;
                }
                self.expect(T::TK_END).map(drop)
            }
            E::Parenthesized(exprs) => {
                self.expect(T::TK_LP)?;
                self.all_sites(exprs.iter(), sites)?;
                self.expect(T::TK_RP).map(drop)
            }
            E::Literal(literal) => self.literal(literal),
            E::Variable(raw) => self.parameter(raw),
            E::Id(name) => self.column(None, None, name.0, sites),
            E::Name(name) => self.column(None, None, name.0, sites),
            E::Qualified(table, name) => self.column(None, Some(table.0), name.0, sites),
            E::DoublyQualified(schema, table, name) => self.column(Some(schema.0), Some(table.0), name.0, sites),
            E::FunctionCall { name, distinctness, args, order_by, filter_over } => {
                self.function(name.0, sites)?;
                self.distinctness(distinctness.as_ref())?;
                self.all_sites(args.iter().flat_map(|args| args.iter()), sites)?;
                match order_by {
                    Some(ast::FunctionCallOrder::SortList(terms)) => self.order_by(terms, sites)?,
                    None => {}
                }
                self.expect(T::TK_RP)?;
                self.function_tail(filter_over.as_ref(), sites)
            }
            E::FunctionCallStar { name, filter_over } => {
                self.function(name.0, sites)?;
                self.expect_all(&[T::TK_STAR, T::TK_RP])?;
                self.function_tail(filter_over.as_ref(), sites)
            }
            E::Exists(query) => {
                self.expect(T::TK_EXISTS)?;
                self.subquery(query, sites)
            }
            E::Subquery(query) => self.subquery(query, sites),
            E::InSelect { lhs, not, rhs } => {
                self.in_operator(lhs, *not, sites)?;
                self.subquery(rhs, sites)
            }
            E::InList { lhs, not, rhs } => {
                self.in_operator(lhs, *not, sites)?;
                self.expect(T::TK_LP)?;
                self.all_sites(rhs.iter().flat_map(|rhs| rhs.iter()), sites)?;
                self.expect(T::TK_RP).map(drop)
            }
            E::InTable { lhs, not, rhs, args } => {
                self.in_operator(lhs, *not, sites)?;
                self.in_table(rhs, args.is_some(), sites)
            }
            E::Raise(kind, message) => self.raise(*kind, *message, sites),
        }
    }

    /// Walks the elements of a list, with the commas between them.
    pub(super) fn all_sites<'a, 'b: 'a>(
        &mut self,
        exprs: impl IntoIterator<Item = &'a ast::Expr<'b>>,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        self.list(exprs, |cursor, expr| cursor.sites(expr, sites)).map(drop)
    }

    /// Chains such as `a AND b AND c` lean to the left; they are walked without a call for each.
    fn binary(&mut self, tree: &ast::Expr<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        let (mut leftmost, mut chain) = (tree, Vec::new());
        while let ast::Expr::Binary(left, operator, right) = leftmost {
            chain.push((*operator, *right));
            leftmost = left;
        }
        self.sites(leftmost, sites)?;
        chain.into_iter().rev().try_for_each(|(operator, right)| {
            self.operator(operator)?;
            self.sites(right, sites)
        })
    }

    fn operator(&mut self, operator: Operator) -> Result<(), Refused> {
        match operator {
            Operator::Is => {
                self.expect(T::TK_IS)?;
                let distinct = self.peek() == Some(T::TK_NOT) && self.peek_after(1) == Some(T::TK_DISTINCT);
                if distinct { self.expect_all(&[T::TK_NOT, T::TK_DISTINCT, T::TK_FROM]) } else { Ok(()) }
            }
            Operator::IsNot => {
                self.expect(T::TK_IS)?;
                match self.accept(T::TK_NOT) {
                    Some(_) => Ok(()),
                    None => self.expect_all(&[T::TK_DISTINCT, T::TK_FROM]),
                }
            }
            other => self.expect(sign(other)).map(drop),
        }
    }

    /// `MATCH` and `REGEXP` call functions that the application brings along.
    fn like(&mut self, operator: ast::LikeOperator, sites: &mut Vec<Site>) -> Result<(), Refused> {
        let (kind, function) = match operator {
            ast::LikeOperator::Like | ast::LikeOperator::Glob => (T::TK_LIKE_KW, None),
            ast::LikeOperator::Regexp => (T::TK_LIKE_KW, Some("regexp")),
            ast::LikeOperator::Match => (T::TK_MATCH, Some("match")),
        };
        let span = self.expect(kind)?;
        sites.extend(function.map(|name| {
            Site::Function(Function { schema: None, name: Ident { name: name.into(), span }, literal: None })
        }));
        Ok(())
    }

    fn not(&mut self, not: bool) -> Result<(), Refused> {
        if not { self.expect(T::TK_NOT).map(drop) } else { Ok(()) }
    }

    fn in_operator(&mut self, operand: &ast::Expr<'_>, not: bool, sites: &mut Vec<Site>) -> Result<(), Refused> {
        self.sites(operand, sites)?;
        self.not(not)?;
        self.expect(T::TK_IN).map(drop)
    }

    fn in_table(
        &mut self,
        name: &ast::QualifiedName<'_>,
        arguments: bool,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        let table = self.qualified_name(name)?;
        if arguments || self.peek() == Some(T::TK_LP) {
            let construct = format!("{} with arguments after IN", table.name.name.quoted());
            return Err(self.refuse(Code::Unknown, construct, table.span));
        }
        sites.push(Site::InTable(table));
        Ok(())
    }

    /// Schema and name.
    pub(super) fn qualified_name(&mut self, name: &ast::QualifiedName<'_>) -> Result<TableRef, Refused> {
        let start = self.start();
        let schema = name.db_name.as_ref().map(|schema| {
            let schema = self.name(schema)?;
            self.expect(T::TK_DOT)?;
            Ok(schema)
        });
        let schema = schema.transpose()?;
        let ident = self.name(&name.name)?;
        let span = self.since(start);
        Ok(TableRef {
            span,
            named: span,
            schema,
            name: ident,
            alias: None,
            columns: Vec::new(),
            hint: None,
            sample: None,
        })
    }

    fn subquery(&mut self, query: &ast::Select<'_>, sites: &mut Vec<Site>) -> Result<(), Refused> {
        self.expect(T::TK_LP)?;
        sites.push(Site::Query(self.query(query)?));
        self.expect(T::TK_RP).map(drop)
    }

    fn column(
        &mut self,
        schema: Option<&str>,
        table: Option<&str>,
        name: &str,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        let start = self.start();
        let mut qualifier = |raw: Option<&str>| {
            let ident = raw.map(|raw| {
                let ident = self.ident(raw)?;
                self.expect(T::TK_DOT)?;
                Ok(ident)
            });
            ident.transpose()
        };
        let (schema, table) = (qualifier(schema)?, qualifier(table)?);
        let name = self.ident(name)?;
        sites.push(Site::Column(ColumnRef { span: self.since(start), schema, table, name }));
        Ok(())
    }

    /// The name and the opening parenthesis.
    fn function(&mut self, name: &str, sites: &mut Vec<Site>) -> Result<(), Refused> {
        let name = self.ident(name)?;
        self.expect(T::TK_LP)?;
        sites.push(Site::Function(Function { schema: None, name, literal: None }));
        Ok(())
    }

    fn parameter(&mut self, raw: &str) -> Result<(), Refused> {
        // The tree leaves the question mark out.
        let written = if raw.starts_with([':', '@', '$']) {
            self.expect_text(raw)?
        } else if self.peek_text().strip_prefix('?') == Some(raw) {
            self.expect(T::TK_VARIABLE)?
        } else {
            return Err(self.misaligned());
        };
        self.parameters.push(written);
        Ok(())
    }

    fn literal(&mut self, literal: &Literal<'_>) -> Result<(), Refused> {
        let kind = match literal {
            Literal::Numeric(_) => {
                return match self.accept(T::TK_INTEGER) {
                    Some(_) => Ok(()),
                    None => self.expect(T::TK_FLOAT).map(drop),
                };
            }
            Literal::String(_) => T::TK_STRING,
            Literal::Blob(_) => T::TK_BLOB,
            Literal::Null => T::TK_NULL,
            Literal::CurrentDate | Literal::CurrentTime | Literal::CurrentTimestamp => T::TK_CTIME_KW,
            Literal::Keyword(raw) => return self.expect_text(raw).map(drop),
        };
        self.expect(kind).map(drop)
    }

    fn raise(
        &mut self,
        kind: ast::ResolveType,
        message: Option<&ast::Expr<'_>>,
        sites: &mut Vec<Site>,
    ) -> Result<(), Refused> {
        let span = self.expect(T::TK_RAISE)?;
        sites.push(Site::Raise(span));
        self.expect(T::TK_LP)?;
        self.expect(resolve_type(kind))?;
        if let Some(message) = message {
            self.expect(T::TK_COMMA)?;
            self.sites(message, sites)?;
        }
        self.expect(T::TK_RP).map(drop)
    }

    /// The words of a type, and the numbers after them.
    pub(crate) fn type_name(&mut self, name: &ast::Type<'_>) -> Result<(), Refused> {
        let mut rest = name.name;
        while !rest.is_empty() {
            let word = self.peek_text();
            let Some(after) = rest.strip_prefix(word).filter(|_| !word.is_empty()) else {
                return Err(self.misaligned());
            };
            self.expect_text(word)?;
            rest = after.trim_start();
        }
        match &name.size {
            None => Ok(()),
            Some(ast::TypeSize::MaxSize(size)) => self.sizes(&[size]),
            Some(ast::TypeSize::TypeSize(first, second)) => self.sizes(&[first, second]),
        }
    }

    fn sizes(&mut self, sizes: &[&ast::Expr<'_>]) -> Result<(), Refused> {
        self.expect(T::TK_LP)?;
        self.all_sites(sizes.iter().copied(), &mut Vec::new())?;
        self.expect(T::TK_RP).map(drop)
    }
}

fn shape(tree: &ast::Expr<'_>) -> Shape {
    use ast::Expr as E;
    match tree {
        E::Id(_) | E::Name(_) | E::Qualified(..) | E::DoublyQualified(..) => Shape::Column,
        E::Literal(Literal::Null) => Shape::Null,
        E::Literal(Literal::Numeric(number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => Shape::Integer,
        // SQLite ignores parentheres around one expression, also when it names a result.
        E::Parenthesized(exprs) => match exprs.as_slice() {
            [one] => shape(one),
            _ => Shape::Other,
        },
        _ => Shape::Other,
    }
}

const fn unary(operator: UnaryOperator) -> T {
    match operator {
        UnaryOperator::BitwiseNot => T::TK_BITNOT,
        UnaryOperator::Negative => T::TK_MINUS,
        UnaryOperator::Not => T::TK_NOT,
        UnaryOperator::Positive => T::TK_PLUS,
    }
}

const fn sign(operator: Operator) -> T {
    match operator {
        Operator::Add => T::TK_PLUS,
        Operator::And => T::TK_AND,
        Operator::ArrowRight | Operator::ArrowRightShift => T::TK_PTR,
        Operator::BitwiseAnd => T::TK_BITAND,
        Operator::BitwiseOr => T::TK_BITOR,
        Operator::Concat => T::TK_CONCAT,
        Operator::Equals => T::TK_EQ,
        Operator::Divide => T::TK_SLASH,
        Operator::Greater => T::TK_GT,
        Operator::GreaterEquals => T::TK_GE,
        Operator::Is | Operator::IsNot => T::TK_IS,
        Operator::LeftShift => T::TK_LSHIFT,
        Operator::Less => T::TK_LT,
        Operator::LessEquals => T::TK_LE,
        Operator::Modulus => T::TK_REM,
        Operator::Multiply => T::TK_STAR,
        Operator::NotEquals => T::TK_NE,
        Operator::Or => T::TK_OR,
        Operator::RightShift => T::TK_RSHIFT,
        Operator::Subtract => T::TK_MINUS,
    }
}

pub(super) const fn resolve_type(kind: ast::ResolveType) -> T {
    match kind {
        ast::ResolveType::Rollback => T::TK_ROLLBACK,
        ast::ResolveType::Abort => T::TK_ABORT,
        ast::ResolveType::Fail => T::TK_FAIL,
        ast::ResolveType::Ignore => T::TK_IGNORE,
        ast::ResolveType::Replace => T::TK_REPLACE,
    }
}
