//! Refusals: what we decline, with one table from code to HTTP status, exit code and text.

use std::{borrow::Cow, fmt, time::Duration};

use http::StatusCode;

use crate::Slug;

/// A request or a command that we decline. When *we* fail, that is an error instead.
///
/// It holds two messages. [`Refusal::public`] is for whoever sent the request: it may name that request's own tenant
/// and nothing else. `Display` is for the operator: what happened, to which tenant, why, and what to do.
///
/// ```
/// use tenantry_core::{Code, Refusal};
///
/// let refusal = Refusal::new(Code::TenantSuspended).for_tenant("acme".parse()?);
/// assert_eq!(refusal.status(), 403);
/// assert_eq!(refusal.code().as_str(), "tenant_suspended");
/// # Ok::<(), tenantry_core::SlugError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    code: Code,
    tenant: Option<Slug>,
    detail: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal with this code.
    pub const fn new(code: Code) -> Self {
        Self { code, tenant: None, detail: None, retry_after: None }
    }

    /// Says which tenant the request was for.
    #[must_use]
    pub fn for_tenant(mut self, slug: Slug) -> Self {
        self.tenant = Some(slug);
        self
    }

    /// Adds a reason for the operator. It is not shown to clients, except for a malformed request.
    #[must_use]
    pub fn because(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when it is worth trying again.
    #[must_use]
    pub const fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Which kind of refusal this is.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The tenant that was refused, where it is known.
    pub const fn tenant(&self) -> Option<&Slug> {
        self.tenant.as_ref()
    }

    /// When to try again, in whole seconds rounded up (RFC 9110 §10.2.3), where that is known.
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.retry_after.map(|after| after.as_secs() + u64::from(after.subsec_nanos() > 0))
    }

    /// The HTTP status that goes with the code.
    pub const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// The message for the sender of the request.
    pub fn public(&self) -> Cow<'static, str> {
        match (&self.detail, self.code) {
            (Some(detail), Code::RequestMalformed) => format!("{}: {detail}.", self.code.text()).into(),
            _ => format!("{}.", self.code.text()).into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.text())?;
        if let Some(tenant) = &self.tenant {
            write!(f, " (tenant {tenant})")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        write!(f, " [{}]; {}", self.code, self.code.hint())
    }
}

impl std::error::Error for Refusal {}

/// The one table of refusals: name, code, HTTP status, exit code of the command line, text, hint for the operator.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, exit $exit:literal, $text:literal, $hint:literal;)*) => {
        /// Which kind of refusal. The text of a code never changes its meaning; new codes may come.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as a word, as in answers, logs and `docs/errors.md`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status of an answer that refuses with this code.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The exit code of a command that is refused with this code.
            pub const fn exit_code(self) -> u8 {
                match self { $(Self::$name => $exit,)* }
            }

            /// What happened, for the sender of the request; names no tenant.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What the operator can do about it.
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }
        }
    };
}

