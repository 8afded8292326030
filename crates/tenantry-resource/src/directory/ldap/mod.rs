//! Directories on servers that speak LDAP.
//!
//! A sign-in is a conversation on one connection: bind as the account that searches, find the one entry with the login
//! name, bind as that entry with the password, and bind as the account again to read the groups. A connection that was
//! bound as a person is never used for another conversation before it was bound as the account again.
//!
//! | module | |
//! |---|---|
//! | `servers` | a [`Server`](server::Server) for each tenant that has one |
//! | `server` | who may ask it at once, and when it is left alone |
//! | `conversation` | what is said |
//! | `connection` | connecting, binding, searching, each in bounded time |
//! | `idle` | connections between two conversations |
//! | `target` | what the settings say, checked |
//! | `filter` | filters and names, escaped |
//! | `entry` | a person from an entry, roles from groups |
//! | `fault` | what goes wrong, and whose fault it is |

mod connection;
mod conversation;
mod entry;
mod fault;
mod filter;
mod idle;
mod server;
mod servers;
mod target;

pub(super) use self::servers::Servers;
