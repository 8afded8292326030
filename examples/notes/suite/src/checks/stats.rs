//! The page with figures.

use anyhow::{Context, Result, ensure};

use super::writing;
use crate::browser::Browser;
use crate::page::Page;
use crate::people;
use crate::site::Site;

const TOTALS: [&str; 4] = ["#total-notes", "#total-comments", "#total-tags", "#total-users"];

/// Others may be writing at the same time, and figures do get old.
const LOOKS: usize = 5;

/// The figures count what is written.
pub async fn figures(site: &Site) -> Result<()> {
    let (mut browser, account) = people::member(site, "Counter").await?;
    let page = browser.click("Statistics").await?;
    page.expect_text("#without-notes li", &account.name)?;
    expect_row(page, "#per-user", &account.name, &["0", "0"])?;
    let before = totals(page)?;

    let (both, one) = (people::unique("both"), people::unique("one"));
    let first = people::unique("First");
    let note = writing::note(&mut browser, &first, "x", &format!("{both},{one}")).await?;
    writing::note(&mut browser, &people::unique("Second"), "", &both).await?;
    for text in ["a", "b", "c"] {
        writing::comment(&mut browser, &note, text).await?;
    }

    let page = browser.click("Statistics").await?;
    expect_row(page, "#per-user", &account.name, &["2", "3"])?;
    expect_row(page, "#per-tag", &both, &["2", "1"])?;
    expect_row(page, "#per-tag", &one, &["1", "1"])?;
    ensure!(
        !page.texts("#without-notes li")?.contains(&account.name),
        "{} is said to have written nothing",
        account.name
    );
    let after = totals(page)?;
    // Others may be writing at the same time.
    for (index, least) in [2, 3, 2, 0].into_iter().enumerate() {
        ensure!(
            after[index] >= before[index] + least,
            "{} went from {} to {}",
            TOTALS[index],
            before[index],
            after[index]
        );
    }
    let so_far = page.texts("#per-month tr:last-child td:last-child")?;
    ensure!(so_far == [after[0].to_string()], "the months add up to {so_far:?} instead of {}", after[0]);
    expect_sums(page, after[0])
}

/// The figures are those of a moment ago, until somebody writes.
pub async fn kept_for_a_while(site: &Site) -> Result<()> {
    let (mut browser, _) = people::member(site, "Patient").await?;
    let mut seen = as_of(&mut browser).await?;
    let mut kept = false;
    for _ in 0..LOOKS {
        let now = as_of(&mut browser).await?;
        kept |= now == seen;
        seen = now;
    }
    ensure!(kept, "the figures are collected anew for each visitor");
    writing::note(&mut browser, &people::unique("News"), "", "").await?;
    let now = as_of(&mut browser).await?;
    ensure!(now != seen, "the figures of {seen} lack a note that was written since");
    Ok(())
}

/// Says from when the figures are.
async fn as_of(browser: &mut Browser) -> Result<String> {
    let page = browser.click("Statistics").await?;
    page.attribute("#as-of", "datetime")?.context("the figures are from nobody knows when")
}

/// The notes of all people together are all notes.
fn expect_sums(page: &Page, notes: u64) -> Result<()> {
    for (table, column) in [("#per-user", 3), ("#per-month", 2)] {
        let cells = page.texts(&format!("{table} td:nth-child({column})"))?;
        let numbers: Vec<u64> = cells.iter().filter_map(|cell| cell.parse().ok()).collect();
        let sum: u64 = numbers.iter().sum();
        ensure!(sum == notes, "{table} adds up to {sum} instead of {notes}");
    }
    Ok(())
}

fn expect_row(page: &Page, table: &str, first: &str, last: &[&str]) -> Result<()> {
    let row = page.row(table, first)?;
    let row = row.with_context(|| format!("{table} has no row for {first}"))?;
    ensure!(
        row.ends_with(&last.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>()),
        "{table} says {row:?}, which should end in {last:?}"
    );
    Ok(())
}

fn totals(page: &Page) -> Result<Vec<u64>> {
    let number = |selector: &&str| {
        let text = page.text(selector)?;
        text.parse().with_context(|| format!("{selector} is no number but “{text}”"))
    };
    TOTALS.iter().map(number).collect()
}
