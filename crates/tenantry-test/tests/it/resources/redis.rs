//! What is particular about Redis.
