//! Jobs on a Redis server.
//!
//! | module | |
//! |---|---|
//! | `store` | [`RedisJobs`]: what a broker does |
//! | `open` | what a server has to be like before jobs are entrusted to it |
//! | `scripts` | the scripts, which are in `lua/`; `prelude.lua` says where things are, and how turns are taken |
//!
//! 1. Every operation is one script, which the server runs whole and alone. Whatever may fail is looked at before the first
//!    write, or is the first write: a script that fails half-way is not undone.
//! 2. All keys begin with `{prefix:jobs}:`, so that they have the same slot of a cluster, and a role needs no others. Declared is
//!    one of them, by which a cluster finds the node. The others are derived in the script, since most of them are only known
//!    there: a job says whose it is, and the turns say who is next.
//! 3. How long a script takes does not depend on how many jobs there are, but for logarithms of it: while it runs, the server
//!    does nothing else. What takes longer is done in steps. A tenant is forgotten in one, in which its sets get other names;
//!    what is left of its jobs is removed in further ones.
//! 4. When the connection is lost, nobody knows whether the last command was run. It is sent again where that is the same as
//!    once; each operation in `store` says why it is, or what happens instead.

mod open;
mod scripts;
mod store;

pub use self::store::RedisJobs;
