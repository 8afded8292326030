//! Two tenants' random operations, against a model in which each has a world of its own.

use std::{collections::VecDeque, time::Duration};

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use tenantry_core::TenantId;
use tenantry_resource::jobs::{Broker, NewJob, Outcome, Pushed};

use super::queues::{LEASE, job};

/// What may happen. The first number says to whom.
#[derive(Clone, Debug)]
enum Op {
    /// A job is pushed, perhaps with a key, and a priority.
    Push(usize, Option<u8>, i64),
    /// A worker takes whatever comes.
    Take,
    /// Of what is taken, the oldest ends so.
    Done,
    Dead,
    Returned,
    /// Of what is dead, the oldest is made ready again, or removed: asked in the name of this tenant.
    Revive(usize),
    Discard(usize),
    /// Everything of a tenant goes.
    Forget(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..2_usize, proptest::option::of(0..3_u8), 0..2_i64).prop_map(|(who, key, priority)| Op::Push(who, key, priority)),
        5 => Just(Op::Take),
        3 => Just(Op::Done),
        2 => Just(Op::Dead),
        1 => Just(Op::Returned),
        1 => (0..2_usize).prop_map(Op::Revive),
        1 => (0..2_usize).prop_map(Op::Discard),
        1 => (0..2_usize).prop_map(Op::Forget),
    ]
}

/// One tenant's world.
#[derive(Default)]
struct Own {
    ready: Vec<Job>,
    running: Vec<Job>,
    dead: VecDeque<Job>,
}

#[derive(Clone, Debug)]
struct Job {
    number: usize,
    id: String,
    key: Option<u8>,
    priority: i64,
}

impl Own {
    fn holds(&self, key: u8) -> bool {
        self.ready.iter().chain(&self.running).any(|job| job.key == Some(key))
    }

    /// The job that comes first.
    fn next(&mut self) -> Option<Job> {
        let first = (0..self.ready.len()).min_by_key(|at| (-self.ready[*at].priority, self.ready[*at].number))?;
        Some(self.ready.remove(first))
    }
}

/// Runs `cases` sequences of operations.
pub async fn two_worlds(broker: &dyn Broker, cases: u32) {
    let mut runner = TestRunner::new(Config::default());
    for case in 0..cases {
        let ops = vec(op(), 1..60).new_tree(&mut runner).unwrap().current();
        Model::new(broker, case).run(&ops).await;
    }
}

struct Model<'a> {
    broker: &'a dyn Broker,
    queue: String,
    tenants: [TenantId; 2],
    own: [Own; 2],
    /// Whose jobs were taken, oldest first.
    taken: VecDeque<(usize, Job)>,
    pushed: usize,
}

impl<'a> Model<'a> {
    fn new(broker: &'a dyn Broker, case: u32) -> Self {
        let tenants = [0, 1].map(|who| TenantId::new(1_000 + 2 * i64::from(case) + who));
        let queue = format!("model {case}");
        Self { broker, queue, tenants, own: Default::default(), taken: VecDeque::new(), pushed: 0 }
    }

    async fn run(mut self, ops: &[Op]) {
        for (number, op) in ops.iter().enumerate() {
            self.step(op).await;
            for who in 0..2 {
                self.compare(who, &ops[..=number]).await;
            }
        }
        for tenant in self.tenants {
            self.broker.forget(tenant).await.unwrap();
        }
    }

    async fn step(&mut self, op: &Op) {
        match op {
            Op::Push(who, key, priority) => self.push(*who, *key, *priority).await,
            Op::Take => self.take().await,
            Op::Done => {
                self.finish(Outcome::Done).await;
            }
            Op::Dead => {
                if let Some((who, job)) = self.finish(Outcome::Dead { failure: "why".to_owned() }).await {
                    let dead = &mut self.own[who].dead;
                    let at = dead.partition_point(|other| other.number < job.number);
                    dead.insert(at, job);
                }
            }
            Op::Returned => {
                if let Some((who, job)) = self.finish(Outcome::Returned).await {
                    self.own[who].ready.push(job);
                }
            }
            Op::Revive(who) => self.of_dead(*who, true).await,
            Op::Discard(who) => self.of_dead(*who, false).await,
            Op::Forget(who) => {
                let own = std::mem::take(&mut self.own[*who]);
                self.taken.retain(|(whose, _)| whose != who);
                let count = own.ready.len() + own.running.len() + own.dead.len();
                let dropped = self.broker.forget(self.tenants[*who]).await.unwrap();
                assert_eq!(dropped, u64::try_from(count).unwrap());
            }
        }
    }

