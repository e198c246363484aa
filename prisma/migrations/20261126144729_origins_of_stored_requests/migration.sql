-- Who fills a room (apps/auth/src/room.ts), beside what strangers can make us store. The rights on these tables are whole
-- tables' and hold for the new columns. A request for access no longer replaces another's of the same e-mail address; while
-- two versions run side by side the older one's form for such requests answers 500.

-- DropIndex
DROP INDEX "access_request_email_key";

-- AlterTable
ALTER TABLE "access_request" ADD COLUMN     "origin" TEXT;

-- AlterTable
ALTER TABLE "oidc_artifact" ADD COLUMN     "origin" TEXT;

-- AlterTable
ALTER TABLE "oidc_client" ADD COLUMN     "origin" TEXT;

-- CreateIndex
CREATE INDEX "access_request_email_idx" ON "access_request"("email");

-- CreateIndex
CREATE INDEX "access_request_handled_at_idx" ON "access_request"("handled_at");
