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
