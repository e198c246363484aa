-- CreateEnum
CREATE TYPE "notice_kind" AS ENUM ('new_connection', 'first_send', 'limit_near', 'auto_pause');

-- AlterTable
ALTER TABLE "account" ADD COLUMN     "language" TEXT,
ADD COLUMN     "muted_notices" "notice_kind"[] DEFAULT ARRAY[]::"notice_kind"[];

-- CreateTable
CREATE TABLE "password_request" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "origin" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3),
    "claimed_until" TIMESTAMPTZ(3),

    CONSTRAINT "password_request_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notice" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "spender_id" UUID NOT NULL,
    "kind" "notice_kind" NOT NULL,
    "about" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3),
    "claimed_until" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),

    CONSTRAINT "notice_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "password_request_next_at_idx" ON "password_request"("next_at");

-- CreateIndex
CREATE INDEX "notice_next_at_idx" ON "notice"("next_at");

-- CreateIndex
CREATE INDEX "notice_created_at_idx" ON "notice"("created_at");

-- CreateIndex
CREATE INDEX "notice_account_id_idx" ON "notice"("account_id");

-- CreateIndex
CREATE UNIQUE INDEX "notice_spender_id_kind_about_key" ON "notice"("spender_id", "kind", "about");

-- AddForeignKey
ALTER TABLE "notice" ADD CONSTRAINT "notice_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The API notes what it did, auth what it approved; auth alone sends, and marks that it did.
GRANT INSERT ON notice TO vertexsms_api;
GRANT SELECT, INSERT, UPDATE (attempts, next_at, claimed_until, sent_at), DELETE ON notice TO vertexsms_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON password_request TO vertexsms_auth;
-- What an account owns is told to its owner, all of it.
GRANT SELECT ON callback, hlr_lookup TO vertexsms_auth;
GRANT SELECT (id, account_id, type, name, notification_url, created_at, confirmed_at, reviewed_at) ON upstream_sender
TO vertexsms_auth;
