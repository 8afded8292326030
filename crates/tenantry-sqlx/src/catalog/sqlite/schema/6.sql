-- Step 6: who is only trying it.

PRAGMA user_version = 6;

-- A trial is erased some time after its end; who has become a customer is not one any more.
ALTER TABLE tenants ADD COLUMN trial INTEGER NOT NULL DEFAULT 0;
