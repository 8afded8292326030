//! The parameters of a server's URL.

/// A parameter of the URL that sqlx does not take. It would log it together with its value, a password perhaps.
#[doc(hidden)]
pub fn unknown_parameter(url: &str) -> Option<&str> {
    keys(url).find(|key| !is_known(key))
}

/// The keys of the URL's parameters.
fn keys(url: &str) -> impl Iterator<Item = &str> {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    let parameters = parameters.split('#').next().unwrap_or_default();
    parameters.split('&').filter_map(|pair| pair.split('=').next()).filter(|key| !key.is_empty())
}

fn is_known(key: &str) -> bool {
    KEYS.contains(&key) || key.starts_with("options[") || key.starts_with("options%5B")
}

/// The parameters that sqlx takes.
const KEYS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_misspelt_is_found() {
        assert_eq!(unknown_parameter("postgres://db/x?sslmode=require&options[a]=b&options%5Bc%5D=d#e"), None);
        assert_eq!(unknown_parameter("postgres://db/x?user=a&pasword=hush"), Some("pasword"));
        assert_eq!(unknown_parameter("postgres://db/x"), None);
    }
}
