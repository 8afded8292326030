-- Forgets a tenant: tenant. Answers with how many jobs it had.
--
-- Its sets get other names here, however many jobs are in them, and so it has no jobs from now on. What is left of them is
-- removed by `sweep`, which lets the server do other things in between.

local tenant, dropped = ARGV[1], 0
needs_no_room()

local function set_aside(part, queue)
    local key = of_tenant(part, tenant, queue)
    if redis.call('EXISTS', key) == 1 then
        local number = string.format('%.0f', redis.call('INCR', base .. 'number'))
        redis.call('RENAME', key, of_gone(number))
        redis.call('RPUSH', base .. 'gone', number .. ':' .. part .. ':' .. queue)
    end
end

for _, queue in ipairs(redis.call('SMEMBERS', queues_of(tenant))) do
    local later, ready, running, dead = counts(tenant, queue)
    dropped = dropped + later + ready + running + dead
    for _, part in ipairs({ 'later', 'ready', 'running', 'dead' }) do
        set_aside(part, queue)
    end
    redis.call('UNLINK', of_tenant('unique', tenant, queue))
    redis.call('HDEL', of_queue('starts', queue), tenant)
    for _, part in ipairs({ 'next', 'parked', 'empty' }) do
        redis.call('ZREM', of_queue(part, queue), tenant)
    end
end
redis.call('UNLINK', queues_of(tenant), ticks_of(tenant))
return dropped
