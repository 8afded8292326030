//! The front: from a connection to an application, through all layers.

mod connected;
mod stack;

pub(crate) use self::stack::Layers;
pub use self::{connected::Connected, stack::Front};
