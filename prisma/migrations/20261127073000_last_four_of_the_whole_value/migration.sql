-- Until now the four characters before the checksum were kept, which are not the last ones that whoever holds the value
-- sees. The value is not kept, so the true ones cannot be had: they are unknown until it is replaced.
UPDATE "api_token" SET "last_four" = NULL WHERE "last_four" IS NOT NULL;
