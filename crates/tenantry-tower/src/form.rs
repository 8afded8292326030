//! What a page has in its forms without showing it: tokens against forged requests, for instance.

use std::{borrow::Cow, cell::RefCell};

use lol_html::{ElementContentHandlers, HtmlRewriter, Selector, Settings, html_content::Element};

use crate::mount::read_attribute;

/// The hidden fields, names and values, of the first form of a page that has a field called `field`; of none if there is no
/// such form, or if this is no page.
///
/// ```
/// use tenantry_tower::hidden_fields;
///
/// let page = r#"<form action="/login"><input type="hidden" name="token" value="a&amp;b"><input name="email"></form>"#;
/// assert_eq!(hidden_fields(page.as_bytes(), "email"), [("token".to_owned(), "a&b".to_owned())]);
/// ```
pub fn hidden_fields(page: &[u8], field: &str) -> Vec<(String, String)> {
    let forms = RefCell::default();
    // What comes before that which cannot be read counts.
    read(page, &forms);
    let mut forms = forms.into_inner().into_iter();
    forms.find(|form: &Form| form.names.iter().any(|name| name == field)).map(|form| form.hidden).unwrap_or_default()
}

fn read(page: &[u8], forms: &RefCell<Vec<Form>>) -> Option<()> {
    let any: Selector = "*".parse().ok()?;
    let handler = ElementContentHandlers::default().element(|element: &mut Element<'_, '_>| {
        let mut forms = forms.borrow_mut();
        match element.tag_name().as_str() {
            "form" => forms.push(Form::default()),
            "input" | "select" | "textarea" => forms.last_mut().into_iter().for_each(|form| form.add(element)),
            _ => {}
        }
        Ok(())
    });
    let settings = Settings::new().with_strict(false).append_element_content_handler((Cow::Owned(any), handler));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter.write(page).ok()?;
    rewriter.end().ok()
}

#[derive(Default)]
struct Form {
    names: Vec<String>,
    hidden: Vec<(String, String)>,
}

impl Form {
    fn add(&mut self, element: &Element<'_, '_>) {
        let read = |name: &str| element.get_attribute(name).map(|written| read_attribute(&written));
        let Some(name) = read("name") else { return };
        match read("type") {
            Some(kind) if kind.eq_ignore_ascii_case("hidden") => {
                self.hidden.push((name, read("value").unwrap_or_default()));
            }
            _ => self.names.push(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(page: &str, field: &str) -> Vec<String> {
        hidden_fields(page.as_bytes(), field).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn the_form_with_the_field_counts() {
        let page = "<form id=search><input type=hidden name=a value=1><input name=q></form>
            <form id=login><INPUT TYPE='Hidden' NAME='t' VALUE='&quot;&#x2F;&lt;'><p><textarea name=x></textarea>
            <input type=hidden name=empty><input type=email name=email></form>";
        assert_eq!(names(page, "email"), ["t=\"/<", "empty="]);
        assert_eq!(names(page, "q"), ["a=1"]);
        assert_eq!(names(page, "t"), [] as [&str; 0], "that one is hidden itself");
        assert_eq!(names(page, "password"), [] as [&str; 0]);
    }

    #[test]
    fn what_is_no_page_has_no_fields() {
        for page in ["", "{}", "<form", "<input type=hidden name=a value=1><input name=q>", "<form><input name=q"] {
            assert_eq!(names(page, "q"), [] as [&str; 0], "{page}");
        }
    }
}
