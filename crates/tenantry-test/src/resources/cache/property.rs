//! Two tenants' actions, interleaved, against two worlds of their own.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*, sample::select};
use tenantry_resource::{
    cache::{Cache, CacheError},
    within,
};

use super::{Failed, HOSTILE_KEYS, LONG};
use crate::resources::{Two, two};

/// What a tenant does with its cache.
#[derive(Clone, Debug)]
pub enum Action {
    /// Empties it.
    Clear,
    /// Asks for a value, which is computed if it is not there.
    Compute(&'static str, i64),
    /// Deletes a value.
    Delete(&'static str),
    /// Asks for a value.
    Get(&'static str),
    /// Adds to a counter.
    Increment(&'static str, i64),
    /// Writes bytes, a number or not.
    Set(&'static str, String),
}

/// Actions of two tenants: `true` is one of the first.
pub fn actions() -> impl Strategy<Value = Vec<(bool, Action)>> {
    let key = || select(&HOSTILE_KEYS[..12]);
    let number = || prop_oneof![-3..3_i64, Just(i64::MAX), Just(i64::MIN), Just(1 << 60)];
    let action = prop_oneof![
        1 => Just(Action::Clear),
        3 => (key(), number()).prop_map(|(key, value)| Action::Compute(key, value)),
        3 => key().prop_map(Action::Delete),
        6 => key().prop_map(Action::Get),
        4 => (key(), number()).prop_map(|(key, by)| Action::Increment(key, by)),
        4 => (key(), prop_oneof![number().prop_map(|number| number.to_string()), ".{0,3}"])
            .prop_map(|(key, value)| Action::Set(key, value)),
    ];
    vec((any::<bool>(), action), 1..60)
}

/// Does what is asked, and says where the cache answers differently from two worlds that know nothing of each other.
///
/// # Errors
///
/// When the cache fails.
pub async fn differs(cache: &Cache, actions: &[(bool, Action)]) -> Result<Option<String>, Failed> {
    let Two { acme, globex } = two();
    let mut worlds = [World::default(), World::default()];
    for (at, (first, action)) in actions.iter().enumerate() {
        let scope = if *first { &acme } else { &globex };
        let expected = worlds[usize::from(*first)].answer(action);
        let answer = within(scope.clone(), answer(cache, action)).await?;
        if answer != expected {
            return Ok(Some(format!("action {at}, {action:?} of {}: {answer:?}, not {expected:?}", scope.slug())));
        }
    }
    Ok(None)
}

/// What is to be seen of an action.
#[derive(Debug, PartialEq)]
enum Answer {
    Bytes(Option<String>),
    Done,
    NoNumber,
    Number(i64),
    Overflow,
}

async fn answer(cache: &Cache, action: &Action) -> Result<Answer, Failed> {
    Ok(match action {
        Action::Clear => cache.clear().await.map(|()| Answer::Done)?,
        Action::Compute(key, value) => {
            Answer::Number(cache.get_or_compute(key, LONG, || async { Ok::<_, CacheError>(*value) }).await?)
        }
        Action::Delete(key) => cache.delete(key).await.map(|()| Answer::Done)?,
        Action::Get(key) => {
            let bytes = cache.get_bytes(key).await?;
            Answer::Bytes(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        }
        Action::Increment(key, by) => match cache.increment(key, *by, LONG).await {
            Ok(sum) => Answer::Number(sum),
            Err(CacheError::NotANumber { .. }) => Answer::NoNumber,
            Err(CacheError::Overflow { .. }) => Answer::Overflow,
            Err(other) => return Err(other.into()),
        },
        Action::Set(key, value) => cache.set_bytes(key, value.clone(), LONG).await.map(|()| Answer::Done)?,
    })
}

/// What one tenant would see if there were no other.
#[derive(Default)]
struct World(HashMap<&'static str, String>);

impl World {
    fn answer(&mut self, action: &Action) -> Answer {
        match action {
            Action::Clear => self.0.clear(),
            Action::Compute(key, value) => {
                // What is there counts if it is JSON of a number.
                let known = self.0.get(key).and_then(|text| text.trim_matches([' ', '\n', '\r', '\t']).parse_json());
                let number = known.unwrap_or(*value);
                if known.is_none() {
                    self.0.insert(key, value.to_string());
                }
                return Answer::Number(number);
            }
            Action::Delete(key) => drop(self.0.remove(key)),
            Action::Get(key) => return Answer::Bytes(self.0.get(key).cloned()),
            Action::Increment(key, by) => return self.increment(key, *by),
            Action::Set(key, value) => drop(self.0.insert(key, value.clone())),
        }
        Answer::Done
    }

    fn increment(&mut self, key: &'static str, by: i64) -> Answer {
        let number = match self.0.get(key) {
            None => 0,
            Some(text) => match text.parse::<i64>() {
                Ok(number) if number.to_string() == *text => number,
                _ => return Answer::NoNumber,
            },
        };
        let Some(sum) = number.checked_add(by) else { return Answer::Overflow };
        self.0.insert(key, sum.to_string());
        Answer::Number(sum)
    }
}

trait ParseJson {
    fn parse_json(&self) -> Option<i64>;
}

impl ParseJson for str {
    /// An integer as JSON writes it: no plus, no zeros in front.
    fn parse_json(&self) -> Option<i64> {
        let digits = self.strip_prefix('-').unwrap_or(self);
        let plain = digits == "0" || !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        // JSON knows a negative zero, which is no integer to serde.
        self.parse().ok().filter(|_| plain && self != "-0")
    }
}
