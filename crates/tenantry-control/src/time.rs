//! Times as they are said: in UTC, as in RFC 3339.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time, if it can be said: from 1970 to 9999. Of any other the format has no words, or humantime refuses to print them,
/// which `to_string` takes for a panic.
pub fn in_calendar(time: SystemTime) -> Option<SystemTime> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    (since < YEAR_10000).then_some(time)
}

/// The time in UTC, to the second, if it can be said.
pub fn utc(time: SystemTime) -> Option<String> {
    in_calendar(time).map(|time| humantime::format_rfc3339_seconds(time).to_string())
}

/// The time in UTC, to the second; of one that cannot be said, that it cannot.
pub fn utc_or_why_not(time: SystemTime) -> String {
    utc(time).unwrap_or_else(|| if time < UNIX_EPOCH { BEFORE } else { AFTER }.to_owned())
}

/// From its beginning on.
const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);
const BEFORE: &str = "a time before 1970";
const AFTER: &str = "a time after the year 9999";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_calendar_has_is_not_printed() {
        let (last, second) = (UNIX_EPOCH + YEAR_10000 - Duration::from_nanos(1), Duration::from_secs(1));
        assert_eq!(utc(UNIX_EPOCH).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(utc_or_why_not(last), "9999-12-31T23:59:59Z");
        assert_eq!(utc_or_why_not(UNIX_EPOCH + YEAR_10000), AFTER);
        assert_eq!(utc_or_why_not(UNIX_EPOCH - second), BEFORE);
        for beyond in [UNIX_EPOCH - second, UNIX_EPOCH + YEAR_10000, UNIX_EPOCH + Duration::from_secs(1 << 40)] {
            assert_eq!((in_calendar(beyond), utc(beyond)), (None, None));
        }
    }
}
