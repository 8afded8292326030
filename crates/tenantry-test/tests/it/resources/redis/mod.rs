//! What is particular about Redis: what is left on the server, and what happens when that is away.

mod faults;
mod generation;
mod raw;
