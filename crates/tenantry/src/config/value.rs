//! Values that TOML has no type for, each as a module for serde's `with`.

/// A time like `"250ms"` or `"15m"`.
pub(super) mod duration {
    use std::{fmt, time::Duration};

    use serde::{
        Deserializer, Serializer,
        de::{Error, Visitor},
    };

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        struct Time;

        impl Visitor<'_> for Time {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time like \"250ms\" or \"15m\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
                humantime::parse_duration(text)
                    .map_err(|error| E::custom(format!("{text:?} is no time like \"250ms\" or \"15m\": {error}")))
            }
        }

        deserializer.deserialize_str(Time)
    }

    pub(in crate::config) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*value))
    }
}

/// A time like `"250ms"` or `"15m"`, or `"none"`.
pub(super) mod duration_limit {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == super::NONE {
            return Ok(None);
        }
        let wrong = |error| D::Error::custom(format!("{text:?} is no time like \"15s\", and not \"none\": {error}"));
        humantime::parse_duration(&text).map(Some).map_err(wrong)
    }

    pub(in crate::config) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(limit) => super::duration::serialize(limit, serializer),
            None => serializer.serialize_str(super::NONE),
        }
    }
}

/// A number that is not zero, or `"none"`.
pub(super) mod limit {
    use std::{fmt, num::NonZeroU32};

    use serde::{
        Deserializer, Serializer,
        de::{Error, Visitor},
    };

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NonZeroU32>, D::Error> {
        struct Limit;

        impl Visitor<'_> for Limit {
            type Value = Option<NonZeroU32>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a number from 1 to {}, or \"none\"", u32::MAX)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                let limit = u32::try_from(number).ok().and_then(NonZeroU32::new);
                limit.map(Some).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                let wrong = || E::invalid_value(serde::de::Unexpected::Str(text), &self);
                if text == super::NONE { Ok(None) } else { Err(wrong()) }
            }
        }

        deserializer.deserialize_any(Limit)
    }

    pub(in crate::config) fn serialize<S: Serializer>(
        value: &Option<NonZeroU32>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(limit) => serializer.serialize_u32(limit.get()),
            None => serializer.serialize_str(super::NONE),
        }
    }
}

/// A number of bytes or `"2MiB"`.
pub(super) mod bytes {
    use serde::{Deserializer, Serializer, de::Error};

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        super::bytes_limit::deserialize(deserializer)?.ok_or_else(|| D::Error::custom("\"none\" is not possible here"))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(in crate::config) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        super::bytes_limit::serialize(&Some(*value), serializer)
    }
}

/// A number of bytes, `"2MiB"`, or `"none"`.
pub(super) mod bytes_limit {
    use std::fmt;

    use serde::{
        Deserializer, Serializer,
        de::{Error, Unexpected, Visitor},
    };

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Option<u64>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes like 2097152 or \"2MiB\", or \"none\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                u64::try_from(number).map(Some).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                if text == super::NONE {
                    return Ok(None);
                }
                super::parse_bytes(text).map(Some).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Bytes)
    }

    pub(in crate::config) fn serialize<S: Serializer>(value: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(bytes) => serializer.collect_str(&super::format_bytes(*bytes)),
            None => serializer.serialize_str(super::NONE),
        }
    }
}

/// A name of something of ours, which is a text of a certain form.
pub(super) mod parsed {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::config) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
    }

    pub(in crate::config) fn serialize<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }
}

/// The same, where it may be missing.
pub(super) mod parsed_option {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserializer, Serializer};

    pub(in crate::config) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        super::parsed::deserialize(deserializer).map(Some)
    }

    pub(in crate::config) fn serialize<S: Serializer, T: Display>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }
}

/// A table from any text to names of tenants.
pub(super) mod to_slug {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use tenantry_core::Slug;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Slug>, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        let slug = |(key, text): (String, String)| match text.parse() {
            Ok(slug) => Ok((key, slug)),
            Err(error) => Err(Error::custom(format!("{key:?} is for {text:?}: {error}"))),
        };
        texts.into_iter().map(slug).collect()
    }

    pub(in crate::config) fn serialize<S: Serializer>(
        value: &BTreeMap<String, Slug>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(value.iter().map(|(key, slug)| (key, slug.as_str())))
    }
}

/// A table from names of plans.
pub(super) mod by_plan_name {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use tenantry_core::PlanName;

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<PlanName, V>, D::Error> {
        let texts = BTreeMap::<String, V>::deserialize(deserializer)?;
        let plan = |(text, value): (String, V)| match text.parse() {
            Ok(name) => Ok((name, value)),
            Err(error) => Err(Error::custom(format!("plans.{text}: {error}"))),
        };
        texts.into_iter().map(plan).collect()
    }

    pub(in crate::config) fn serialize<S: Serializer, V: Serialize>(
        value: &BTreeMap<PlanName, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(value.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

fn parse_bytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn format_bytes(bytes: u64) -> String {
    let fits = |factor: u64| bytes >= factor && bytes.is_multiple_of(factor);
    let (unit, factor) = UNITS.iter().find(|(_, factor)| fits(*factor)).unwrap_or(&("B", 1));
    format!("{}{unit}", bytes / factor)
}

/// The greatest first. Powers of 1024 only: with two kinds of megabytes, somebody gets the other one.
const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// How the absence of a limit is written.
const NONE: &str = "none";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_a_round_trip() {
        for (text, bytes) in
            [("0B", 0), ("1B", 1), ("1500B", 1500), ("1KiB", 1024), ("2MiB", 2 << 20), ("3GiB", 3 << 30)]
        {
            assert_eq!((parse_bytes(text), format_bytes(bytes)), (Some(bytes), text.to_owned()));
        }
        assert_eq!(parse_bytes("2 MiB"), Some(2 << 20));
        for wrong in ["", "MiB", "2", "2MB", "-1B", "1.5MiB", "99999999999GiB"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
    }
}
