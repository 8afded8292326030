-- What goes on while a worker is there: queue, lease, how many jobs at most, what is said of those that were lost, and of what the
-- worker has each the id and the name of the attempt. Answers with how many were due, lost, and lost in their last attempt, and
-- with 1 if there may be more.

local queue, lease, step = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = now()
local until_now = string.format('%.0f', time)
needs_no_room()

for at = 5, #ARGV, 2 do
    local held = job(ARGV[at])
    if held and held.worker == ARGV[at + 1] and is_in(held, 'running') then
        local leases = of_queue('leases', held.queue)
        -- Where a third of the lease is over.
        if tonumber(redis.call('ZSCORE', leases, held.id)) < time + lease * 2 / 3 then
            redis.call('ZADD', leases, time + lease, held.id)
        end
    end
end

local lost, dead = 0, 0
local ended = redis.call('ZRANGEBYSCORE', of_queue('leases', queue), '-inf', '(' .. until_now, 'LIMIT', 0, step)
for _, id in ipairs(ended) do
    local found = job(id)
    if found and is_in(found, 'running') then
        local attempts = redis.call('HMGET', of_job(id), 'attempt', 'attempts_max')
        local is_last = tonumber(attempts[1]) >= tonumber(attempts[2])
        move(found, 'running', is_last and 'dead' or 'ready')
        redis.call('HINCRBY', of_job(id), 'lost', 1)
        redis.call('HSET', of_job(id), 'failure', ARGV[4])
        if is_last then
            dead = dead + 1
        else
            lost = lost + 1
        end
    else
        redis.call('ZREM', of_queue('leases', queue), id)
    end
end

local due = redis.call('ZRANGEBYSCORE', of_queue('due', queue), '-inf', until_now, 'LIMIT', 0, step)
local moved = 0
for _, id in ipairs(due) do
    local found = job(id)
    if found and is_in(found, 'later') then
        move(found, 'later', 'ready')
        moved = moved + 1
    else
        redis.call('ZREM', of_queue('due', queue), id)
    end
end

local starts = of_queue('starts', queue)
local parked = redis.call('ZRANGEBYSCORE', of_queue('parked', queue), '-inf', until_now, 'LIMIT', 0, step)
for _, tenant in ipairs(parked) do
    redis.call('ZREM', of_queue('parked', queue), tenant)
    settle(queue, tenant, tonumber(redis.call('HGET', starts, tenant)))
end

-- A tenant that is ahead of the clock keeps its place, so that it gains nothing by having no jobs for a moment.
local shown = string.format('%.0f', clock(queue))
local empty = redis.call('ZRANGEBYSCORE', of_queue('empty', queue), '-inf', shown, 'LIMIT', 0, step)
for _, tenant in ipairs(empty) do
    redis.call('HDEL', starts, tenant)
    redis.call('ZREM', of_queue('empty', queue), tenant)
    redis.call('ZREM', of_queue('parked', queue), tenant)
    redis.call('SREM', queues_of(tenant), queue)
end
sweep(tonumber(step))
local is_full = math.max(#ended, #due, #parked, #empty) == tonumber(step)
return { moved, lost, dead, is_full and 1 or 0 }
