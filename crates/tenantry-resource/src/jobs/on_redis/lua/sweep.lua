-- Removes what is left of jobs of tenants that were forgotten: how many at most. Answers with 1 if there may be more.

return sweep(tonumber(ARGV[1]))
