//! What tenants have used, for Prometheus.

use std::{fmt, sync::Arc, time::Duration};

use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet, text::encode},
    metrics::MetricType,
    registry::{Registry, Unit},
};
use tenantry_core::{Admission, Count, Usage};

use crate::Tenancy;

impl Tenancy {
    /// A router with `/metrics`: what each tenant has used in this process, in the text format of Prometheus.
    ///
    /// It names all tenants, so it is not for everybody: serve it where only Prometheus comes, as `metrics.listen` does,
    /// or behind a layer that asks who it is.
    pub fn metrics(&self) -> Router {
        let mut registry = Registry::with_prefix("tenantry");
        registry.register_collector(Box::new(Used { admission: self.shared_admission() }));
        let registry = Arc::new(registry);
        Router::new().route("/metrics", get(async move || page(&registry)))
    }
}

fn page(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    // Writing to a text does not fail.
    encode(&mut text, registry).ok();
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

/// Counts what has been used when it is asked.
#[derive(Debug)]
struct Used {
    admission: Arc<Admission>,
}

impl Collector for Used {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counted = self.counted();
        // The time of requests is in the histogram.
        for count in Count::ALL.into_iter().filter(|count| *count != Count::RequestNanos) {
            let (name, help, unit) = described(count);
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Counter)?;
            for (tenant, usage) in &counted {
                let labels = [("tenant", tenant.as_str())];
                let mut counter = family.encode_family(&labels)?;
                match is_time(count) {
                    true => counter.encode_counter::<NoLabelSet, _, u64>(&seconds(usage.get(count)), None)?,
                    false => counter.encode_counter::<NoLabelSet, _, u64>(&usage.get(count), None)?,
                }
            }
        }
        let help = "Time from a request's head to the end of its answer";
        let mut family =
            encoder.encode_descriptor("request_duration", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (tenant, usage) in &counted {
            let labels = [("tenant", tenant.as_str())];
            let buckets = buckets(usage);
            let total = buckets.iter().map(|(_, count)| count).sum();
            let seconds = usage.latency().as_secs_f64();
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(seconds, total, &buckets, None)?;
        }
        Ok(())
    }
}

impl Used {
    /// What was counted, by the names that tenants have now. No tenant has a name with parentheses.
    fn counted(&self) -> Vec<(String, Arc<Usage>)> {
        let (usages, mirror) = (self.admission.usages(), self.admission.mirror());
        let own = usages.own().into_iter();
        let named = own.filter_map(|(id, usage)| Some((mirror.by_id(id)?.slug.to_string(), usage)));
        let together = [("(none)", Arc::clone(usages.nobody())), ("(others)", usages.others())];
        named.chain(together.map(|(name, usage)| (name.to_owned(), usage))).collect()
    }
}

/// How many requests there were by their time, as Prometheus' library takes it.
fn buckets(usage: &Usage) -> Vec<(f64, u64)> {
    let bounds = Usage::LATENCY_BOUNDS.iter().map(|bound| bound.as_secs_f64()).chain([f64::INFINITY]);
    bounds.zip(usage.latencies()).collect()
}

const fn is_time(count: Count) -> bool {
    matches!(count, Count::HandlingNanos | Count::StatementNanos)
}

fn seconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64()
}

fn described(count: Count) -> (&'static str, &'static str, Option<Unit>) {
    match count {
        Count::BytesReceived => ("received", "Bytes of requests' bodies", Some(Unit::Bytes)),
        Count::BytesSent => ("sent", "Bytes of answers' bodies", Some(Unit::Bytes)),
        Count::BytesUploaded => ("uploaded", "Bytes of uploads that were stored", Some(Unit::Bytes)),
        Count::HandlingNanos => {
            ("handling", "Time in which the application worked on requests, waiting left out", Some(Unit::Seconds))
        }
        Count::JobsDone => ("jobs_done", "Jobs that are done", None),
        Count::JobsFailed => ("jobs_failed", "Attempts of jobs that failed", None),
        Count::JobsQueued => ("jobs_queued", "Jobs that were queued", None),
        Count::Refusals => ("refusals", "Requests and statements that were refused", None),
        Count::Requests => ("requests", "Requests that were let in", None),
        Count::RowsChanged => ("rows_changed", "Rows that statements have changed", None),
        Count::RowsRead => ("rows_read", "Rows that statements have given", None),
        Count::StatementNanos => ("statement", "Time that statements took", Some(Unit::Seconds)),
        Count::Statements => ("statements", "Statements for the database", None),
        _ => ("other", "What this version does not know", None),
    }
}
