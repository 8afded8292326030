//! Visitors who have to confirm an e-mail address before there is a trial.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;
use tenantry_core::{Act, BoxFuture, Code, Deed, Refusal, Spent};
use tenantry_resource::{BoxError, MasterKeys, Purpose, Seals};

use super::{
    rates::Address,
    start::{Shared, Trials, full, unavailable},
};

/// Somebody has asked for a trial, and has to confirm an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmation {
    /// The address, as it was typed. It looks like one, and nothing else is known of it.
    pub email: String,
    /// What comes behind the address of the page to try it, in the link that confirms: `?confirm=…`. Take the address of your
    /// site from your configuration: the one in a request can be of anybody's making.
    pub query: String,
    /// Until when the link is good.
    pub valid_until: SystemTime,
}

impl Trials {
    /// Nobody gets a trial before an e-mail address is confirmed: the visitor types one, `ask` sends a link to it, and whoever
    /// follows the link and presses a button there gets the trial, as that address. Nothing is created before.
    ///
    /// ```
    /// # async fn send(to: &str, text: String) -> Result<(), std::io::Error> { Ok(()) }
    /// # fn example(trials: tenantry::trial::Trials) {
    /// let trials = trials.confirming(|asked| async move {
    ///     send(&asked.email, format!("Your workspace is at https://example.com/try{}", asked.query)).await
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn confirming<F, Fut, E>(mut self, ask: F) -> Self
    where
        F: Fn(Confirmation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.asking = Some(Asking(Arc::new(move |confirmation| {
            let asked = ask(confirmation);
            Box::pin(async move { asked.await.map_err(Into::into) })
        })));
        self
    }
}

#[derive(Clone)]
pub(super) struct Asking(Arc<Ask>);

type Ask = dyn Fn(Confirmation) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

impl Asking {
    /// Sends a link to an address. It counts for whoever has asked, whether it arrives or not.
    pub(super) async fn ask(&self, shared: &Shared, email: &str, client: Address) -> Result<(), Refusal> {
        let email = plausible(email)?;
        shared.count(client)?;
        shared.room.look().map_err(full)?;
        let (token, valid_until) = shared.confirmation(email)?;
        let query = format!("?{PARAMETER}={token}");
        let asked = (self.0)(Confirmation { email: email.to_owned(), query, valid_until }).await;
        asked.map_err(|error| unavailable(format!("the confirmation could not be sent: {error}")))
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asking").finish_non_exhaustive()
    }
}

/// What is in a link that confirms.
#[derive(Debug)]
pub(super) struct Confirmed {
    pub(super) email: String,
    id: String,
    until: SystemTime,
}

impl Shared {
    /// What shows that an address was asked, and until when.
    fn confirmation(&self, email: &str) -> Result<(String, SystemTime), Refusal> {
        let valid_until = SystemTime::now() + self.tenancy.config().trial.confirm_within;
        let id = getrandom::u64().map_err(|error| unavailable(error.to_string()))?;
        let since = valid_until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let body = format!("{:x}.{id:016x}.{}", since.as_secs(), hex(email.as_bytes()));
        let seal = self.seals()?.seal(LABEL, body.as_bytes());
        Ok((format!("{}.{body}", String::from_utf8_lossy(&seal)), valid_until))
    }

    /// What is in a link, if it was made here and is good still.
    pub(super) fn confirmed(&self, token: &str) -> Result<Confirmed, Refusal> {
        let invalid = || Refusal::new(Code::LinkInvalid).because("it confirms nothing that was asked here");
        let token = Some(token).filter(|token| token.len() <= TOKEN_BYTES_MAX);
        let (seal, body) = token.and_then(|token| token.split_at_checked(Seals::LEN)).ok_or_else(invalid)?;
        let body = body.strip_prefix('.').ok_or_else(invalid)?;
        if !self.seals()?.is_seal(seal.as_bytes(), LABEL, body.as_bytes()) {
            return Err(invalid());
        }
        let mut parts = body.splitn(3, '.');
        let mut next = || parts.next().ok_or_else(invalid);
        let (until, id, email) = (next()?, next()?, next()?);
        let until = u64::from_str_radix(until, 16).map_err(|_| invalid())?;
        let until = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(until)).ok_or_else(invalid)?;
        if until <= SystemTime::now() {
            return Err(Refusal::new(Code::LinkInvalid).because("its time is up"));
        }
        Ok(Confirmed { email: unhex(email).ok_or_else(invalid)?, id: format!("confirm-{id}"), until })
    }

    /// Uses a link up. Whoever calls has a place already, so that it is not used up for nothing.
    pub(super) async fn spend(&self, confirmed: &Confirmed, from: &str) -> Result<(), Refusal> {
        let Confirmed { email, id, until } = confirmed;
        let detail = json!({ "link": id, "as": email }).to_string();
        let deed = Deed { verb: "trial confirmed".to_owned(), tenant: None, slug: None, detail };
        let spent = self.tenancy.catalog_store().once().spend(id, *until, &Act::of("a visitor", from), &deed).await?;
        match spent {
            Spent::Now => Ok(()),
            Spent::Before => Err(Refusal::new(Code::LinkInvalid).because("it was used before")),
        }
    }

    fn seals(&self) -> Result<Seals, Refusal> {
        let template = self.template_id().ok_or_else(|| unavailable("there is no tenant trial.template"))?;
        let keys: &MasterKeys = self.tenancy.master();
        Ok(Seals::new(&keys.current(PURPOSE, template), keys.derive(PURPOSE, template)))
    }
}

/// The address without space around it, if it looks like one. Whether it is one is seen when something arrives.
fn plausible(email: &str) -> Result<&str, Refusal> {
    let email = email.trim();
    let parts = email.rsplit_once('@').filter(|(name, host)| !name.is_empty() && host.contains('.'));
    let plain = email.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>,;:\\\"()[]".contains(c));
    if parts.is_some() && plain && email.len() <= EMAIL_BYTES_MAX {
        return Ok(email);
    }
    Err(Refusal::new(Code::RequestMalformed).because("it has no e-mail address that something could be sent to"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<String> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
    String::from_utf8(bytes).ok().filter(|_| rest.is_empty())
}

const PURPOSE: Purpose = Purpose::new("tenantry trial confirmation");

/// What the seal is made under; another format gets another one.
const LABEL: &[u8] = b"confirm 1";

/// Where in the query, and in the form, the link's token is.
pub(super) const PARAMETER: &str = "confirm";

/// The longest address (RFC 5321 §4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// More than any that was made here.
const TOKEN_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_looks_like_one() {
        for fine in ["ann@example.com", " ann.b+c@mail.example.com ", "jürgen@münchen.example"] {
            assert_eq!(plausible(fine).unwrap(), fine.trim());
        }
        let long = format!("{}@example.com", "x".repeat(300));
        for wrong in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@localhost",
            "a b@example.com",
            "ann@example.com\r\nBcc: bob@example.com",
            "ann@example.com,bob@example.com",
            "<ann@example.com>",
            &long,
        ] {
            plausible(wrong).unwrap_err();
        }
    }

    #[test]
    fn hexadecimal_survives_a_round_trip() {
        assert_eq!(unhex(&hex("jürgen".as_bytes())).as_deref(), Some("jürgen"));
        for wrong in ["6", "6g", "ff"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }
}
