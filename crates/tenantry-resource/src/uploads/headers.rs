//! With what a browser is sent an upload.

use super::Stored;

impl Stored {
    /// Headers for a response with this object, as name and value.
    ///
    /// A browser saves it under its name (RFC 6266; RFC 8187 for what is not ASCII), takes it for nothing else than its
    /// content type says, and, if somebody gets it to show the object all the same, runs nothing of it and lets it reach
    /// nothing of the tenant's origin. So a page or a drawing with a script in it does no harm.
    pub fn headers(&self) -> [(&'static str, String); 4] {
        [
            ("content-type", self.content_type.clone()),
            ("content-disposition", disposition(self.name.file_name())),
            ("x-content-type-options", "nosniff".to_owned()),
            ("content-security-policy", "sandbox; default-src 'none'".to_owned()),
        ]
    }
}

/// `attachment` with a file name, for browsers that know RFC 8187 and for those that do not.
fn disposition(file_name: &str) -> String {
    let plain = |char: char| matches!(char, ' '..='~') && !matches!(char, '"' | '\\' | '%' | '/');
    let ascii: String = file_name.chars().map(|char| if plain(char) { char } else { '_' }).collect();
    if ascii == file_name {
        return format!("attachment; filename=\"{ascii}\"");
    }
    let mut encoded = String::new();
    for byte in file_name.bytes() {
        // `attr-char` of RFC 8187 §3.2.1.
        match byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_its_header() {
        for (name, expected) in [
            ("May 2026.pdf", "attachment; filename=\"May 2026.pdf\""),
            ("a\"; x=\".html", "attachment; filename=\"a_; x=_.html\"; filename*=UTF-8''a%22%3B%20x%3D%22.html"),
            ("été.txt", "attachment; filename=\"_t_.txt\"; filename*=UTF-8''%C3%A9t%C3%A9.txt"),
            ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
            ("写真.jpg", "attachment; filename=\"__.jpg\"; filename*=UTF-8''%E5%86%99%E7%9C%9F.jpg"),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}
