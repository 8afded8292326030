-- Takes the next ready job of the tenant whose turn it is: queue, the name of the attempt, lease.

local queue, by, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local tenant = redis.call('ZRANGE', of_queue('next', queue), 0, 0)[1]
if not tenant then
    return false
end
needs_no_room()
local first = redis.call('ZRANGE', of_tenant('ready', tenant, queue), 0, 0)[1]
local taken = job(string.sub(first, ORDER + 1))
move(taken, 'ready', 'running', now() + lease)
redis.call('HSET', of_job(taken.id), 'worker', by)
redis.call('HINCRBY', of_job(taken.id), 'attempt', 1)
local found = redis.call(
    'HMGET', of_job(taken.id), 'attempt', 'lost', 'attempts_max', 'priority', 'payload', 'metadata', 'signature'
)
return { taken.id, tenant, unpack(found) }
