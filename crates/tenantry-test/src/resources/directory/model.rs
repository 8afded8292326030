//! Two tenants' random operations on a store of local users, against a model in which each has a world of its own.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use tenantry_core::{Status, Tenant, Unscoped};
use tenantry_resource::directory::{LocalOptions, LocalUserError, LocalUsers, Person, TenantUsers, UserStore};

use crate::resources::World;

/// What may happen. The first number says to whom, the second is a name, the third a password or a role.
#[derive(Clone, Debug)]
enum Op {
    Add(usize, usize, usize),
    SetPassword(usize, usize, usize),
    SetRoles(usize, usize, usize),
    Remove(usize, usize),
    SignIn(usize, usize, usize),
    Forget(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let (who, name, word) = (0..2_usize, 0..NAMES.len(), 0..WORDS.len());
    let one = (who.clone(), name.clone(), word);
    prop_oneof![
        6 => one.clone().prop_map(|(who, name, word)| Op::Add(who, name, word)),
        2 => one.clone().prop_map(|(who, name, word)| Op::SetPassword(who, name, word)),
        2 => one.clone().prop_map(|(who, name, word)| Op::SetRoles(who, name, word)),
        2 => (who.clone(), name).prop_map(|(who, name)| Op::Remove(who, name)),
        8 => one.prop_map(|(who, name, word)| Op::SignIn(who, name, word)),
        1 => who.prop_map(Op::Forget),
    ]
}

/// Names that something careless would take for each other.
const NAMES: [&str; 6] = ["ann", "Ann", "ann%", "an_", "é", "e\u{301}"];

const WORDS: [&str; 4] = ["hush", "Hush", "hush ", "\u{0}"];

/// How many users a tenant may have here: fewer than there are names.
const USERS_MAX: u64 = 4;

/// One tenant's users: their passwords and their roles.
type Own = BTreeMap<&'static str, (&'static str, Vec<&'static str>)>;

/// Runs `cases` sequences of operations on a store without users.
pub async fn two_worlds(world: &World, store: Arc<dyn UserStore>, cases: u32) {
    let mut options = LocalOptions::default();
    (options.hash_memory_kib, options.hash_passes, options.users_max) = (8, 1, USERS_MAX);
    let local = LocalUsers::new(store, options).unwrap();
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..cases {
        let ops = vec(op(), 1..40).new_tree(&mut runner).unwrap().current();
        let tenants = ["acme", "globex"].map(|name| world.scope(name).tenant().clone());
        let mut model = Model { local: &local, tenants, own: Default::default() };
        for (number, op) in ops.iter().enumerate() {
            model.step(op).await;
            for who in 0..2 {
                model.compare(who, &ops[..=number]).await;
            }
        }
        model.step(&Op::Forget(0)).await;
        model.step(&Op::Forget(1)).await;
    }
}

struct Model<'a> {
    local: &'a LocalUsers,
    tenants: [Tenant; 2],
    own: [Own; 2],
}

impl Model<'_> {
    fn users(&self, who: usize) -> TenantUsers {
        assert_eq!(self.tenants[who].status, Status::Active);
        self.local.of(&self.tenants[who], WHY())
    }

    async fn step(&mut self, op: &Op) {
        match *op {
            Op::Add(who, name, word) => self.add(who, NAMES[name], WORDS[word]).await,
            Op::SetPassword(who, name, word) => {
                let outcome = self.users(who).set_password(NAMES[name], WORDS[word]).await;
                match self.own[who].get_mut(NAMES[name]) {
                    Some(user) => {
                        outcome.unwrap();
                        user.0 = WORDS[word];
                    }
                    None => assert!(matches!(outcome, Err(LocalUserError::Unknown { .. })), "{outcome:?}"),
                }
            }
            Op::SetRoles(who, name, word) => {
                let roles = vec![WORDS[word].to_owned(), "z".to_owned(), WORDS[word].to_owned()];
                let outcome = self.users(who).set_roles(NAMES[name], roles).await;
                match self.own[who].get_mut(NAMES[name]) {
                    Some(user) => {
                        outcome.unwrap();
                        user.1 = vec![WORDS[word], "z"];
                    }
                    None => assert!(matches!(outcome, Err(LocalUserError::Unknown { .. })), "{outcome:?}"),
                }
            }
            Op::Remove(who, name) => {
                let outcome = self.users(who).remove(NAMES[name]).await;
                assert_eq!(outcome.is_ok(), self.own[who].remove(NAMES[name]).is_some());
            }
            Op::SignIn(who, name, word) => {
                let person = self.users(who).sign_in(NAMES[name], WORDS[word]).await.unwrap();
                let right = self.own[who].get(NAMES[name]).is_some_and(|user| user.0 == WORDS[word]);
                assert_eq!(person.map(|person| person.name), right.then(|| NAMES[name].to_owned()));
            }
            Op::Forget(who) => {
                let dropped = self.local.forget(self.tenants[who].id, WHY()).await.unwrap();
                assert_eq!(dropped, u64::try_from(std::mem::take(&mut self.own[who]).len()).unwrap());
            }
        }
    }

    async fn add(&mut self, who: usize, name: &'static str, word: &'static str) {
        let outcome = self.users(who).add(Person::new(name), word).await;
        let own = &mut self.own[who];
        if own.contains_key(name) {
            assert!(matches!(outcome, Err(LocalUserError::Exists { .. })), "{outcome:?}");
        } else if u64::try_from(own.len()).unwrap() >= USERS_MAX {
            assert!(matches!(outcome, Err(LocalUserError::Full { max: USERS_MAX, .. })), "{outcome:?}");
        } else {
            outcome.unwrap();
            own.insert(name, (word, Vec::new()));
        }
    }

    async fn compare(&self, who: usize, ops: &[Op]) {
        let users = self.users(who);
        // In two pages, so that the way from one to the next is walked as well.
        let mut listed = users.list(None, 2).await.unwrap();
        if let Some(last) = listed.last().map(|person| person.name.clone()) {
            listed.extend(users.list(Some(&last), 100).await.unwrap());
        }
        let listed: Vec<_> = listed
            .iter()
            .map(|person| (person.name.as_str(), person.roles.iter().map(String::as_str).collect()))
            .collect();
        let own: Vec<(&str, Vec<&str>)> = self.own[who].iter().map(|(name, user)| (*name, user.1.clone())).collect();
        assert_eq!(listed, own, "{ops:?}");
    }
}

/// Why no scope is needed.
const WHY: fn() -> Unscoped = || Unscoped::because("a model of two worlds");
