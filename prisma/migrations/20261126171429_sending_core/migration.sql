-- CreateEnum
CREATE TYPE "spender_kind" AS ENUM ('account', 'connection', 'token');

-- CreateEnum
CREATE TYPE "send_kind" AS ENUM ('sms', 'hlr', 'msisdn');

-- CreateEnum
CREATE TYPE "send_state" AS ENUM ('scheduled', 'held', 'handed_over', 'unknown', 'accepted', 'released');

-- CreateEnum
CREATE TYPE "approval_state" AS ENUM ('pending', 'approved', 'refused', 'expired', 'used');

-- AlterTable
ALTER TABLE "account" ADD COLUMN     "time_zone" TEXT;

-- AlterTable
ALTER TABLE "api_token" ADD COLUMN     "spender_id" UUID;

-- AlterTable
ALTER TABLE "connection" ADD COLUMN     "spender_id" UUID;

-- AlterTable
ALTER TABLE "message" ADD COLUMN     "order_id" BIGINT,
ADD COLUMN     "tell_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "hlr_lookup" ADD COLUMN     "order_id" BIGINT,
ADD COLUMN     "tell_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "spender" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "kind" "spender_kind" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "max_per_send_micros" BIGINT,
    "max_per_day_micros" BIGINT,
    "max_total_micros" BIGINT,
    "recipients_per_day" INTEGER,
    "countries" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "senders" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "ask_above_micros" BIGINT,
    "ask_new_country" BOOLEAN NOT NULL DEFAULT false,
    "paused_at" TIMESTAMPTZ(3),
    "resumed_at" TIMESTAMPTZ(3),
    "auto_paused_at" TIMESTAMPTZ(3),
    "auto_paused_reason" TEXT,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "spender_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "spender_count" (
    "spender_id" UUID NOT NULL,
    "upstream" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "day_ends_at" TIMESTAMPTZ(3) NOT NULL,
    "day_spent_micros" BIGINT NOT NULL DEFAULT 0,
    "day_held_micros" BIGINT NOT NULL DEFAULT 0,
    "day_recipients" INTEGER NOT NULL DEFAULT 0,
    "total_spent_micros" BIGINT NOT NULL DEFAULT 0,
    "total_held_micros" BIGINT NOT NULL DEFAULT 0,
    "handed_over" INTEGER NOT NULL DEFAULT 0,
    "scheduled" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "spender_count_pkey" PRIMARY KEY ("spender_id","upstream")
);

-- CreateTable
CREATE TABLE "send" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "spender_id" UUID NOT NULL,
    "connection_id" UUID,
    "token_id" UUID,
    "kind" "send_kind" NOT NULL,
    "upstream" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "route" TEXT NOT NULL,
    "key_hash" BYTEA,
    "payload_digest" BYTEA,
    "key_until" TIMESTAMPTZ(3),
    "approval_id" UUID,
    "sender" TEXT NOT NULL,
    "coding" INTEGER NOT NULL,
    "sealed_text" BYTEA,
    "priority" INTEGER NOT NULL,
    "test_mode" INTEGER,
    "dlr_url" TEXT,
    "scheduled_at" TIMESTAMPTZ(3),
    "expire_in_seconds" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "runner_until" TIMESTAMPTZ(3),

    CONSTRAINT "send_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "send_message" (
    "id" BIGINT NOT NULL,
    "send_id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "spender_id" UUID NOT NULL,
    "upstream" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "recipient" TEXT NOT NULL,
    "country" TEXT NOT NULL,
    "parts" INTEGER NOT NULL,
    "state" "send_state" NOT NULL,
    "hold_micros" BIGINT NOT NULL,
    "charged_micros" BIGINT NOT NULL,
    "charged_hold" BOOLEAN NOT NULL DEFAULT false,
    "day" DATE,
    "lease_until" TIMESTAMPTZ(3),
    "reference" TEXT,
    "failure" TEXT,
    "failure_number" INTEGER,
    "failure_reason" TEXT,
    "fingerprint" BYTEA,
    "fingerprint_until" TIMESTAMPTZ(3),
    "delivery" INTEGER,
    "delivery_error" INTEGER,
    "mccmnc" TEXT,
    "result" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "handed_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),
    "not_sent_at" TIMESTAMPTZ(3),
    "final_at" TIMESTAMPTZ(3),

    CONSTRAINT "send_message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "approval" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "spender_id" UUID NOT NULL,
    "upstream" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "digest" BYTEA NOT NULL,
    "state" "approval_state" NOT NULL,
    "ceiling_micros" BIGINT NOT NULL,
    "reason" TEXT NOT NULL,
    "recipients" INTEGER NOT NULL,
    "countries" TEXT[],
    "sender" TEXT NOT NULL,
    "sealed_text" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_at" TIMESTAMPTZ(3),
    "send_id" UUID,

    CONSTRAINT "approval_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "activity" (
    "id" BIGSERIAL NOT NULL,
    "account_id" UUID NOT NULL,
    "spender_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "what" TEXT NOT NULL,
    "outcome" TEXT NOT NULL,
    "country" TEXT,
    "parts" INTEGER,
    "amount_micros" BIGINT NOT NULL DEFAULT 0,
    "last_digits" TEXT,
    "send_id" UUID,
    "message_id" BIGINT,
    "upstream" TEXT NOT NULL,
    "count" INTEGER NOT NULL DEFAULT 1,
    "equal_key" TEXT,

    CONSTRAINT "activity_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "message_tell_at_idx" ON "message"("tell_at");

