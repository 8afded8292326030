-- What became of a job: the name of the attempt, id, outcome, after how long it is to run again, why it failed, how long to
-- remember that it was there. Answers with 1, or 0 when the attempt is over.

local by, id, outcome = ARGV[1], ARGV[2], ARGV[3]
local ended = job(id)
if not ended or ended.worker ~= by or not is_in(ended, 'running') then
    return 0
end
needs_no_room()
if outcome == 'done' then
    move(ended, 'running', nil)
    redis.call('SET', of_done(id), of_whom(ended.tenant, ended.queue), 'PX', ARGV[6])
elseif outcome == 'again' then
    move(ended, 'running', 'later', now() + tonumber(ARGV[4]))
    redis.call('HSET', of_job(id), 'failure', ARGV[5])
elseif outcome == 'dead' then
    move(ended, 'running', 'dead')
    redis.call('HSET', of_job(id), 'failure', ARGV[5])
else
    move(ended, 'running', 'ready', nil, true)
    redis.call('HINCRBY', of_job(id), 'attempt', -1)
end
return 1
