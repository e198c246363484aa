-- A sender is written down before the operator is asked, and goes where he refuses it.
-- AlterTable
ALTER TABLE "upstream_sender" ALTER COLUMN "reference" DROP NOT NULL;

GRANT UPDATE (reference), DELETE ON upstream_sender TO vertexsms_api;
