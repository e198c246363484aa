-- Until now the last four characters of the whole value were kept, which are the checksum's. The value is not kept, so
-- those before it cannot be had: they are unknown until it is replaced.
UPDATE "api_token" SET "last_four" = NULL WHERE "last_four" IS NOT NULL;
