-- What every script begins with: where things are, and how a job goes from one state to another.
--
-- The one key that is declared says on which node of a cluster all of this is; all others begin as it does, and so have its slot.
-- A number that goes into a text is formatted first: Lua by itself keeps fourteen digits. Redis is given numbers as they are.

local base = string.sub(KEYS[1], 1, -1 - #'layout')

-- What a queue has:
--   starts  of each tenant that has a turn, when its next job begins, counted in jobs: the smallest one is next
--   clock   the start of the job that was taken last
--   next    the tenants that have ready jobs and are not parked, by start
--   parked  the tenants of which no jobs are taken, by when that ends
--   empty   the tenants that have a turn and no jobs, by start
--   due     the jobs whose time has not come, by when it comes
--   leases  the jobs that workers have, by when their leases end
local function of_queue(part, queue)
    return base .. part .. ':' .. queue
end

-- What a tenant has in a queue: its jobs, in one of the sets `ready`, `later`, `running` and `dead`, and `unique`, which job
-- has a unique key. A tenant is a number, so that there is one way only to read a key.
local function of_tenant(part, tenant, queue)
    return base .. part .. ':' .. tenant .. ':' .. queue
end

local function of_job(id)
    return base .. 'job:' .. id
end

-- Whose a job was that is done, for as long as somebody might push it again who has not heard that it was pushed.
local function of_done(id)
    return base .. 'done:' .. id
end

local function of_whom(tenant, queue)
    return tenant .. ':' .. queue
end

-- The queues in which a tenant has a turn.
local function queues_of(tenant)
    return base .. 'queues:' .. tenant
end

-- A set of jobs of a tenant that was forgotten. They are listed in `gone`, each as number, state and queue.
local function of_gone(number)
    return base .. 'gone:' .. number
end

local function ticks_of(tenant)
    return base .. 'ticks:' .. tenant
end

-- A schedule of a queue. The length comes first, so that no two look alike.
local function tick_field(queue, schedule)
    return #queue .. ':' .. queue .. ':' .. schedule
end

-- In milliseconds since 1970, by the server's clock.
local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- A server without room refuses whatever takes some, unless the script has written before. What workers do makes room in the
-- end, so that they are let go on; pushing is refused before anything is changed.
local function needs_no_room()
    redis.call('DEL', base .. 'nothing')
end

local function clock(queue)
    return tonumber(redis.call('GET', of_queue('clock', queue)) or 0)
end

-- The jobs of a tenant are ordered by this: the lowest rank first, which is the highest priority, then what was pushed first.
-- Members with the same score are in the order of their bytes, and a score has too few digits.
local ORDER = 32

local function job(id)
    local found = redis.call('HMGET', of_job(id), 'queue', 'tenant', 'order', 'unique', 'worker')
    if not found[1] then
        return nil
    end
    return { id = id, queue = found[1], tenant = found[2], order = found[3], unique = found[4], worker = found[5] }
end

-- Whether a worker has the job, or its time has not come. It may be one of a tenant that was forgotten, and not be removed yet.
local function is_in(job, state)
    return redis.call('SISMEMBER', of_tenant(state, job.tenant, job.queue), job.id) == 1
end

-- Puts the tenant where it belongs among the tenants of the queue.
local function settle(queue, tenant, start)
    local is_ready = redis.call('EXISTS', of_tenant('ready', tenant, queue)) == 1
    if is_ready and not redis.call('ZSCORE', of_queue('parked', queue), tenant) then
        redis.call('ZADD', of_queue('next', queue), start, tenant)
    else
        redis.call('ZREM', of_queue('next', queue), tenant)
    end
    local others = { 'later', 'running', 'dead' }
    for at, part in ipairs(others) do
        others[at] = of_tenant(part, tenant, queue)
    end
    if is_ready or redis.call('EXISTS', unpack(others)) > 0 then
        redis.call('ZREM', of_queue('empty', queue), tenant)
    else
        redis.call('ZADD', of_queue('empty', queue), start, tenant)
    end
end

local function leave(job, state)
    if state == 'ready' then
        redis.call('ZREM', of_tenant('ready', job.tenant, job.queue), job.order .. job.id)
    elseif state == 'dead' then
        redis.call('ZREM', of_tenant('dead', job.tenant, job.queue), job.id)
    else
        redis.call('SREM', of_tenant(state, job.tenant, job.queue), job.id)
        redis.call('ZREM', of_queue(state == 'later' and 'due' or 'leases', job.queue), job.id)
    end
end

local function enter(job, state, time)
    if state == 'ready' then
        redis.call('ZADD', of_tenant('ready', job.tenant, job.queue), 0, job.order .. job.id)
    elseif state == 'dead' then
        redis.call('ZADD', of_tenant('dead', job.tenant, job.queue), tonumber(string.sub(job.order, -16)), job.id)
    else
        redis.call('SADD', of_tenant(state, job.tenant, job.queue), job.id)
        redis.call('ZADD', of_queue(state == 'later' and 'due' or 'leases', job.queue), time, job.id)
    end
end

-- Moves a job from one state to another, and its tenant's turn with it: every change of a state is made here. A job that is
-- new comes from none, and one that is not kept goes to none. `time` is when a job is due that is to run later, and when the
-- lease of a running one ends; `for_nothing`, that it was taken and not run.
--
-- A tenant that has had no ready job begins where the clock is: it neither waits behind what others have collected, nor comes
-- before them for the time that it had no jobs.
local function move(job, from, to, time, for_nothing)
    local queue, tenant = job.queue, job.tenant
    local starts, shown = of_queue('starts', queue), clock(queue)
    local known = redis.call('HGET', starts, tenant)
    local start = tonumber(known or shown)
    if for_nothing then
        start = start - 1
    elseif to == 'ready' and redis.call('EXISTS', of_tenant('ready', tenant, queue)) == 0 then
        start = math.max(start, shown)
    end
    if from then
        leave(job, from)
    end
    if to == 'running' then
        redis.call('SET', of_queue('clock', queue), math.max(shown, start))
        start = start + 1
    end
    if to then
        enter(job, to, time)
    end
    if from == 'running' then
        redis.call('HDEL', of_job(job.id), 'worker')
    end
    if job.unique and (to == nil or to == 'dead') then
        local unique = of_tenant('unique', tenant, queue)
        if redis.call('HGET', unique, job.unique) == job.id then
            redis.call('HDEL', unique, job.unique)
        end
    end
    if to == nil then
        redis.call('UNLINK', of_job(job.id))
    end
    redis.call('HSET', starts, tenant, start)
    if not known then
        redis.call('SADD', queues_of(tenant), queue)
    end
    settle(queue, tenant, start)
end

-- How many jobs a tenant has in a queue: later, ready, running and dead.
local function counts(tenant, queue)
    return redis.call('SCARD', of_tenant('later', tenant, queue)),
        redis.call('ZCARD', of_tenant('ready', tenant, queue)),
        redis.call('SCARD', of_tenant('running', tenant, queue)),
        redis.call('ZCARD', of_tenant('dead', tenant, queue))
end

-- Removes what is left of so many jobs of tenants that were forgotten. Says whether there may be more.
local function sweep(step)
    local gone = redis.call('LINDEX', base .. 'gone', 0)
    if not gone then
        return 0
    end
    local number, state, queue = string.match(gone, '^(%d+):(%a+):(.*)$')
    local key, ids = of_gone(number), {}
    if state == 'ready' or state == 'dead' then
        -- After each member comes its score.
        local found = redis.call('ZPOPMIN', key, step)
        for at = 1, #found, 2 do
            ids[#ids + 1] = string.sub(found[at], state == 'ready' and ORDER + 1 or 1)
        end
    else
        ids = redis.call('SPOP', key, step)
    end
    local jobs = {}
    for at, id in ipairs(ids) do
        jobs[at] = of_job(id)
    end
    if #ids > 0 then
        redis.call('UNLINK', unpack(jobs))
        redis.call('ZREM', of_queue(state == 'later' and 'due' or 'leases', queue), unpack(ids))
    end
    if #ids < step then
        redis.call('LPOP', base .. 'gone')
    end
    return 1
end

-- The new job whose description begins at ARGV[at].
local NEW = 9
local function new_job(queue, tenant, at)
    return {
        id = ARGV[at],
        queue = queue,
        tenant = tenant,
        delay = tonumber(ARGV[at + 1]),
        rank = ARGV[at + 2],
        -- Empty, or a mark and the key.
        unique = ARGV[at + 5] ~= '' and string.sub(ARGV[at + 5], 2),
        fields = {
            'priority', ARGV[at + 3], 'attempts_max', ARGV[at + 4],
            'payload', ARGV[at + 6], 'metadata', ARGV[at + 7], 'signature', ARGV[at + 8],
        },
    }
end

local function add(job)
    -- The first thing that is written, and it takes room.
    local number = redis.call('INCR', base .. 'number')
    job.order = job.rank .. string.format('%016.0f', number)
    redis.call(
        'HSET', of_job(job.id), 'queue', job.queue, 'tenant', job.tenant, 'order', job.order, 'attempt', 0, 'lost', 0,
        unpack(job.fields)
    )
    if job.unique then
        redis.call('HSET', of_job(job.id), 'unique', job.unique)
        redis.call('HSET', of_tenant('unique', job.tenant, job.queue), job.unique, job.id)
    end
    if job.delay > 0 then
        move(job, nil, 'later', now() + job.delay)
    else
        move(job, nil, 'ready')
    end
end