    async fn push(&mut self, who: usize, key: Option<u8>, priority: i64) {
        self.pushed += 1;
        let id = format!("{} {}", self.queue, self.pushed);
        let new = NewJob { priority, unique_key: key.map(|key| key.to_string()), ..job(&id) };
        let pushed = self.broker.push(&self.queue, self.tenants[who], &[new], None).await.unwrap();
        let is_new = !key.is_some_and(|key| self.own[who].holds(key));
        assert_eq!(pushed, Pushed::Added(u64::from(is_new)));
        if is_new {
            self.own[who].ready.push(Job { number: self.pushed, id, key, priority });
        }
    }

    async fn take(&mut self) {
        let taken = self.broker.take(&self.queue, "w", LEASE).await.unwrap();
        let Some(taken) = taken else {
            assert!(self.own.iter().all(|own| own.ready.is_empty()), "there are jobs, and none is given");
            return;
        };
        let who = self.tenants.iter().position(|tenant| *tenant == taken.tenant).expect("one of the two");
        let expected = self.own[who].next().expect("the tenant has a job");
        assert_eq!(taken.id, expected.id);
        assert_eq!(taken.envelope.payload, expected.id.as_bytes());
        self.own[who].running.push(expected.clone());
        self.taken.push_back((who, expected));
    }

    async fn finish(&mut self, outcome: Outcome) -> Option<(usize, Job)> {
        let (who, job) = self.taken.pop_front()?;
        assert!(self.broker.finish("w", &job.id, &outcome).await.unwrap());
        self.own[who].running.retain(|running| running.number != job.number);
        Some((who, job))
    }

    /// Asks in the name of one tenant for the oldest dead letter of either.
    async fn of_dead(&mut self, asks: usize, revive: bool) {
        for whose in 0..2 {
            let Some(job) = self.own[whose].dead.front().cloned() else { continue };
            let (broker, queue, tenant) = (self.broker, &self.queue, self.tenants[asks]);
            let done = match revive {
                true => broker.revive(queue, tenant, &job.id).await.unwrap(),
                false => broker.discard(queue, tenant, &job.id).await.unwrap(),
            };
            let own = &mut self.own[whose];
            let is_free = !(revive && job.key.is_some_and(|key| own.holds(key)));
            assert_eq!(done, asks == whose && is_free, "a tenant's dead letters are its own");
            if done {
                own.dead.pop_front();
                if revive {
                    own.ready.push(job);
                }
            }
        }
    }

    async fn compare(&self, who: usize, ops: &[Op]) {
        let counts = self.broker.counts(self.tenants[who]).await.unwrap();
        let counts = counts.first().map_or((0, 0, 0), |counts| (counts.waiting, counts.running, counts.dead));
        let count = |jobs: usize| u64::try_from(jobs).unwrap();
        let own = &self.own[who];
        assert_eq!(counts, (count(own.ready.len()), count(own.running.len()), count(own.dead.len())), "{ops:?}");
        let dead = self.broker.dead(&self.queue, self.tenants[who], 100).await.unwrap();
        let dead: Vec<_> = dead.iter().map(|dead| dead.id.as_str()).collect();
        assert_eq!(dead, own.dead.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), "{ops:?}");
        // Nobody waits for anything in here.
        assert_eq!(self.broker.tend(&self.queue, &[], Duration::from_secs(60)).await.unwrap(), Default::default());
    }
}
