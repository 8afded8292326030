-- Makes a dead letter ready again: queue, tenant, id. Answers with 0 when there is none, and when an unfinished job has its
-- unique key by now.

local queue, tenant, id = ARGV[1], ARGV[2], ARGV[3]
if not redis.call('ZSCORE', of_tenant('dead', tenant, queue), id) then
    return 0
end
local revived, unique = job(id), of_tenant('unique', tenant, queue)
if revived.unique and redis.call('HEXISTS', unique, revived.unique) == 1 then
    return 0
end
redis.call('HSET', of_job(id), 'attempt', 0, 'lost', 0)
redis.call('HDEL', of_job(id), 'failure')
if revived.unique then
    redis.call('HSET', unique, revived.unique, id)
end
move(revived, 'dead', 'ready')
return 1
