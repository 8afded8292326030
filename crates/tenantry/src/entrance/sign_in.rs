//! How the application signs a visitor in.

use std::{fmt, sync::Arc};

use axum::{body::Body, response::IntoResponse};
use http::Response;
use tenantry_core::{BoxFuture, Scope};

use super::{form::Form, visitor::Visitor};

/// How the application signs in somebody who comes in by a link. Clones are the same.
#[derive(Clone)]
pub struct SignIn(pub(super) How);

#[derive(Clone)]
pub(super) enum How {
    Form(Arc<Form>),
    Own(Arc<Own>),
}

type Own = dyn Fn(Scope, Visitor) -> BoxFuture<'static, Response<Body>> + Send + Sync;

impl SignIn {
    /// By the application's own login, which stays as it is: its page is got, for the hidden fields and the cookies that belong
    /// to it, and its form sent with these fields. The answer has to be a redirect to another page; the visitor gets it, with
    /// the cookies that were set on the way.
    ///
    /// It is for tenants that all have the same account, as those made from one template have. The first field is the account's
    /// name: a link for somebody else is refused.
    ///
    /// ```
    /// use tenantry::entrance::SignIn;
    ///
    /// let sign_in = SignIn::form("/login", [("email", "guest@example.com"), ("password", "let me try it")]);
    /// ```
    pub fn form<N: Into<String>, V: Into<String>>(
        path: impl Into<String>,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self(How::Form(Arc::new(Form { path: path.into(), fields })))
    }

    /// By a function of the application's own, for sessions of any kind and for any account: its answer is the visitor's. It is
    /// called within the tenant's scope, so that the application's handles work in it.
    ///
    /// ```
    /// use axum::{http::header::SET_COOKIE, response::Redirect};
    /// use tenantry::entrance::SignIn;
    ///
    /// # async fn new_session(who: &str) -> String { who.to_owned() }
    /// let sign_in = SignIn::with(|_scope, visitor| async move {
    ///     let session = new_session(visitor.who().unwrap_or("guest")).await;
    ///     ([(SET_COOKIE, format!("session={session}; Path=/; HttpOnly"))], Redirect::to("/"))
    /// });
    /// ```
    pub fn with<F, Fut, R>(sign_in: F) -> Self
    where
        F: Fn(Scope, Visitor) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: IntoResponse,
    {
        Self(How::Own(Arc::new(move |scope, visitor| {
            let answer = sign_in(scope, visitor);
            Box::pin(async move { answer.await.into_response() })
        })))
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            How::Form(form) => f.debug_tuple("SignIn::form").field(&form.path).finish_non_exhaustive(),
            How::Own(_) => f.debug_tuple("SignIn::with").finish_non_exhaustive(),
        }
    }
}
