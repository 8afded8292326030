//! A client that behaves as a browser does.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use cookie_store::CookieStore;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use url::Url;

use crate::page::{Form, Page};
use crate::site::Site;

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 10;
const FORM: &str = "application/x-www-form-urlencoded";
const FORM_WITH_FILE: &str = "multipart/form-data; boundary=the-end-of-a-part";
const JSON: &str = "application/json";

/// A window of a browser with cookies of its own. It refuses to follow what
/// leads away from the site's base, and to show a page that has such links.
#[derive(Debug)]
pub struct Browser {
    site: Site,
    client: Client,
    jar: CookieStore,
    raw_cookies: Option<String>,
    page: Option<Page>,
}

/// A cookie as a browser keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCookie {
    /// Its name.
    pub name: String,
    /// Its value, as it was sent.
    pub value: String,
    /// The path below which it is sent, given or derived.
    pub path: String,
    /// The domain it was given, or none if only its own host receives it.
    pub domain: Option<String>,
    /// Whether scripts cannot see it.
    pub http_only: bool,
    /// Its `SameSite`, if it has one.
    pub same_site: Option<String>,
    /// Whether it survives the end of the browser.
    pub persistent: bool,
}

impl Browser {
    /// Opens a window, without loading anything yet.
    pub fn new(site: &Site) -> Result<Self> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self { site: site.clone(), client, jar: CookieStore::default(), raw_cookies: None, page: None })
    }

    /// The site the browser was made for.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The page that is shown.
    pub fn page(&self) -> Result<&Page> {
        self.page.as_ref().context("no page is open")
    }

    /// Goes to the first page of the site.
    pub async fn open(&mut self) -> Result<&Page> {
        let base = self.site.base.clone();
        self.get(&base).await
    }

    /// Goes to an address, as if it was typed in.
    pub async fn get(&mut self, url: &Url) -> Result<&Page> {
        self.navigate(Outgoing::get(url.clone())).await
    }

    /// Follows the link with these words.
    pub async fn click(&mut self, text: &str) -> Result<&Page> {
        let link = self.page()?.link(text)?;
        self.get(&link.url).await
    }

    /// Follows the first link among the elements `selector` finds.
    pub async fn click_on(&mut self, selector: &str) -> Result<&Page> {
        let page = self.page()?;
        let link = page.links(selector)?.into_iter().next();
        let link = link.ok_or_else(|| anyhow!("{} has no link {selector}", page.url))?;
        self.get(&link.url).await
    }

    /// Fills in the form `selector` finds and sends it.
    pub async fn submit(&mut self, selector: &str, fields: &[(&str, &str)]) -> Result<&Page> {
        let mut form = self.page()?.form(selector)?;
        for (name, value) in fields {
            form.fill(name, value)?;
        }
        self.send_form(&form).await
    }

    /// Sends a form that was found in some page.
    pub async fn send_form(&mut self, form: &Form) -> Result<&Page> {
        let outgoing = if form.is_post {
            Outgoing { method: Method::POST, url: form.action.clone(), body: Some((FORM, form.encode().into())) }
        } else {
            let mut url = form.action.clone();
            url.set_query(Some(&form.encode()));
            Outgoing::get(url)
        };
        self.navigate(outgoing).await
    }

    /// Sends a form with a file that was chosen for its field `field`.
    pub async fn send_file(&mut self, form: &Form, field: &str, name: &str, contents: &[u8]) -> Result<&Page> {
        let body = form.encode_with_file("the-end-of-a-part", field, name, contents);
        let body = Some((FORM_WITH_FILE, body));
        self.navigate(Outgoing { method: Method::POST, url: form.action.clone(), body }).await
    }

    /// Asks the JSON API for `path`, for example `api/notes`, below the base.
    /// The page that is shown stays the same.
    pub async fn api(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Page> {
        let url = self.site.base.join(path)?;
        self.fetch(Outgoing { method, url, body: body.map(|body| (JSON, body.to_string().into())) }).await
    }

    /// Loads something without showing it and without following redirects.
    pub async fn load(&mut self, url: &Url) -> Result<Page> {
        self.fetch(Outgoing::get(url.clone())).await
    }

    /// All cookies the browser keeps, whatever page they are for.
    #[must_use]
    pub fn cookies(&self) -> Vec<StoredCookie> {
        self.jar.iter_unexpired().map(StoredCookie::from).collect()
    }

    /// The cookie with this name.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<StoredCookie> {
        self.cookies().into_iter().find(|cookie| cookie.name == name)
    }

    /// Takes a cookie as if the first page had set it, for example
    /// `theme=dark; Path=/`.
    pub fn accept_cookie(&mut self, set_cookie: &str) -> Result<()> {
        self.jar
            .parse(set_cookie, &self.site.base)
            .with_context(|| format!("{} may not set {set_cookie}", self.site.base))?;
        Ok(())
    }

    /// Forgets all cookies.
    pub fn forget_cookies(&mut self) {
        self.jar.clear();
    }

    /// Sends this as the `Cookie` header from now on, whatever the cookies are,
    /// or the cookies again if `None`.
    pub fn send_raw_cookies(&mut self, header: Option<&str>) {
        self.raw_cookies = header.map(str::to_owned);
    }

    /// The `Cookie` header for a request to `url`.
    #[must_use]
    pub fn cookie_header(&self, url: &Url) -> Option<String> {
        if self.raw_cookies.is_some() {
            return self.raw_cookies.clone();
        }
        let mut cookies = self.jar.matches(url);
        // Longer paths go first (RFC 6265, section 5.4).
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Sends a request, follows redirects and shows where they end.
    async fn navigate(&mut self, first: Outgoing) -> Result<&Page> {
        let mut next = first;
        for _ in 0..=MAX_REDIRECTS {
            let step = next.describe();
            let page = self.fetch(next.clone()).await?;
            match redirect(&page).with_context(|| step.clone())? {
                Some(url) => next = next.redirected(page.status, url),
                None => {
                    self.expect_links_below_base(&page).context(step)?;
                    return Ok(self.page.insert(page));
                }
            }
        }
        bail!("{} leads to too many redirects", next.describe())
    }

    async fn fetch(&mut self, outgoing: Outgoing) -> Result<Page> {
        let step = outgoing.describe();
        self.exchange(outgoing).await.context(step)
    }

    async fn exchange(&mut self, outgoing: Outgoing) -> Result<Page> {
        let Outgoing { method, url, body } = outgoing;
        self.site.expect_below(&url)?;
        if !self.site.has_origin_of(&url) {
            bail!("this leads to another site than {}", self.site.base);
        }
        let mut request = self.client.request(method.clone(), self.target(&url)?).headers(self.headers(&method, &url)?);
        if let Some((kind, body)) = body {
            request = request.header(header::CONTENT_TYPE, kind).body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.keep_cookies(&headers, &url)?;
        let text = response.text().await.context("cannot read the answer")?;
        Ok(Page { url, status, headers, text })
    }

    /// The address to connect to in order to reach `url`.
    fn target(&self, url: &Url) -> Result<Url> {
        let mut target = url.clone();
        target.set_fragment(None);
        if let Some(address) = self.site.connect {
            target
                .set_ip_host(address.ip())
                .and_then(|()| target.set_port(Some(address.port())))
                .map_err(|()| anyhow!("cannot connect to {address} for {url}"))?;
        }
        Ok(target)
    }

    fn headers(&self, method: &Method, url: &Url) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host_of(url)?)?);
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html, */*"));
        if let Some(cookies) = self.cookie_header(url) {
            headers.insert(header::COOKIE, HeaderValue::from_str(&cookies)?);
        }
        if *method != Method::GET {
            let origin = self.site.base.origin().ascii_serialization();
            headers.insert(header::ORIGIN, HeaderValue::from_str(&origin)?);
        }
        Ok(headers)
    }

    fn keep_cookies(&mut self, headers: &HeaderMap, url: &Url) -> Result<()> {
        for value in headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().context("a cookie is not readable")?;
            match self.jar.parse(text, url) {
                // A cookie that is removed need not be there.
                Ok(_) | Err(cookie_store::CookieError::Expired) => {}
                Err(error) => bail!("a browser would not keep the cookie {text}: {error}"),
            }
        }
        Ok(())
    }

    fn expect_links_below_base(&self, page: &Page) -> Result<()> {
        if !page.is_html() {
            return Ok(());
        }
        for url in page.references()? {
            self.site.expect_below(&url).with_context(|| format!("a reference in {}", page.url))?;
        }
        Ok(())
    }
}

/// A request about to be sent.
#[derive(Clone, Debug)]
struct Outgoing {
    method: Method,
    url: Url,
    body: Option<(&'static str, Vec<u8>)>,
}

impl Outgoing {
    fn get(url: Url) -> Self {
        Self { method: Method::GET, url, body: None }
    }

    fn describe(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// What a browser sends when the answer redirects it to `url`.
    fn redirected(self, status: StatusCode, url: Url) -> Self {
        match status {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => Self { url, ..self },
            _ => Self::get(url),
        }
    }
}

impl From<&cookie_store::Cookie<'static>> for StoredCookie {
    fn from(cookie: &cookie_store::Cookie<'static>) -> Self {
        Self {
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            path: String::from(&cookie.path),
            domain: cookie.domain().map(str::to_owned),
            http_only: cookie.http_only().unwrap_or(false),
            same_site: cookie.same_site().map(|same_site| same_site.to_string()),
            persistent: cookie.is_persistent(),
        }
    }
}

/// The host and port of `url`, as they stand in it.
fn host_of(url: &Url) -> Result<&str> {
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    if host.is_empty() {
        bail!("{url} has no host");
    }
    Ok(host)
}

fn redirect(page: &Page) -> Result<Option<Url>> {
    if !page.status.is_redirection() {
        return Ok(None);
    }
    let location = page.header("location").with_context(|| format!("{} says not where to", page.status))?;
    let url = page.url.join(location).with_context(|| format!("the redirect to {location}"))?;
    Ok(Some(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser() -> Browser {
        Browser::new(&Site::new("http://example.org:81/mount/".parse().unwrap())).unwrap()
    }

    #[test]
    fn cookies_go_where_their_path_and_domain_lead() {
        let mut browser = browser();
        browser.accept_cookie("a=1; Path=/mount; HttpOnly").unwrap();
        browser.accept_cookie("b=2; Path=/mount/deep").unwrap();
        browser.accept_cookie("c=3; Path=/elsewhere").unwrap();
        assert!(browser.accept_cookie("d=4; Domain=other.org").is_err());
        let header = |url: &str| browser.cookie_header(&url.parse().unwrap());
        assert_eq!(header("http://example.org/mount/deep/x").unwrap(), "b=2; a=1");
        assert_eq!(header("http://example.org/mountain"), None);
        assert_eq!(header("http://sub.example.org/mount/"), None);
        assert!(browser.cookie("a").unwrap().http_only);
    }

    #[test]
    fn raw_cookies_take_the_place_of_stored_ones() {
        let mut browser = browser();
        browser.accept_cookie("a=1; Path=/").unwrap();
        browser.send_raw_cookies(Some("b=2"));
        let base = browser.site.base.clone();
        assert_eq!(browser.cookie_header(&base).unwrap(), "b=2");
        browser.send_raw_cookies(None);
        assert_eq!(browser.cookie_header(&base).unwrap(), "a=1");
    }

    #[test]
    fn the_connection_may_go_elsewhere_than_the_name() {
        let mut browser = browser();
        browser.site.connect = Some("127.0.0.1:4000".parse().unwrap());
        let url: Url = "http://example.org:81/mount/x?y#z".parse().unwrap();
        let target = browser.target(&url).unwrap();
        assert_eq!(target.as_str(), "http://127.0.0.1:4000/mount/x?y");
        assert_eq!(host_of(&url).unwrap(), "example.org:81");
    }
}
