//! Which attributes of a page hold links, and of which kind.

use lol_html::{html_content::Attribute, send::Element};

use super::srcset;
use crate::mount::{reference::Mover, refresh, text::Text};

/// Moves the links in the attributes of one tag.
pub(super) fn move_links(element: &mut Element<'_, '_>, mover: &Mover) {
    for (name, value) in moved(element, mover) {
        // Names and values come from the page itself, so there is nothing that could be wrong with them.
        let _ignored = element.set_attribute(&name, &value);
    }
}

fn moved(element: &Element<'_, '_>, mover: &Mover) -> Vec<(String, String)> {
    let tag = Tag { name: element.tag_name(), refreshes: refreshes(element) };
    // Of several attributes with the same name, the first one counts. Only the few names that hold links are
    // remembered, so that a tag with thousands of attributes takes no longer than its length.
    let mut seen: Vec<String> = Vec::new();
    let mut moved = Vec::new();
    for attribute in element.attributes() {
        let name = attribute.name();
        let Some(kind) = tag.kind(&name) else { continue };
        if seen.contains(&name) {
            continue;
        }
        if let Some(value) = kind.moved(attribute, mover) {
            moved.push((name.clone(), value));
        }
        seen.push(name);
    }
    moved
}

struct Tag {
    name: String,
    /// Whether it sends the browser on to another page.
    refreshes: bool,
}

impl Tag {
    /// What an attribute holds; nothing when it holds no link.
    fn kind(&self, attribute: &str) -> Option<Kind> {
        match attribute {
            "action" | "background" | "formaction" | "href" | "poster" | "src" | "xlink:href" => Some(Kind::Address),
            "imagesrcset" | "srcset" => Some(Kind::Images),
            "data" if self.name == "object" => Some(Kind::Address),
            "content" if self.refreshes => Some(Kind::Refresh),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Address,
    Images,
    Refresh,
}

impl Kind {
    fn moved(self, attribute: &Attribute<'_>, mover: &Mover) -> Option<String> {
        let value = attribute.value();
        let text = Text::attribute(value.as_bytes());
        let moved = match self {
            Self::Address => mover.moved(&text, Some(0..text.read_len())),
            Self::Images => mover.moved(&text, srcset::addresses(text.read())),
            Self::Refresh => mover.moved(&text, refresh::target(text.read())),
        };
        String::from_utf8(moved?).ok()
    }
}

/// Whether the tag is `<meta http-equiv="refresh" …>`.
fn refreshes(element: &Element<'_, '_>) -> bool {
    let is_refresh = |value: String| value.trim().eq_ignore_ascii_case("refresh");
    element.tag_name() == "meta" && element.get_attribute("http-equiv").is_some_and(is_refresh)
}
