//! What a server answered, and what a reader finds in it.

use anyhow::{Context, Result, anyhow, bail, ensure};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;
use url::Url;

/// The attributes that refer to something else.
const REFERENCES: [&str; 4] = ["href", "src", "action", "formaction"];

/// An answer of the server: a page, a style sheet or a piece of JSON.
#[derive(Clone, Debug)]
pub struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A link in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The words to click.
    pub text: String,
    /// Where they lead.
    pub url: Url,
}

/// A form in a page, with the values a browser would send.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where the values go.
    pub action: Url,
    /// Whether they go there by POST, not GET.
    pub is_post: bool,
    /// The names and values, in the order of the page.
    pub fields: Vec<(String, String)>,
}

impl Page {
    /// Where the page was found, after all redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// All headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A header of the answer, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it was sent.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("{} did not answer in JSON: {}", self.url, self.text))
    }

    /// The texts of all elements `selector` finds, without blanks around them.
    pub fn texts(&self, selector: &str) -> Result<Vec<String>> {
        self.each(selector, |element| Ok(text_of(element).trim().to_owned()))
    }

    /// The text of the one element `selector` finds.
    pub fn text(&self, selector: &str) -> Result<String> {
        let mut texts = self.texts(selector)?;
        match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Ok(text),
            _ => bail!("{} has not exactly one {selector}", self.url),
        }
    }

    /// The text of the one element `selector` finds, blanks included.
    pub fn exact_text(&self, selector: &str) -> Result<String> {
        let mut texts = self.each(selector, |element| Ok(text_of(element)))?;
        match (texts.pop(), texts.is_empty()) {
            (Some(text), true) => Ok(text),
            _ => bail!("{} has not exactly one {selector}", self.url),
        }
    }

    /// Whether the page has an element that `selector` finds.
    pub fn has(&self, selector: &str) -> Result<bool> {
        Ok(!self.texts(selector)?.is_empty())
    }

    /// An attribute of the first element `selector` finds.
    pub fn attribute(&self, selector: &str, name: &str) -> Result<Option<String>> {
        let values = self.each(selector, |element| Ok(element.attr(name).map(str::to_owned)))?;
        Ok(values.into_iter().next().flatten())
    }

    /// The cells of the row of a table that begins with `first`.
    pub fn row(&self, table: &str, first: &str) -> Result<Option<Vec<String>>> {
        let cell = parse_selector("td")?;
        let rows = self.each(&format!("{table} tbody tr"), |row| {
            let cells = row.select(&cell).map(|cell| text_of(cell).trim().to_owned());
            Ok(cells.collect::<Vec<_>>())
        })?;
        Ok(rows.into_iter().find(|row| row.first().is_some_and(|cell| cell == first)))
    }

    /// The links among the elements `selector` finds, `a` for all.
    pub fn links(&self, selector: &str) -> Result<Vec<Link>> {
        let links = self.each(selector, |element| {
            let Some(href) = element.attr("href") else {
                return Ok(None);
            };
            Ok(Some(Link { text: text_of(element).trim().to_owned(), url: self.resolve(href)? }))
        })?;
        Ok(links.into_iter().flatten().collect())
    }

    /// The link with these words.
    pub fn link(&self, text: &str) -> Result<Link> {
        let links = self.links("a[href]")?;
        let found = links.iter().find(|link| link.text == text).cloned();
        found.ok_or_else(|| {
            let texts: Vec<&str> = links.iter().map(|link| link.text.as_str()).collect();
            anyhow!("{} has no link “{text}”, only {texts:?}", self.url)
        })
    }

    /// The one form `selector` finds.
    pub fn form(&self, selector: &str) -> Result<Form> {
        let mut forms = self.each(selector, |element| self.read_form(element))?;
        match (forms.pop(), forms.is_empty()) {
            (Some(form), true) => Ok(form),
            (None, _) => bail!("{} has no form {selector}", self.url),
            (Some(_), false) => bail!("{} has several forms {selector}", self.url),
        }
    }

    /// Everything the page refers to: links, forms, style sheets, scripts and
    /// pictures.
    pub fn references(&self) -> Result<Vec<Url>> {
        let urls = self.each("[href], [src], [action], [formaction]", |element| {
            REFERENCES
                .iter()
                .filter_map(|name| element.attr(name))
                .map(|reference| self.resolve(reference))
                .collect::<Result<Vec<Url>>>()
        })?;
        Ok(urls.concat())
    }

    /// Whether the answer is a page to be looked at.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    }

    /// Fails if the answer has another status.
    pub fn expect_status(&self, status: StatusCode) -> Result<()> {
        ensure!(self.status == status, "{} answered {} instead of {status}: {}", self.url, self.status, self.text);
        Ok(())
    }

    /// Fails if no element that `selector` finds has exactly this text.
    pub fn expect_text(&self, selector: &str, text: &str) -> Result<()> {
        let texts = self.texts(selector)?;
        ensure!(
            texts.iter().any(|found| found == text),
            "{} shows {texts:?} as {selector} instead of “{text}”",
            self.url
        );
        Ok(())
    }

    /// Fails unless the page has an element that `selector` finds.
    pub fn expect(&self, selector: &str) -> Result<()> {
        ensure!(self.has(selector)?, "{} has no {selector}", self.url);
        Ok(())
    }

    /// Fails if the page has an element that `selector` finds.
    pub fn expect_no(&self, selector: &str) -> Result<()> {
        ensure!(!self.has(selector)?, "{} has a {selector}", self.url);
        Ok(())
    }

    fn each<T>(&self, selector: &str, mut read: impl FnMut(ElementRef<'_>) -> Result<T>) -> Result<Vec<T>> {
        let selector = parse_selector(selector)?;
        let html = Html::parse_document(&self.text);
        html.select(&selector).map(&mut read).collect()
    }

    fn resolve(&self, reference: &str) -> Result<Url> {
        self.url.join(reference).with_context(|| format!("{} refers to “{reference}”", self.url))
    }

    fn read_form(&self, form: ElementRef<'_>) -> Result<Form> {
        let mut fields = Vec::new();
        let controls = parse_selector("input[name], textarea[name], select[name]")?;
        for control in form.select(&controls) {
            let name = control.attr("name").unwrap_or_default();
            if let Some(value) = value_of(control)? {
                fields.push((name.to_owned(), value));
            }
        }
        let method = form.attr("method").unwrap_or("get");
        Ok(Form {
            action: self.resolve(form.attr("action").unwrap_or_default())?,
            is_post: method.eq_ignore_ascii_case("post"),
            fields,
        })
    }
}

