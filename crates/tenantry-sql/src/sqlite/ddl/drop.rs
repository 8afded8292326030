//! `DROP …`, for all tenants at once.

use super::{
    Change, ChangeKind, Conversion, Step,
    definition::{Drop, Dropped},
    key,
    words::Words,
};
use crate::{Code, Refused, Relation};

pub(super) fn drop(drop: &Drop, words: &Words<'_>, conversion: &Conversion<'_>) -> Result<Change, Refused> {
    conversion.in_main(&drop.name, words.text)?;
    let name = drop.name.name.name.clone();
    let if_exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let statement = |what| Step::Run(format!("DROP {what} {if_exists}\"main\".{}", name.quoted()));
    let missing = |what: &str| {
        let refused = Refused::new(Code::Relation, format!("{what} {}", name.quoted()));
        if drop.if_exists {
            Ok(Change::new(ChangeKind::Nothing, []))
        } else {
            Err(refused.at(words.text, drop.name.named))
        }
    };
    Ok(match (drop.kind, conversion.schema.relation(&name)) {
        (Dropped::Index, _) => Change::new(ChangeKind::DropIndex { name: name.clone() }, [statement("INDEX")]),
        (Dropped::Trigger, _) => {
            // It may be one that waits until it can be converted.
            let step = Step::Run(format!("DROP TRIGGER IF EXISTS \"main\".{}", name.quoted()));
            Change::new(ChangeKind::DropTrigger { name: name.clone() }, [step])
        }
        (Dropped::View, Some(Relation::View(_))) => Change::new(ChangeKind::DropView { name }, []),
        (Dropped::View, Some(Relation::Tenant(_) | Relation::Global(_)) | None) => return missing("view"),
        (Dropped::Table, Some(Relation::Tenant(table))) => {
            let release = key::release(table, conversion);
            let steps = release.into_iter().chain(key::drop_triggers(table)).chain([statement("TABLE")]);
            Change::new(ChangeKind::DropTable { name: name.clone() }, steps)
        }
        (Dropped::Table, Some(Relation::Global(_))) => {
            Change::new(ChangeKind::DropTable { name: name.clone() }, [statement("TABLE")])
        }
        (Dropped::Table, Some(Relation::View(_)) | None) => return missing("table"),
    })
}
