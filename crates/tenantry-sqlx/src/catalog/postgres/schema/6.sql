-- Step 6: who is only trying it.

UPDATE tenantry.catalog SET layout = 6;

-- A trial is erased some time after its end; who has become a customer is not one any more.
ALTER TABLE tenantry.catalog_tenants ADD COLUMN trial boolean NOT NULL DEFAULT false;
