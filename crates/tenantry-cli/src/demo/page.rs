//! What the demo shows: where its tenants are.

use tenantry::Slug;

/// Lines for the terminal.
pub(super) fn lines(slugs: &[Slug], port: u16) -> Vec<String> {
    let width = slugs.iter().map(|slug| slug.as_str().len()).max().unwrap_or_default();
    let mut lines = vec!["the notes application, one instance per tenant:".to_owned()];
    for slug in slugs {
        lines.push(format!("  {slug:width$}  http://localhost:{port}/t/{slug}/  http://{slug}.localhost:{port}/"));
    }
    lines.push(format!("all of them: http://localhost:{port}/   (Ctrl-C stops)"));
    lines
}

/// The page for requests that name no tenant.
pub(super) fn front(slugs: &[Slug], port: u16) -> String {
    let rows: String = slugs
        .iter()
        .map(|slug| {
            format!(
                "<tr><th>{slug}</th><td><a href=\"/t/{slug}/\">localhost:{port}/t/{slug}/</a></td>\
                 <td><a href=\"http://{slug}.localhost:{port}/\">{slug}.localhost:{port}</a></td></tr>\n"
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Tenantry demo</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}}\
         th,td{{text-align:left;padding:.4rem 1.5rem .4rem 0;border-bottom:1px solid #ddd}}</style>\n\
         <h1>One process, one application, {count} tenants</h1>\n\
         <p>The notes application knows nothing of tenants. Each of them has an instance and a database of its own. \
         Sign up with one, and see that the others do not know you.</p>\n\
         <table><tr><th>tenant</th><th>by path</th><th>by host</th></tr>\n{rows}</table></html>\n",
        count = slugs.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_both_addresses() {
        let slugs = ["acme".parse().unwrap(), "globex".parse().unwrap()];
        assert_eq!(
            lines(&slugs, 8080).join("\n"),
            "the notes application, one instance per tenant:\n\
             \x20 acme    http://localhost:8080/t/acme/  http://acme.localhost:8080/\n\
             \x20 globex  http://localhost:8080/t/globex/  http://globex.localhost:8080/\n\
             all of them: http://localhost:8080/   (Ctrl-C stops)"
        );
        assert!(front(&slugs, 1).contains("<a href=\"http://globex.localhost:1/\">"));
    }
}
