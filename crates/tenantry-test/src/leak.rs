//! Looks for what is another tenant's in what came of a statement.

use crate::{
    Outcome, Value,
    noise::{CANARY, CANARY_NUMBER, CANARY_NUMBER_END},
};

/// The canary in an outcome of the shared side, if there is one that the private side does not have as well.
pub(crate) fn find(shared: &Outcome, private: &Outcome, text: &str, arguments: &[Value]) -> Option<String> {
    let mut harmless = Vec::new();
    words(private, &mut |canary| harmless.push(canary));
    of_text(text, &mut |canary| harmless.push(canary));
    arguments.iter().for_each(|value| of_value(value, &mut |canary| harmless.push(canary)));
    let mut found = None;
    words(shared, &mut |canary| {
        if !harmless.contains(&canary) {
            found.get_or_insert(canary);
        }
    });
    found
}

fn words(outcome: &Outcome, see: &mut impl FnMut(String)) {
    match outcome {
        Outcome::Done(done) => {
            done.columns.iter().flatten().for_each(|name| of_text(name, see));
            done.rows.iter().flatten().for_each(|value| of_value(value, see));
        }
        Outcome::Failed(failure) => of_text(&failure.message, see),
        Outcome::Refused(code) => of_text(code, see),
    }
}

fn of_value(value: &Value, see: &mut impl FnMut(String)) {
    let canaries = i128::from(CANARY_NUMBER)..i128::from(CANARY_NUMBER_END);
    match value {
        Value::Null => {}
        Value::Integer(number) if canaries.contains(&i128::from(*number)) => see(number.to_string()),
        Value::Integer(_) => {}
        Value::Real(number) => of_text(&number.to_string(), see),
        Value::Text(text) => of_text(text, see),
        Value::Blob(bytes) => of_text(&String::from_utf8_lossy(bytes), see),
    }
}

pub(crate) fn of_text(text: &str, see: &mut impl FnMut(String)) {
    // As it is, or as `hex` shows it.
    let upper = text.to_ascii_uppercase();
    if upper.contains(CANARY) || upper.contains("43414E415259") {
        see(CANARY.to_owned());
    }
    for digits in text.split(|each: char| !each.is_ascii_digit()) {
        if digits.parse().is_ok_and(|number: i64| (CANARY_NUMBER..CANARY_NUMBER_END).contains(&number)) {
            see(digits.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Done, Failure};

    fn failed(message: &str) -> Outcome {
        Outcome::Failed(Failure { code: Some(1), message: message.to_owned(), accepted: true })
    }

    fn value(value: impl Into<Value>) -> Outcome {
        Outcome::Done(Done { rows: vec![vec![value.into()]], ..Done::default() })
    }

    #[test]
    fn canaries_are_found_in_every_dress() {
        let private = failed("no");
        let shared = [
            value("xCanary7"),
            value(900_001),
            value(900_001.5),
            value("43414e4152593100"),
            failed("bad: 900123"),
            Outcome::Refused("CANARY1".to_owned()),
            Outcome::Done(Done { columns: Some(vec!["CANARY1".to_owned()]), ..Done::default() }),
        ];
        for shared in shared {
            assert!(find(&shared, &private, "SELECT 1", &[]).is_some(), "{shared:?}");
        }
    }

    #[test]
    fn what_the_tenant_says_itself_is_none() {
        assert_eq!(find(&value(900_001), &value(900_001), "", &[]), None);
        assert_eq!(find(&value("CANARY"), &value(1), "SELECT 'canary'", &[]), None);
        assert_eq!(find(&value(900_001), &value(1), "SELECT ?", &[900_001.into()]), None);
        assert_eq!(find(&value(89_999_999), &value(1), "", &[]), None);
    }
}
