//! Settings of the connection: V6.

use pg_query::{
    NodeEnum,
    protobuf::{AConst, Node, VariableSetKind as Kind, VariableSetStmt, a_const::Val},
};

use super::settings;

/// Whether a setting may be set or reset, or is set to what it is pinned to.
pub(super) fn may_set(set: &VariableSetStmt) -> bool {
    let VariableSetStmt { kind: _, name, args, jumble_args: _, is_local: _, location: _ } = set;
    let pinned = match args.as_slice() {
        [Node { node: Some(NodeEnum::AConst(AConst { val: Some(Val::Sval(value)), .. })) }] => {
            settings::is_pinned_to(name, &value.sval)
        }
        _ => false,
    };
    match set.kind() {
        Kind::VarSetValue => pinned || settings::may_set(name),
        Kind::VarSetDefault | Kind::VarReset => settings::may_set(name),
        Kind::VarSetMulti => name == "TRANSACTION" || name == "SESSION CHARACTERISTICS",
        Kind::Undefined | Kind::VarSetCurrent | Kind::VarResetAll => false,
    }
}
