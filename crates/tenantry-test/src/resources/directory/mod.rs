//! What any directory must do, and any store of local users.
//!
//! | module | |
//! |---|---|
//! | `people` | who there is, and an application with a directory |
//! | `suite` | signing in, on whatever the tenants' settings name |
//! | `model` | two tenants' random operations on a store of local users |

mod model;
mod people;
mod suite;

pub use self::{
    model::two_worlds,
    people::{Application, PEOPLE, fill, local, password},
    suite::directory,
};
