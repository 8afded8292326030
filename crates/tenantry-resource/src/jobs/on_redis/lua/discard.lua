-- Removes a dead letter: queue, tenant, id. Answers with 0 when there is none.

local queue, tenant, id = ARGV[1], ARGV[2], ARGV[3]
if not redis.call('ZSCORE', of_tenant('dead', tenant, queue), id) then
    return 0
end
needs_no_room()
move(job(id), 'dead', nil)
return 1
