//! What any [`Broker`] must do.

mod life;
mod model;
mod queues;
mod tenants;
mod turns;
mod work;

use std::sync::Arc;

use tenantry_resource::jobs::{Broker, JobOptions, Jobs};

pub use self::{
    life::limits,
    model::two_worlds,
    work::{Ran, Work, Workers, eventually, work},
};
use super::World;

/// Runs all of it on a broker without jobs.
pub async fn jobs(broker: Arc<dyn Broker>) {
    queues::check(&*broker).await;
    turns::check(&*broker).await;
    let world = World::new().await;
    let jobs = quick(&world, Arc::clone(&broker));
    tenants::check(&world, &jobs, &*broker).await;
    life::check(&world, &jobs, &*broker).await;
}

/// The jobs of a world, with times that a test can wait for.
pub fn quick(world: &World, broker: Arc<dyn Broker>) -> Jobs {
    Jobs::new(broker, Arc::clone(world.admission()), world.catalog(), world.keys().clone(), quick_options())
}

fn quick_options() -> JobOptions {
    let mut options = JobOptions::default();
    options.poll = std::time::Duration::from_millis(20);
    options.park = std::time::Duration::from_millis(50);
    options.backoff_min = std::time::Duration::from_millis(1);
    options.backoff_max = std::time::Duration::from_millis(20);
    options
}
