//! Replies with keys in them, as the tenant knows its keys.

use redis::Value;

use super::commands::Reply;

/// The reply without the prefix in its keys. What does not begin with it is another's, and left out.
pub(super) fn own(reply: Reply, value: Value, prefix: &[u8]) -> Value {
    match (reply, value) {
        (Reply::First, Value::Array(mut elements)) if !elements.is_empty() => {
            let key = elements.remove(0);
            match stripped(key, prefix) {
                Some(key) => {
                    elements.insert(0, key);
                    Value::Array(elements)
                }
                None => Value::Nil,
            }
        }
        (Reply::Scanned, Value::Array(mut elements)) if elements.len() == 2 => {
            let keys = match elements.pop() {
                Some(Value::Array(keys)) => keys.into_iter().filter_map(|key| stripped(key, prefix)).collect(),
                _ => Vec::new(),
            };
            elements.push(Value::Array(keys));
            Value::Array(elements)
        }
        // Errors, and the nothing that says that there was nothing to take.
        (Reply::Plain, value) | (_, value @ (Value::Nil | Value::ServerError(_))) => value,
        _ => Value::Nil,
    }
}

fn stripped(key: Value, prefix: &[u8]) -> Option<Value> {
    match key {
        Value::BulkString(mut key) if key.starts_with(prefix) => {
            key.drain(..prefix.len());
            Some(Value::BulkString(key))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_tenants_is_left_out() {
        let text = |text: &str| Value::BulkString(text.into());
        let scanned =
            Value::Array(vec![text("17"), Value::Array(vec![text("{t:1}:r:a"), text("{t:2}:r:b"), Value::Int(1)])]);
        let own_keys = Value::Array(vec![text("17"), Value::Array(vec![text("a")])]);
        assert_eq!(own(Reply::Scanned, scanned.clone(), b"{t:1}:r:"), own_keys);
        assert_eq!(own(Reply::Plain, scanned.clone(), b"{t:1}:r:"), scanned);

        let taken = |key: &str| Value::Array(vec![text(key), Value::Array(vec![text("element")])]);
        assert_eq!(own(Reply::First, taken("{t:1}:r:a"), b"{t:1}:r:"), taken("a"));
        assert_eq!(own(Reply::First, taken("{t:11}:r:a"), b"{t:1}:r:"), Value::Nil);
        assert_eq!(own(Reply::First, Value::Nil, b"{t:1}:r:"), Value::Nil);
        assert_eq!(own(Reply::Scanned, Value::Int(1), b"{t:1}:r:"), Value::Nil);
    }
}
