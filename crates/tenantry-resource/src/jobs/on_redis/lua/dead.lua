-- Dead letters of a tenant, those that were pushed first: queue, tenant, how many at most.

local limit, answer = tonumber(ARGV[3]), {}
if limit > 0 then
    local ids = redis.call('ZRANGE', of_tenant('dead', ARGV[2], ARGV[1]), 0, limit - 1)
    for at, id in ipairs(ids) do
        answer[at] = redis.call('HMGET', of_job(id), 'attempt', 'failure', 'payload', 'metadata', 'signature')
        table.insert(answer[at], 1, id)
    end
end
return answer