impl Form {
    /// The value of a field.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name)?;
        Some(&field.1)
    }

    /// Fills in a field, which the form must have.
    pub fn fill(&mut self, name: &str, value: &str) -> Result<()> {
        let field = self.fields.iter_mut().find(|(field, _)| field == name);
        let Some((_, old)) = field else {
            bail!("the form for {} has no field {name}", self.action);
        };
        value.clone_into(old);
        Ok(())
    }

    /// Takes a field out, which no browser would do.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(field, _)| field != name);
    }

    /// The fields as they are sent, with the line ends browsers send.
    pub(crate) fn encode(&self) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.fields {
            let value = value.replace("\r\n", "\n").replace('\n', "\r\n");
            body.append_pair(name, &value);
        }
        body.finish()
    }

    /// The same as `multipart/form-data` (RFC 7578), and a file behind it.
    pub(crate) fn encode_with_file(&self, boundary: &str, field: &str, name: &str, contents: &[u8]) -> Vec<u8> {
        let mut body = String::new();
        for (name, value) in &self.fields {
            body += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        // As browsers write it: in UTF-8, with two characters escaped.
        let name = name.replace('"', "%22").replace('\n', "%0A");
        body += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: text/html\r\n\r\n"
        );
        [body.as_bytes(), contents, format!("\r\n--{boundary}--\r\n").as_bytes()].concat()
    }
}

fn parse_selector(selector: &str) -> Result<Selector> {
    Selector::parse(selector).map_err(|error| anyhow!("{selector} is no selector: {error:?}"))
}

fn text_of(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// What a browser sends for a control, if anything.
fn value_of(control: ElementRef<'_>) -> Result<Option<String>> {
    if control.attr("disabled").is_some() {
        return Ok(None);
    }
    let value = match control.value().name() {
        "textarea" => Some(text_of(control)),
        "select" => chosen_option(control)?,
        _ => input_value(control),
    };
    Ok(value)
}

fn input_value(input: ElementRef<'_>) -> Option<String> {
    let value = input.attr("value");
    match input.attr("type").unwrap_or("text") {
        "submit" | "button" | "reset" | "image" | "file" => None,
        "checkbox" | "radio" if input.attr("checked").is_none() => None,
        "checkbox" | "radio" => Some(value.unwrap_or("on").to_owned()),
        _ => Some(value.unwrap_or_default().to_owned()),
    }
}

fn chosen_option(select: ElementRef<'_>) -> Result<Option<String>> {
    let options = parse_selector("option")?;
    let chosen = select.select(&options).find(|option| option.attr("selected").is_some());
    let chosen = chosen.or_else(|| select.select(&options).next());
    Ok(chosen.map(|option| match option.attr("value") {
        Some(value) => value.to_owned(),
        None => text_of(option),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        Page {
            url: "http://example.org/a/b?c".parse().unwrap(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn links_are_resolved_against_the_page() {
        let page = page("<a href='d'> D </a><a href='/e'>E</a><a href='?f'>F</a><a>G</a>");
        let links = page.links("a").unwrap();
        let urls: Vec<&str> = links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls, ["http://example.org/a/d", "http://example.org/e", "http://example.org/a/b?f"]);
        assert_eq!(page.link("D").unwrap(), links[0]);
        assert!(page.link("G").is_err());
    }

    #[test]
    fn forms_send_what_a_browser_sends() {
        let page = page(
            "<form id=f method=POST action='/do'><input name=a value=1><input name=b>
             <input type=checkbox name=c><input type=checkbox name=d checked>
             <input name=e value=2 disabled><button name=g>Go</button>
             <textarea name=h>\none\ntwo</textarea>
             <select name=i><option value=x>X<option selected>Y</select></form>",
        );
        let mut form = page.form("#f").unwrap();
        assert!(form.is_post);
        form.fill("b", "ü&").unwrap();
        assert!(form.fill("missing", "").is_err());
        assert_eq!(form.encode(), "a=1&b=%C3%BC%26&d=on&h=one%0D%0Atwo&i=Y");
    }

    #[test]
    fn references_include_all_kinds() {
        let page = page("<link href='/s.css'><script src='/s.js'></script><form action='/f'></form>");
        assert_eq!(page.references().unwrap().len(), 3);
    }

    #[test]
    fn rows_are_found_by_their_first_cell() {
        let page = page("<table id=t><tbody><tr><td>a</td><td>1</td></tr></tbody></table>");
        assert_eq!(page.row("#t", "a").unwrap().unwrap(), ["a", "1"]);
        assert!(page.row("#t", "b").unwrap().is_none());
    }
}
