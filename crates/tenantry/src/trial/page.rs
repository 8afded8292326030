//! The page to try it, and what it says afterwards.

use std::fmt::Write as _;

use super::{Trials, confirm::PARAMETER, time::in_words};

impl Trials {
    /// The form by which a trial is asked for, as HTML, to be shown in a page of the application's own. `action` is the address
    /// that [`Trials::router`] is served at, with `/try`.
    pub fn form(&self, action: &str) -> String {
        let action = escaped(action);
        let email = match self.asking {
            Some(_) => {
                "<p><label>E-mail address <input type=\"email\" name=\"email\" autocomplete=\"email\" required></label></p>\n"
            }
            None => "",
        };
        format!("<form method=\"post\" action=\"{action}\">\n{email}<p><button>Try it</button></p>\n</form>\n")
    }

    /// The page to try it.
    pub(super) fn page(&self) -> String {
        let time = in_words(self.shared.tenancy.config().trial.ttl);
        let how = match self.asking {
            Some(_) => " A link to it is sent to you.",
            None => "",
        };
        let text = format!(
            "<p>You get a workspace of your own for {time}. Nobody else can see what you do there, and it is gone \
             afterwards.{how}</p>\n{}",
            self.form("?")
        );
        page("Try it", &text)
    }

    /// The page that a link leads to: the trial begins with the button, not with the link, which mail programs follow too.
    pub(super) fn confirm_page(token: &str) -> String {
        let token = escaped(token);
        page(
            "Try it",
            &format!(
                "<p>Your address is confirmed with this button, and your workspace is ready.</p>\n\
                 <form method=\"post\" action=\"?\">\n<input type=\"hidden\" name=\"{PARAMETER}\" value=\"{token}\">\n\
                 <p><button>Begin</button></p>\n</form>\n"
            ),
        )
    }

    /// The page after an address was asked.
    pub(super) fn sent_page(email: &str) -> String {
        let email = escaped(email.trim());
        page(
            "Look into your mail",
            &format!("<p>A link was sent to <strong>{email}</strong>. Your workspace begins there.</p>\n"),
        )
    }
}

fn page(title: &str, text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{text}</main>\n</body>\n</html>\n"
    )
}

/// A text as it can stand in an attribute and between tags.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '&' | '<' | '>' | '"' | '\'') {
            // Writing to a text cannot fail.
            write!(out, "&#{};", u32::from(c)).ok();
        } else {
            out.push(c);
        }
    }
    out
}

const STYLE: &str =
    "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
button, input { font: inherit; padding: .4rem .8rem }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_a_text() {
        let page = Trials::sent_page("<script>alert(\"1\")</script>&'@example.com");
        assert!(
            page.contains("<strong>&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;@example.com</strong>"),
            "{page}"
        );
        let page = Trials::confirm_page("\"><script>");
        assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;\""), "{page}");
    }
}