refusals! {
    /// A file that is to become a tenant is none that this deployment can read.
    ArchiveInvalid = "archive_invalid", UNPROCESSABLE_ENTITY, exit 72, "the archive cannot be used",
        "the reason says what is wrong with it; `tenantry tenant inspect <file>` looks at all of it";
    /// The request's body is larger than the plan allows.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, exit 20, "the request is larger than allowed",
        "raise plans.<name>.body_bytes_max if it should pass";
    /// The application asked its cache, or Redis, for something that cannot be.
    CacheRefused = "cache_refused", INTERNAL_SERVER_ERROR, exit 47, "the service failed on this request",
        "the reason says what the application asked for, and what it can do instead";
    /// The server with the cache does not answer.
    CacheUnavailable = "cache_unavailable", SERVICE_UNAVAILABLE, exit 46, "the service is not available right now",
        "check the server at cache.url";
    /// The catalog cannot be read or written.
    CatalogUnavailable = "catalog_unavailable", SERVICE_UNAVAILABLE, exit 21, "the service is not available right now",
        "check the file or server at catalog.url";
    /// More is asked of the tenant's directory at once than it may be.
    DirectoryBusy = "directory_busy", SERVICE_UNAVAILABLE, exit 54, "too many are signing in right now",
        "raise the limit that the reason names";
    /// The tenant's directory cannot be used as its settings say.
    DirectoryMisconfigured = "directory_misconfigured", SERVICE_UNAVAILABLE, exit 53, "signing in is not possible right now",
        "the reason says which setting of the tenant's directory is wrong";
    /// The tenant's directory does not answer.
    DirectoryUnavailable = "directory_unavailable", SERVICE_UNAVAILABLE, exit 52, "signing in is not possible right now",
        "check the server that the tenant's settings name; it is tried again by itself";
    /// The application did not sign in whoever came by a link.
    EntranceFailed = "entrance_failed", SERVICE_UNAVAILABLE, exit 80, "signing in by this link was not possible",
        "the reason says what the application answered; see `Front::entrance`";
    /// The tenant has as many requests under way as its plan allows.
    InFlightLimited = "in_flight_limited", TOO_MANY_REQUESTS, exit 22, "too many requests at once",
        "raise plans.<name>.in_flight_max if the machine has room";
    /// The application of this tenant could not be built, or is waiting to be tried again.
    InstanceFailed = "instance_failed", SERVICE_UNAVAILABLE, exit 23, "the service could not be started",
        "read the cause in the log; it is tried again by itself";
    /// The application failed while it handled this request.
    InstancePanicked = "instance_panicked", INTERNAL_SERVER_ERROR, exit 24, "the service failed on this request",
        "read the panic in the log; other requests are not affected";
    /// The application of this tenant took too long to be built.
    InstanceTimeout = "instance_timeout", SERVICE_UNAVAILABLE, exit 25, "the service did not start in time",
        "raise instances.build_timeout if it needs longer";
    /// As many instances as allowed are built, and each has work under way.
    InstancesFull = "instances_full", SERVICE_UNAVAILABLE, exit 26, "the service is full right now",
        "raise instances.live_max if the machine has room";
    /// A job cannot be queued as it is.
    JobRefused = "job_refused", UNPROCESSABLE_ENTITY, exit 55, "the job cannot be queued",
        "the reason says why; what is large is stored elsewhere, and its name queued";
    /// The tenant has as many jobs queued as its plan allows.
    JobsFull = "jobs_full", TOO_MANY_REQUESTS, exit 56, "too many jobs are waiting already",
        "raise plans.<name>.jobs_max if it may have more";
    /// The store of jobs cannot be read or written.
    JobsUnavailable = "jobs_unavailable", SERVICE_UNAVAILABLE, exit 57, "the service is not available right now",
        "check the file or server at jobs.url";
    /// The link is changed, of another tenant, was used before, or its time is up.
    LinkInvalid = "link_invalid", FORBIDDEN, exit 51, "the link is not valid any more",
        "whoever gave the link has to make a new one";
    /// Migrations could not be run on all databases.
    MigrationFailed = "migration_failed", SERVICE_UNAVAILABLE, exit 73, "the service could not be brought up to date",
        "mend what the reason names, and run `tenantry migrate` again; it goes on with what is left";
    /// Migrations were stopped before all databases had them, since too many have failed.
    MigrationPaused = "migration_paused", SERVICE_UNAVAILABLE, exit 74, "the service could not be brought up to date",
        "mend what the reason names, and run `tenantry migrate` again; it goes on where it stopped";
    /// Work that needs a tenant ran outside any scope.
    NoScope = "no_scope", INTERNAL_SERVER_ERROR, exit 27, "the service failed on this request",
        "the work ran outside a scope: enter one with `within`, or keep the caller's with `tenantry::spawn`";
    /// A step of an operation on a tenant has failed.
    OperationFailed = "operation_failed", SERVICE_UNAVAILABLE, exit 70, "the service could not do this",
        "the reason says which step has failed; `tenantry operation list` shows what is unfinished";
    /// Something else is being done to the tenant.
    OperationRunning = "operation_running", CONFLICT, exit 71, "something else is being done right now",
        "wait until it has ended; `tenantry operation list` shows it";
    /// The tenant is on a plan that the configuration does not have.
    PlanUnknown = "plan_unknown", SERVICE_UNAVAILABLE, exit 28, "the service is not available right now",
        "add the plan to the configuration, or put the tenant on one that is there";
    /// What would be stored is more than the plan, or one upload, may have.
    QuotaExceeded = "quota_exceeded", PAYLOAD_TOO_LARGE, exit 49, "there is not enough room for this upload",
        "raise plans.<name>.upload_bytes_max or uploads.object_bytes_max if it should fit";
    /// The tenant sent more requests per second than its plan allows.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, exit 29, "too many requests",
        "raise plans.<name>.requests_per_second or plans.<name>.burst if they should pass";
    /// The request names its tenant in a way that cannot be read.
    RequestMalformed = "request_malformed", BAD_REQUEST, exit 30, "the request cannot be read",
        "the client has to send it differently";
    /// The tenant has as many rows as its plan allows.
    RowsFull = "rows_full", INSUFFICIENT_STORAGE, exit 85, "there is no room for more entries; what is deleted makes room",
        "raise plans.<name>.rows_max if it may have more";
    /// The work is for one tenant, and the handle is bound to another.
    ScopeMismatch = "scope_mismatch", INTERNAL_SERVER_ERROR, exit 31, "the service failed on this request",
        "a handle of one tenant was used within the scope of another: do not keep it beyond the request";
    /// A setting would have a value that the application does not accept.
    SettingRefused = "setting_refused", UNPROCESSABLE_ENTITY, exit 43, "a setting cannot have this value",
        "the reason says which setting, and what it can be";
    /// The tenant's settings are not ones that the application accepts.
    SettingsInvalid = "settings_invalid", SERVICE_UNAVAILABLE, exit 44, "the service is not available right now",
        "`tenantry settings drift` lists the values that the application does not accept";
    /// The process is about to stop.
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE, exit 32, "the service is restarting",
        "wait for the new process";
    /// A statement has run for as long as the tenant's plan allows, and was stopped.
    StatementTimeout = "statement_timeout", SERVICE_UNAVAILABLE, exit 86, "this took too long, and was stopped",
        "raise plans.<name>.statement_time_max if it may take longer, or look with `tenantry explain --plan` at what it reads";
    /// The tenant's record was changed by somebody else, or others depend on it.
    TenantChanged = "tenant_changed", CONFLICT, exit 45, "somebody else has changed this",
        "look at it again, then decide";
    /// A tenant with this name, or with this alias, is there already.
    TenantExists = "tenant_exists", CONFLICT, exit 33, "this name is taken",
        "choose another name";
    /// The tenant is being deleted.
    TenantDeleting = "tenant_deleting", GONE, exit 34, "this address is no longer in use",
        "nothing can be done through the front door";
    /// The tenant's time is up.
    TenantExpired = "tenant_expired", GONE, exit 35, "the time of this workspace is up",
        "`tenantry tenant show` says when it was";
    /// The request names no tenant.
    TenantMissing = "tenant_missing", NOT_FOUND, exit 36, "there is nothing at this address",
        "see resolve in the configuration for the ways in which a request can name its tenant";
    /// The tenant is not ready yet.
    TenantProvisioning = "tenant_provisioning", SERVICE_UNAVAILABLE, exit 37, "this workspace is being prepared",
        "wait, or look at the operation that prepares it";
    /// An administrator switched the tenant off.
    TenantSuspended = "tenant_suspended", FORBIDDEN, exit 38, "this workspace is suspended",
        "`tenantry tenant resume` switches it on again";
    /// No tenant has this name.
    TenantUnknown = "tenant_unknown", NOT_FOUND, exit 39, "there is nothing at this address",
        "`tenantry tenant list` shows the tenants there are";
    /// The request names two different tenants.
    TenantsDisagree = "tenants_disagree", MISDIRECTED_REQUEST, exit 40, "the request contradicts itself",
        "host, path, header and token have to name the same tenant";
    /// The token is expired, forged, or not for us.
    TokenInvalid = "token_invalid", UNAUTHORIZED, exit 41, "the token is not valid",
        "the client has to sign in again";
    /// More trials were asked for from an address than may be.
    TrialRateLimited = "trial_rate_limited", TOO_MANY_REQUESTS, exit 81, "too many workspaces were asked for from this address",
        "raise trial.per_address or shorten trial.per_address_within if they should pass";
    /// There is no trial now, since something is missing that it is made of, or of which it is told.
    TrialUnavailable = "trial_unavailable", SERVICE_UNAVAILABLE, exit 82, "trying it out is not possible right now",
        "the reason says what is missing; trial.template names the tenant that trials are made from";
    /// As many trials as allowed are under way.
    TrialsFull = "trials_full", SERVICE_UNAVAILABLE, exit 83, "all workspaces for trying it out are taken right now",
        "raise trial.capacity if there is room for more";
    /// The name of an upload is one that no upload can have.
    UploadNameInvalid = "upload_name_invalid", BAD_REQUEST, exit 48, "a file cannot have this name",
        "the client has to give it another name; the reason says what is wrong";
    /// The folder or the bucket with the uploads cannot be used, or is full.
    UploadsUnavailable = "uploads_unavailable", SERVICE_UNAVAILABLE, exit 50, "files cannot be stored or read right now",
        "check the folder or the bucket at uploads.url, and whether its disk is full";
    /// The store of what tenants have used cannot be read or written.
    UsageUnavailable = "usage_unavailable", SERVICE_UNAVAILABLE, exit 87, "the service is not available right now",
        "check the file usage.db beside the catalog's, or the server at catalog.url";
    /// Too many requests wait for the same instance to be built.
    WaitersFull = "waiters_full", SERVICE_UNAVAILABLE, exit 42, "the service is starting and busy",
        "raise instances.waiters_max if more should wait";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_and_exit_codes_are_unique() {
        let codes: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let exits: HashSet<_> = Code::ALL.iter().map(|code| code.exit_code()).collect();
        assert_eq!((codes.len(), exits.len()), (Code::ALL.len(), Code::ALL.len()));
        assert!(Code::ALL.iter().all(|code| code.status().is_client_error() || code.status().is_server_error()));
    }

    #[test]
    fn clients_are_not_told_what_operators_are() {
        let refusal =
            Refusal::new(Code::InstanceFailed).for_tenant("acme".parse().unwrap()).because("cannot open /srv/acme.db");
        assert_eq!(refusal.public(), "the service could not be started.");
        assert_eq!(
            refusal.to_string(),
            "the service could not be started (tenant acme): cannot open /srv/acme.db [instance_failed]; \
             read the cause in the log; it is tried again by itself"
        );
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let secs = |wait| Refusal::new(Code::RateLimited).retry_after(wait).retry_after_secs();
        assert_eq!(secs(Duration::from_millis(1)), Some(1));
        assert_eq!(secs(Duration::from_secs(2)), Some(2));
        assert_eq!(Refusal::new(Code::RateLimited).retry_after_secs(), None);
    }
}
