//! What a statement makes use of, for counting and for judging it.

macro_rules! features {
    ($($name:ident $says:literal,)*; $($of_postgres:ident $it_says:literal,)*) => {
        /// Something that a statement makes use of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Feature {
            $(#[doc = $says] $name,)*
            $(#[doc = $it_says] $of_postgres,)*
        }

        impl Feature {
            /// All that statements for SQLite have.
            pub const ALL: &[Self] = &[$(Self::$name),*];
            /// Those that only statements for PostgreSQL have.
            pub const POSTGRES: &[Self] = &[$(Self::$of_postgres),*];
        }
    };
}

features! {
    Select "`SELECT`.", Values "`VALUES` as a query.", Insert "`INSERT` and `REPLACE`.", Update "`UPDATE`.", Delete "`DELETE`.",
    Transaction "`BEGIN` and its kin.", Broken "A mistake that was put in.",
    TotalOrder "An `ORDER BY` of all columns, at the top.", LimitUnordered "`LIMIT` without a total order.",
    InnerJoin "`JOIN`, `CROSS JOIN` and the comma.", LeftJoin "`LEFT JOIN`.", RightJoin "`RIGHT JOIN`.", FullJoin "`FULL JOIN`.",
    NaturalJoin "`NATURAL`.", Using "`USING`.", NestedJoin "A join between parentheses.",
    DerivedTable "A query in `FROM`.", ViewRead "A view in `FROM`.", TableFunction "`json_each`.", JoinHint "`INDEXED BY`, `NOT INDEXED`.",
    Cte "`WITH`.", CteShadow "A common table expression with the name of a table.", CteRecursive "One that is recursive.",
    CteForward "One that uses a later one.", QualifiedTable "`main.t`.", OddQuoting "Quoted identifiers, odd case.",
    Star "`*`.", TableStar "`t.*`.", Distinct "`DISTINCT`.", Compound "`UNION` and its kin.", GroupBy "`GROUP BY`.", Having "`HAVING`.",
    Aggregate "An aggregate.", AggregateOrdered "An aggregate whose result depends on the order.", Filter "`FILTER`.",
    BareColumn "A column beside aggregates.",
    Window "A window function.", NamedWindow "`WINDOW`.", RowIdColumn "`rowid`.", Scalar "A scalar subquery.", Exists "`EXISTS`.",
    InQuery "`IN (SELECT …)`.", InList "`IN (…)`.", InTable "`IN t`.", RowValue "A row value.", Correlated "A column of an outer query.",
    SubqueryGroup "A subquery in `GROUP BY`.", SubqueryOrder "A subquery in `ORDER BY`.", SubqueryLimit "A subquery in `LIMIT`.",
    Case "`CASE`.", Cast "`CAST`.", Collate "`COLLATE`.", Like "`LIKE` and `GLOB`.", Between "`BETWEEN`.", Is "`IS` and its kin.",
    Json "Functions of JSON.", Poison "What raises an error when it is evaluated.", ParameterUse "A parameter.", NamedParameter "A named parameter.",
    DefaultValues "`DEFAULT VALUES`.", InsertSelect "A query as a source of rows.", InsertMany "Several rows.", InsertNoList "No list of columns.",
    OnConflict "`OR IGNORE` and its kin.", Upsert "`ON CONFLICT`.", UpsertMany "Several `ON CONFLICT`.", Excluded "`excluded`.",
    Returning "`RETURNING`.", ReturningStar "`RETURNING *`.",
    UpdateFrom "`UPDATE … FROM`.", UpdateRow "`SET (a, b) = …`.", KeyChange "A new value of a key.",
    ;
    Lateral "`LATERAL`.", DistinctOn "`DISTINCT ON`.", GroupingSets "`ROLLUP`, `CUBE`, `GROUPING SETS`.",
    Dependent "A column that depends on the key that is grouped by.", WholeRow "A row as a value.", Array "An array.",
    ArrayQuery "`ARRAY (SELECT …)`.", AnyQuery "`ANY (SELECT …)` and `ALL`.", Time "Points in time.", Enum "A value of an enumeration.",
    Locking "`FOR UPDATE` and its kin.", DataModifyingCte "A common table expression that changes rows.",
    Merge "`MERGE`.", Sample "`TABLESAMPLE` and `ONLY`.", OnConstraint "`ON CONFLICT ON CONSTRAINT`.", SubqueryOn "A subquery in `ON`.",
    DeleteUsing "`DELETE … USING`.", GlobalTable "A table that all tenants read.",
}

impl Feature {
    /// Whether what a statement with it gives may depend on the order in which rows are met or terms are evaluated.
    pub const fn depends_on_order(self) -> bool {
        matches!(
            self,
            Self::LimitUnordered
                | Self::AggregateOrdered
                | Self::BareColumn
                | Self::Window
                | Self::InsertSelect
                | Self::OnConflict
                | Self::UpdateFrom
                | Self::KeyChange
                | Self::Scalar
                | Self::Json
                | Self::Poison
                // A count(*) that was put in makes columns bare.
                | Self::Broken
        )
    }
}
