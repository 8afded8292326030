//! Which attributes of a page hold links, and of which kind.

use lol_html::{html_content::Attribute, send::Element};

use super::srcset;
use crate::mount::{reference::Mover, refresh, text::Text};

/// Moves the links in the attributes of one tag.
pub(super) fn move_links(element: &mut Element<'_, '_>, mover: &Mover) {
    let moved: Vec<_> = moved(element, mover).collect();
    for (name, value) in moved {
        // Names and values come from the page itself, so there is nothing that could be wrong with them.
        let _ignored = element.set_attribute(&name, &value);
    }
}

fn moved(element: &Element<'_, '_>, mover: &Mover) -> impl Iterator<Item = (String, String)> {
    let attributes = element.attributes();
    attributes.iter().enumerate().filter_map(|(at, attribute)| {
        let name = attribute.name();
        let kind = Kind::of(&name, element)?;
        // Of several attributes with the same name, the first one counts.
        let is_first = attributes[..at].iter().all(|before| before.name() != name);
        let value = if is_first { kind.moved(attribute, mover)? } else { return None };
        Some((name, value))
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Address,
    Images,
    Refresh,
}

impl Kind {
    /// What an attribute holds; nothing when it holds no link.
    fn of(name: &str, element: &Element<'_, '_>) -> Option<Self> {
        match name {
            "action" | "background" | "formaction" | "href" | "poster" | "src" | "xlink:href" => Some(Self::Address),
            "imagesrcset" | "srcset" => Some(Self::Images),
            "data" if element.tag_name() == "object" => Some(Self::Address),
            "content" if element.tag_name() == "meta" && refreshes(element) => Some(Self::Refresh),
            _ => None,
        }
    }

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

fn refreshes(element: &Element<'_, '_>) -> bool {
    element.get_attribute("http-equiv").is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"))
}
