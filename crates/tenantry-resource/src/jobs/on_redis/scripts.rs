//! The scripts, each with the prelude in front.

use redis::Script;

pub(super) struct Scripts {
    pub(super) counts: Script,
    pub(super) dead: Script,
    pub(super) discard: Script,
    pub(super) finish: Script,
    pub(super) forget: Script,
    pub(super) last_tick: Script,
    pub(super) park: Script,
    pub(super) push: Script,
    pub(super) revive: Script,
    pub(super) sweep: Script,
    pub(super) take: Script,
    pub(super) tend: Script,
    pub(super) tick: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |text: &str| Script::new(&[include_str!("lua/prelude.lua"), text].concat());
        Self {
            counts: script(include_str!("lua/counts.lua")),
            dead: script(include_str!("lua/dead.lua")),
            discard: script(include_str!("lua/discard.lua")),
            finish: script(include_str!("lua/finish.lua")),
            forget: script(include_str!("lua/forget.lua")),
            last_tick: script(include_str!("lua/last_tick.lua")),
            park: script(include_str!("lua/park.lua")),
            push: script(include_str!("lua/push.lua")),
            revive: script(include_str!("lua/revive.lua")),
            sweep: script(include_str!("lua/sweep.lua")),
            take: script(include_str!("lua/take.lua")),
            tend: script(include_str!("lua/tend.lua")),
            tick: script(include_str!("lua/tick.lua")),
        }
    }
}
