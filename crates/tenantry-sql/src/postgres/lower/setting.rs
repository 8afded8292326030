//! Settings of the connection.

use pg_query::{
    NodeEnum,
    protobuf::{ConstraintsSetStmt, Node, VariableSetKind, VariableSetStmt, VariableShowStmt, a_const},
};

use super::{super::settings, Lowering};
use crate::{Code, Refused, ir::Setting};

impl Lowering<'_> {
    /// `SET` and `RESET`.
    pub(super) fn set(&self, set: &VariableSetStmt) -> Result<Setting, Refused> {
        use VariableSetKind as K;
        let VariableSetStmt { kind: _, name, args, jumble_args: _, is_local, location } = set;
        let harmless = match set.kind() {
            K::VarSetValue => settings::may_set(name) || is_pinned(name, args),
            K::VarSetDefault | K::VarReset => settings::may_set(name),
            // Modes of transactions.
            K::VarSetMulti => matches!(name.as_str(), "TRANSACTION" | "SESSION CHARACTERISTICS"),
            K::VarResetAll | K::VarSetCurrent | K::Undefined => false,
        };
        if !harmless {
            return Err(self.refuse(Code::Setting, format!("SET or RESET of {}", crate::Quoted::new(name)), *location));
        }
        let transaction = *is_local || name == "TRANSACTION";
        Ok(if transaction { Setting::Transaction } else { Setting::Connection })
    }

    /// `SHOW`.
    pub(super) fn show(&self, show: &VariableShowStmt) -> Result<Setting, Refused> {
        let VariableShowStmt { name } = show;
        if settings::may_read(name) {
            return Ok(Setting::Show);
        }
        Err(self.refuse(Code::Setting, format!("SHOW {}", crate::Quoted::new(name)), -1))
    }

    /// `SET CONSTRAINTS`, which would look names up where the shared tables are not.
    pub(super) fn set_constraints(&self, set: &ConstraintsSetStmt) -> Result<Setting, Refused> {
        let ConstraintsSetStmt { constraints, deferred: _ } = set;
        if constraints.is_empty() {
            return Ok(Setting::Transaction);
        }
        Err(self.refuse(Code::Unknown, "SET CONSTRAINTS by name", -1).hint("write SET CONSTRAINTS ALL"))
    }
}

/// Whether the setting is pinned to this value anyway.
fn is_pinned(name: &str, values: &[Node]) -> bool {
    let [Node { node: Some(NodeEnum::AConst(value)) }] = values else { return false };
    match &value.val {
        Some(a_const::Val::Sval(text)) => settings::is_pinned_to(name, &text.sval),
        _ => false,
    }
}
