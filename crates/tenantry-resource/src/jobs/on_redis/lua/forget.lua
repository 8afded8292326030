-- Drops everything of a tenant: tenant. Answers with how many jobs it had.

local tenant = ARGV[1]
local dropped = 0

-- As many arguments as Lua can pass at once, and some.
local AT_ONCE = 1000

local function drop(ids, by_time)
    local keys = {}
    for at, id in ipairs(ids) do
        keys[at] = of_job(id)
    end
    redis.call('UNLINK', unpack(keys))
    if by_time then
        redis.call('ZREM', by_time, unpack(ids))
    end
    dropped = dropped + #ids
end

local function drop_sorted(key, skip)
    local found = redis.call('ZPOPMIN', key, AT_ONCE)
    while #found > 0 do
        local ids = {}
        -- After each member comes its score.
        for at = 1, #found, 2 do
            ids[#ids + 1] = string.sub(found[at], skip + 1)
        end
        drop(ids)
        found = redis.call('ZPOPMIN', key, AT_ONCE)
    end
end

local function drop_timed(key, by_time)
    local ids = redis.call('SPOP', key, AT_ONCE)
    while #ids > 0 do
        drop(ids, by_time)
        ids = redis.call('SPOP', key, AT_ONCE)
    end
end

for _, queue in ipairs(redis.call('SMEMBERS', queues_of(tenant))) do
    drop_sorted(of_tenant('ready', tenant, queue), ORDER)
    drop_sorted(of_tenant('dead', tenant, queue), 0)
    drop_timed(of_tenant('later', tenant, queue), of_queue('due', queue))
    drop_timed(of_tenant('running', tenant, queue), of_queue('leases', queue))
    redis.call('UNLINK', of_tenant('unique', tenant, queue))
    redis.call('HDEL', of_queue('starts', queue), tenant)
    for _, part in ipairs({ 'next', 'parked', 'empty' }) do
        redis.call('ZREM', of_queue(part, queue), tenant)
    end
end
redis.call('UNLINK', queues_of(tenant), ticks_of(tenant))
return dropped