-- CreateIndex
CREATE INDEX "hlr_lookup_tell_at_idx" ON "hlr_lookup"("tell_at");

-- CreateIndex
CREATE INDEX "spender_account_id_idx" ON "spender"("account_id");

-- CreateIndex
CREATE INDEX "spender_ended_at_idx" ON "spender"("ended_at");

-- CreateIndex
CREATE INDEX "send_account_id_created_at_idx" ON "send"("account_id", "created_at");

-- CreateIndex
CREATE INDEX "send_connection_id_idx" ON "send"("connection_id");

-- CreateIndex
CREATE INDEX "send_token_id_idx" ON "send"("token_id");

-- CreateIndex
CREATE INDEX "send_key_until_idx" ON "send"("key_until");

-- CreateIndex
CREATE UNIQUE INDEX "send_key" ON "send"("spender_id", "upstream", "route", "key_hash");

-- CreateIndex
CREATE INDEX "send_message_send_id_idx" ON "send_message"("send_id");

-- CreateIndex
CREATE INDEX "send_message_account_id_created_at_idx" ON "send_message"("account_id", "created_at");

-- CreateIndex
CREATE INDEX "send_message_spender_id_created_at_idx" ON "send_message"("spender_id", "created_at");

-- CreateIndex
CREATE INDEX "send_message_state_lease_until_idx" ON "send_message"("state", "lease_until");

-- CreateIndex
CREATE INDEX "send_message_upstream_reference_idx" ON "send_message"("upstream", "reference");

-- CreateIndex
CREATE INDEX "send_message_final_at_idx" ON "send_message"("final_at");

-- CreateIndex
CREATE UNIQUE INDEX "send_message_fingerprint_key" ON "send_message"("fingerprint");

-- CreateIndex
CREATE INDEX "approval_spender_id_digest_idx" ON "approval"("spender_id", "digest");

-- CreateIndex
CREATE INDEX "approval_account_id_state_idx" ON "approval"("account_id", "state");

-- CreateIndex
CREATE INDEX "approval_expires_at_idx" ON "approval"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "activity_equal_key_key" ON "activity"("equal_key");

-- CreateIndex
CREATE INDEX "activity_account_id_at_idx" ON "activity"("account_id", "at");

-- CreateIndex
CREATE INDEX "activity_spender_id_at_idx" ON "activity"("spender_id", "at");

-- CreateIndex
CREATE INDEX "activity_at_idx" ON "activity"("at");

-- AddForeignKey
ALTER TABLE "spender" ADD CONSTRAINT "spender_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "spender_count" ADD CONSTRAINT "spender_count_spender_id_fkey" FOREIGN KEY ("spender_id") REFERENCES "spender"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "send" ADD CONSTRAINT "send_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "send_message" ADD CONSTRAINT "send_message_send_id_fkey" FOREIGN KEY ("send_id") REFERENCES "send"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "approval" ADD CONSTRAINT "approval_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "activity" ADD CONSTRAINT "activity_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The owner's side: limits, the pause, the end, decisions; it reads the rest.
GRANT SELECT, INSERT, DELETE ON spender TO vertexsms_auth;
GRANT UPDATE (max_per_send_micros, max_per_day_micros, max_total_micros, recipients_per_day, countries, senders,
              ask_above_micros, ask_new_country, paused_at, resumed_at, ended_at) ON spender TO vertexsms_auth;
GRANT SELECT ON spender_count, send, send_message, approval, activity TO vertexsms_auth;
GRANT UPDATE (state, decided_at, expires_at, sealed_text) ON approval TO vertexsms_auth;
GRANT UPDATE (not_sent_at) ON send_message TO vertexsms_auth;

-- The API's: everything that spends. It makes a spender without limits, and pauses one.
GRANT SELECT, INSERT (id, account_id, kind, created_at), UPDATE (auto_paused_at, auto_paused_reason) ON spender
TO vertexsms_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON spender_count, send, send_message, approval TO vertexsms_api;
-- What was told is not told otherwise later: only the count of equal refusals moves.
GRANT SELECT, INSERT, UPDATE (count), DELETE ON activity TO vertexsms_api;
GRANT USAGE ON SEQUENCE activity_id_seq TO vertexsms_api;
GRANT SELECT (time_zone) ON account TO vertexsms_api;
