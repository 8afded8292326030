//! Where the demo's tenants are: for the terminal, for programs, and as a page.

use std::{fmt, path::Path};

use serde::Serialize;
use tenantry::Slug;

use super::{Approach, template::TRAINING};

/// Where everything is.
#[derive(Debug, Serialize)]
pub(super) struct Addresses {
    all: String,
    config: String,
    #[serde(skip)]
    approach: Approach,
    tenants: Vec<Address>,
    /// Where a workspace is to be had for a while.
    try_it: Option<String>,
}

/// Whether visitors get something to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TryIt {
    No,
    Yes,
}

#[derive(Debug, Serialize)]
struct Address {
    slug: String,
    by_path: String,
    by_host: String,
}

impl Addresses {
    pub(super) fn new(slugs: &[Slug], port: u16, config: &Path, approach: Approach, try_it: TryIt) -> Self {
        let address = |slug: &Slug| Address {
            slug: slug.to_string(),
            by_path: format!("http://localhost:{port}/t/{slug}/"),
            by_host: format!("http://{slug}.localhost:{port}/"),
        };
        Self {
            all: format!("http://localhost:{port}/"),
            config: config.display().to_string(),
            approach,
            tenants: slugs.iter().map(address).collect(),
            try_it: (try_it == TryIt::Yes).then(|| format!("http://localhost:{port}/try")),
        }
    }

    /// The page for requests that name no tenant.
    pub(super) fn page(&self) -> String {
        let row = |Address { slug, by_path, by_host }: &Address| {
            format!(
                "<tr><th>{slug}<td><a href=\"/t/{slug}/\">{by_path}</a><td><a href=\"{by_host}\">{by_host}</a></tr>\n"
            )
        };
        let rows: String = self.tenants.iter().map(row).collect();
        let how = match self.approach {
            Approach::Instances => {
                "The application knows nothing of tenants. Each of them has an instance and a database of its own."
            }
            Approach::Shared => {
                "There is one instance of the application, and the rows of all tenants are in the same tables."
            }
        };
        let try_it = if self.try_it.is_some() { TRY_IT } else { "" };
        PAGE.replace("{try_it}", try_it)
            .replace("{how}", how)
            .replace("{count}", &self.tenants.len().to_string())
            .replace("{rows}", &rows)
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.tenants.iter().map(|tenant| tenant.slug.len()).max().unwrap_or_default();
        match self.approach {
            Approach::Instances => writeln!(f, "the notes application, an instance for each tenant:")?,
            Approach::Shared => writeln!(f, "the notes application, one instance and one database for all tenants:")?,
        }
        for Address { slug, by_path, by_host } in &self.tenants {
            writeln!(f, "  {slug:width$}  {by_path}  {by_host}")?;
        }
        writeln!(f, "all of them: {}  (Ctrl-C stops)", self.all)?;
        if let Some(try_it) = &self.try_it {
            writeln!(f, "try it, in a workspace of your own for an hour: {try_it}")?;
            writeln!(f, "make {TRAINING} as it was: tenantry --config {} tenant reset {TRAINING}", self.config)?;
        }
        writeln!(f, "more, from another terminal: tenantry --config {} tenant create initech", self.config)
    }
}

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Tenantry demo</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
th, td { text-align: left; padding: .4rem 1.5rem .4rem 0; border-bottom: 1px solid #ddd }
</style>
<h1>One process, one application, {count} tenants</h1>
<p>{how} Sign up with one, and see that the others do not know you.</p>
<table>
<tr><th>tenant<th>by path<th>by host</tr>
{rows}</table>
{try_it}</html>
";

const TRY_IT: &str = "<h2>Try it</h2>
<p>A workspace of your own, for an hour: nobody else can see what you do there, and it is gone afterwards.</p>
<form method=\"post\" action=\"/try\"><p><button>Try it</button></p></form>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_both_addresses() {
        let addresses = Addresses::new(
            &["acme".parse().unwrap(), "globex".parse().unwrap()],
            8080,
            Path::new("data/tenantry.toml"),
            Approach::Instances,
            TryIt::No,
        );
        assert_eq!(
            addresses.to_string(),
            "the notes application, an instance for each tenant:\n\
             \x20 acme    http://localhost:8080/t/acme/  http://acme.localhost:8080/\n\
             \x20 globex  http://localhost:8080/t/globex/  http://globex.localhost:8080/\n\
             all of them: http://localhost:8080/  (Ctrl-C stops)\n\
             more, from another terminal: tenantry --config data/tenantry.toml tenant create initech\n"
        );
        let page = addresses.page();
        assert!(page.contains("<a href=\"/t/acme/\">") && page.contains("<a href=\"http://globex.localhost:8080/\">"));
        assert!(!page.contains("/try"));
    }

    #[test]
    fn visitors_are_told_where_they_can_try_it() {
        let (slugs, file) = (["acme".parse().unwrap()], Path::new("data/tenantry.toml"));
        let addresses = Addresses::new(&slugs, 8080, file, Approach::Shared, TryIt::Yes);
        let told = addresses.to_string();
        assert!(told.contains("for an hour: http://localhost:8080/try\n"), "{told}");
        assert!(told.contains("tenantry --config data/tenantry.toml tenant reset training\n"), "{told}");
        assert!(addresses.page().contains("<form method=\"post\" action=\"/try\">"));
    }
}
