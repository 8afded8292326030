//! A server, who may ask it at once, and when it is left alone.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ldap3::SearchEntry;
use rustls::ClientConfig;
use tenantry_core::Slug;
use tokio::{
    sync::{OnceCell, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use zeroize::Zeroizing;

use super::{
    connection::Connection,
    conversation,
    fault::Fault,
    idle::Idle,
    target::{self, Target},
};
use crate::directory::{DirectoryError, Person, settings::DirectorySettings};

/// The server of one tenant, as its settings say.
#[derive(Debug)]
pub(in crate::directory) struct Server {
    tenant: Slug,
    settings: DirectorySettings,
    target: Result<Target, String>,
    encryption: OnceCell<Arc<ClientConfig>>,
    idle: Arc<Idle>,
    /// Those that have a connection.
    connected: Arc<Semaphore>,
    /// Those and the ones that wait.
    admitted: Arc<Semaphore>,
    failure: Mutex<Option<Failure>>,
}

/// That the server gave no answer.
#[derive(Debug)]
struct Failure {
    fault: Fault,
    /// How often in a row.
    count: u32,
    noted_at: Instant,
    again_at: Instant,
}

impl Server {
    pub(super) fn new(tenant: Slug, settings: DirectorySettings) -> Self {
        let permits = |count: u32| {
            Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)))
        };
        let connections_max = settings.connections_max;
        Self {
            tenant,
            target: Target::read(&settings),
            encryption: OnceCell::new(),
            idle: Arc::default(),
            connected: permits(connections_max),
            admitted: permits(connections_max.saturating_add(settings.waiters_max)),
            failure: Mutex::default(),
            settings,
        }
    }

    /// Whether it is what these settings say.
    pub(super) fn is(&self, tenant: &Slug, settings: &DirectorySettings) -> bool {
        self.tenant == *tenant && self.settings == *settings
    }

    /// The person with this login name, and this password where there is one.
    #[expect(clippy::disallowed_methods, reason = "the conversation is about this tenant, whoever waits for it")]
    pub(in crate::directory) async fn ask(
        self: Arc<Self>,
        user: &str,
        password: Option<&str>,
    ) -> Result<Option<Person>, DirectoryError> {
        if let Err(reason) = &self.target {
            return Err(self.misconfigured(reason.clone()));
        }
        self.left_alone()?;
        let permits = self.permits().await?;
        // Whoever has waited behind a failure does not try again at once.
        self.left_alone()?;
        let (server, user) = (Arc::clone(&self), user.to_owned());
        let password = password.map(|password| Zeroizing::new(password.to_owned()));
        // In a task of its own, so that a conversation ends where it should, and a failure is noted, also when nobody waits
        // for it any more.
        let conversation = tokio::spawn(async move {
            let began = Instant::now();
            let answer = server.converse(&user, password.as_ref().map(|password| password.as_str())).await;
            let answer = server.noted(answer, began);
            drop(permits);
            answer
        });
        let no_ldap = |_| Err(self.failed(Fault::Away("what it says is no LDAP".to_owned()), Instant::now()));
        conversation.await.unwrap_or_else(no_ldap)
    }

    /// The answer, after it is noted whether the server gave one.
    fn noted(&self, answer: Result<Option<Person>, Fault>, began: Instant) -> Result<Option<Person>, DirectoryError> {
        match answer {
            Ok(person) => {
                *self.failure() = None;
                Ok(person)
            }
            Err(Fault::ForThisPerson(reason)) => Err(self.misconfigured(reason)),
            Err(fault) => Err(self.failed(fault, began)),
        }
    }

    async fn converse(&self, user: &str, password: Option<&str>) -> Result<Option<Person>, Fault> {
        let (mut connection, entry) = self.begin(user).await?;
        let person = self.go_on(&mut connection, entry, user, password).await;
        if person.is_ok() {
            self.idle.put(connection, Duration::from_millis(self.settings.idle_ms));
        }
        person
    }

    /// Finds the entry, on a connection that was there already if that still works.
    async fn begin(&self, user: &str) -> Result<(Connection, Option<SearchEntry>), Fault> {
        if let Some(mut connection) = self.idle.take() {
            match conversation::look_up(&mut connection, &self.settings, user).await {
                Ok(entry) => return Ok((connection, entry)),
                Err(Fault::Away(_)) if connection.is_closed() => self.idle.clear(),
                Err(fault) => return Err(fault),
            }
        }
        let mut connection = self.connect().await?;
        let entry = conversation::look_up(&mut connection, &self.settings, user).await?;
        Ok((connection, entry))
    }

    async fn go_on(
        &self,
        connection: &mut Connection,
        entry: Option<SearchEntry>,
        user: &str,
        password: Option<&str>,
    ) -> Result<Option<Person>, Fault> {
        if let Some(password) = password
            && !conversation::check(connection, &self.settings, entry.as_ref(), password).await?
        {
            return Ok(None);
        }
        let Some(entry) = entry else { return Ok(None) };
        conversation::describe(connection, &self.settings, &entry, user).await.map(Some)
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let target = self.target.as_ref().map_err(|reason| Fault::Refused(reason.clone()))?;
        let encrypted = target.starttls || target.url.scheme() == "ldaps";
        let encryption = if encrypted { Some(Arc::clone(self.encryption().await?)) } else { None };
        Connection::open(target, encryption, &self.settings).await
    }

    #[expect(clippy::disallowed_methods, reason = "files are read, of this tenant's settings")]
    async fn encryption(&self) -> Result<&Arc<ClientConfig>, Fault> {
        let read = || async {
            let settings = self.settings.clone();
            let read = tokio::task::spawn_blocking(move || target::encryption(&settings)).await;
            read.map_err(|error| Fault::Away(error.to_string()))?.map_err(Fault::Refused)
        };
        self.encryption.get_or_try_init(read).await
    }

    /// Leave to have a connection.
    async fn permits(&self) -> Result<[OwnedSemaphorePermit; 2], DirectoryError> {
        let DirectorySettings { connections_max, waiters_max, acquire_timeout_ms, .. } = self.settings;
        let busy = |limit, max: u32| DirectoryError::Busy { tenant: self.tenant.clone(), limit, max: max.into() };
        let full = || busy("waiters_max", waiters_max);
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| full())?;
        let waiting = Arc::clone(&self.connected).acquire_owned();
        let connected = tokio::time::timeout(Duration::from_millis(acquire_timeout_ms), waiting).await;
        let late = || busy("connections_max", connections_max);
        Ok([connected.map_err(|_| late())?.map_err(|_| late())?, admitted])
    }

    /// Refuses while the server is left alone.
    fn left_alone(&self) -> Result<(), DirectoryError> {
        let failure = self.failure();
        let Some(failure) = &*failure else { return Ok(()) };
        let retry_in = failure.again_at.saturating_duration_since(Instant::now());
        if retry_in.is_zero() { Ok(()) } else { Err(self.error(failure.fault.clone(), retry_in)) }
    }

    /// Notes that there was no answer. Conversations that fail together are one failure.
    fn failed(&self, fault: Fault, began: Instant) -> DirectoryError {
        self.idle.clear();
        let mut failure = self.failure();
        let now = Instant::now();
        let again_at = match &*failure {
            Some(noted) if noted.noted_at >= began => noted.again_at,
            noted => {
                let count = noted.as_ref().map_or(0, |noted| noted.count).saturating_add(1);
                let again_at = now + self.settings.backoff(count);
                *failure = Some(Failure { fault: fault.clone(), count, noted_at: now, again_at });
                again_at
            }
        };
        self.error(fault, again_at.saturating_duration_since(now))
    }

    fn error(&self, fault: Fault, retry_in: Duration) -> DirectoryError {
        match fault {
            Fault::Away(reason) => DirectoryError::Unavailable {
                tenant: self.tenant.clone(),
                host: target::host(&self.settings),
                reason,
                retry_in,
            },
            Fault::Refused(reason) | Fault::ForThisPerson(reason) => self.misconfigured(reason),
        }
    }

    fn misconfigured(&self, reason: String) -> DirectoryError {
        DirectoryError::Misconfigured { tenant: self.tenant.clone(), reason }
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Accepts connections, and says nothing on them.
    fn silent() -> (TcpListener, Arc<Server>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let settings = DirectorySettings {
            url: format!("ldap://{}", listener.local_addr().unwrap()),
            starttls: false,
            base_dn: "dc=acme".to_owned(),
            operation_timeout_ms: 50,
            backoff_min_ms: 3_600_000,
            backoff_max_ms: 3_600_000,
            ..DirectorySettings::default()
        };
        (listener, Arc::new(Server::new("acme".parse().unwrap(), settings)))
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_left_alone_also_when_nobody_waited_for_it() {
        let (listener, server) = silent();
        let all = server.connected.available_permits();
        tokio::select! {
            biased;
            _ = Arc::clone(&server).ask("ann", Some("hush")) => panic!("it said something"),
            () = until(|| server.connected.available_permits() < all) => {}
        }
        until(|| server.connected.available_permits() == all).await;
        let refused = Arc::clone(&server).ask("ann", Some("hush")).await.unwrap_err();
        assert!(matches!(refused, DirectoryError::Unavailable { .. }), "{refused}");
        assert_eq!(std::iter::from_fn(|| listener.accept().ok()).count(), 1, "it was asked again");
    }

    async fn until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
