//! V3: names, wherever they stand.

use pg_query::{
    NodeEnum,
    protobuf::{Alias, Node, TypeName},
};

use super::{super::types, Reader, unverified};
use crate::{Name, Refused};

/// The system columns, which a leaf does not have.
const SYSTEM: [&str; 6] = ["ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"];

impl Reader<'_> {
    pub(super) fn name(&self, name: &str) -> Result<(), Refused> {
        if Name::exact(name).is_reserved() || SYSTEM.contains(&name) {
            return Err(unverified(format!("name {}", crate::Quoted::new(name))));
        }
        Ok(())
    }

    pub(super) fn names(&self, nodes: &[Node]) -> Result<(), Refused> {
        nodes.iter().try_for_each(|node| match &node.node {
            Some(NodeEnum::String(string)) => self.name(&string.sval),
            _ => Err(unverified("something in the place of a name")),
        })
    }

    pub(super) fn alias(&self, alias: Option<&Alias>) -> Result<(), Refused> {
        let Some(Alias { aliasname, colnames }) = alias else { return Ok(()) };
        self.name(aliasname)?;
        self.names(colnames)
    }

    /// The last part of a name that is built in.
    pub(super) fn built_in<'n>(&self, nodes: &'n [Node]) -> Result<&'n str, Refused> {
        let parts = nodes.iter().map(|node| match &node.node {
            Some(NodeEnum::String(string)) => Some(string.sval.as_str()),
            _ => None,
        });
        match parts.collect::<Option<Vec<_>>>().as_deref() {
            Some([name] | ["pg_catalog", name]) => Ok(name),
            _ => Err(unverified("something of another schema")),
        }
    }

    /// The name of a function or a type, with its schema.
    pub(super) fn qualified<'n>(&self, nodes: &'n [Node]) -> Result<(Option<&'n str>, &'n str), Refused> {
        self.names(nodes)?;
        let parts = nodes.iter().map(|node| match &node.node {
            Some(NodeEnum::String(string)) => Some(string.sval.as_str()),
            _ => None,
        });
        match parts.collect::<Option<Vec<_>>>().as_deref() {
            Some([name]) => Ok((None, name)),
            Some([schema, name]) => Ok((Some(schema), name)),
            _ => Err(unverified("a name of this kind")),
        }
    }

    pub(super) fn type_name(&self, name: Option<&TypeName>) -> Result<(), Refused> {
        let Some(TypeName { names, setof, pct_type, typmods, type_oid: _, typemod: _, array_bounds: _, location: _ }) =
            name
        else {
            return Err(unverified("a type without a name"));
        };
        let constant = |typmod: &Node| matches!(typmod.node, Some(NodeEnum::AConst(_)));
        let (schema, name) = self.qualified(names)?;
        let known = types::may_name(schema, name, self.schema);
        if *setof || *pct_type || !typmods.iter().all(constant) || !known {
            return Err(unverified("a type"));
        }
        Ok(())
    }
}
