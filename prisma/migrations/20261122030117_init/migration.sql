-- CreateEnum
CREATE TYPE "account_status" AS ENUM ('active', 'disabled');

-- CreateEnum
CREATE TYPE "message_status" AS ENUM ('scheduled', 'accepted', 'delivered', 'failed', 'cancelled');

-- CreateEnum
CREATE TYPE "sender_status" AS ENUM ('pending_confirmation', 'pending_review', 'confirmed', 'rejected');

-- CreateEnum
CREATE TYPE "api_token_kind" AS ENUM ('manual', 'oauth_access', 'oauth_refresh');

-- CreateTable
CREATE TABLE "account" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "status" "account_status" NOT NULL,
    "balance_micros" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "account_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "user_agent" TEXT NOT NULL,
    "address" TEXT NOT NULL,

    CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "passkey" (
    "id" TEXT NOT NULL,
    "account_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "public_key" BYTEA NOT NULL,
    "counter" BIGINT NOT NULL,
    "transports" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "passkey_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "access_request" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "company" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "handled_at" TIMESTAMPTZ(3),

    CONSTRAINT "access_request_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "password_link" (
    "id" UUID NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "email" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),

    CONSTRAINT "password_link_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "rate_counter" (
    "key" TEXT NOT NULL,
    "window_at" TIMESTAMPTZ(3) NOT NULL,
    "hits" INTEGER NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "rate_counter_pkey" PRIMARY KEY ("key","window_at")
);

-- CreateTable
CREATE TABLE "passkey_challenge" (
    "id" BYTEA NOT NULL,
    "account_id" UUID,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "passkey_challenge_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "oidc_client" (
    "id" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "fresh_until" TIMESTAMPTZ(3),

    CONSTRAINT "oidc_client_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "oidc_artifact" (
    "kind" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "grant_id" TEXT,
    "uid" TEXT,
    "account_id" UUID,
    "consumed_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "api_token_id" UUID,

    CONSTRAINT "oidc_artifact_pkey" PRIMARY KEY ("kind","id")
);

-- CreateTable
CREATE TABLE "used_refresh_token" (
    "token_hash" BYTEA NOT NULL,
    "connection_id" UUID NOT NULL,
    "client_id" TEXT NOT NULL,
    "used_at" TIMESTAMPTZ(3) NOT NULL,
    "sealed_response" BYTEA,
    "overlap_ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "used_refresh_token_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "signing_key" (
    "kid" TEXT NOT NULL,
    "alg" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "sealed_jwk" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "signs_from" TIMESTAMPTZ(3) NOT NULL,
    "retires_at" TIMESTAMPTZ(3),

    CONSTRAINT "signing_key_pkey" PRIMARY KEY ("kid")
);

-- CreateTable
CREATE TABLE "message" (
    "id" BIGSERIAL NOT NULL,
    "account_id" UUID NOT NULL,
    "connection_id" UUID,
    "recipient" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "coding" INTEGER NOT NULL,
    "parts" INTEGER NOT NULL,
    "priority" INTEGER NOT NULL,
    "price_micros" BIGINT NOT NULL,
    "mccmnc" TEXT NOT NULL,
    "status" "message_status" NOT NULL,
    "outcome_code" INTEGER NOT NULL,
    "error_code" INTEGER,
    "test_mode" INTEGER,
    "dlr_url" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "send_at" TIMESTAMPTZ(3) NOT NULL,
    "report_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "callback" (
    "id" BIGSERIAL NOT NULL,
    "account_id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "next_at" TIMESTAMPTZ(3) NOT NULL,
    "delivered_at" TIMESTAMPTZ(3),
    "abandoned_at" TIMESTAMPTZ(3),

    CONSTRAINT "callback_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "hlr_lookup" (
    "id" BIGSERIAL NOT NULL,
    "account_id" UUID NOT NULL,
    "msisdn" TEXT NOT NULL,
    "callback_url" TEXT,
    "price_micros" BIGINT NOT NULL,
    "result" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "hlr_lookup_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sender_id" (
    "id" BIGSERIAL NOT NULL,
    "account_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "category" TEXT,
    "category_description" TEXT,
    "notification_url" TEXT,
    "status" "sender_status" NOT NULL,
    "pin_hash" BYTEA,
    "pin_tries" INTEGER NOT NULL DEFAULT 0,
    "pin_expires_at" TIMESTAMPTZ(3),
    "review_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sender_id_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sandbox_text" (
    "id" BIGSERIAL NOT NULL,
    "account_id" UUID NOT NULL,
    "recipient" TEXT NOT NULL,
    "sender" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sandbox_text_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "connection" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "grant_id" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "client_name" TEXT NOT NULL,
    "redirect_host" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "approved_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "ended_reason" TEXT,

    CONSTRAINT "connection_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_token" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "connection_id" UUID,
    "kind" "api_token_kind" NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "permissions" TEXT[],
    "ip_allow_list" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_token_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "account_email_key" ON "account"("email");

-- CreateIndex
CREATE UNIQUE INDEX "session_secret_hash_key" ON "session"("secret_hash");

-- CreateIndex
CREATE INDEX "session_account_id_idx" ON "session"("account_id");

-- CreateIndex
CREATE INDEX "session_expires_at_idx" ON "session"("expires_at");

-- CreateIndex
CREATE INDEX "passkey_account_id_idx" ON "passkey"("account_id");

-- CreateIndex
CREATE UNIQUE INDEX "access_request_email_key" ON "access_request"("email");

-- CreateIndex
CREATE UNIQUE INDEX "password_link_secret_hash_key" ON "password_link"("secret_hash");

-- CreateIndex
CREATE INDEX "password_link_email_idx" ON "password_link"("email");

-- CreateIndex
CREATE INDEX "rate_counter_expires_at_idx" ON "rate_counter"("expires_at");

-- CreateIndex
CREATE INDEX "passkey_challenge_expires_at_idx" ON "passkey_challenge"("expires_at");

-- CreateIndex
CREATE INDEX "oidc_client_last_used_at_idx" ON "oidc_client"("last_used_at");

-- CreateIndex
CREATE INDEX "oidc_artifact_grant_id_idx" ON "oidc_artifact"("grant_id");

-- CreateIndex
CREATE INDEX "oidc_artifact_uid_idx" ON "oidc_artifact"("uid");

-- CreateIndex
CREATE INDEX "oidc_artifact_account_id_idx" ON "oidc_artifact"("account_id");

-- CreateIndex
CREATE INDEX "oidc_artifact_expires_at_idx" ON "oidc_artifact"("expires_at");

-- CreateIndex
CREATE INDEX "oidc_artifact_api_token_id_idx" ON "oidc_artifact"("api_token_id");

-- CreateIndex
CREATE INDEX "used_refresh_token_connection_id_idx" ON "used_refresh_token"("connection_id");

-- CreateIndex
CREATE INDEX "used_refresh_token_overlap_ends_at_idx" ON "used_refresh_token"("overlap_ends_at");

-- CreateIndex
CREATE INDEX "message_account_id_created_at_idx" ON "message"("account_id", "created_at");

-- CreateIndex
CREATE INDEX "message_status_report_at_idx" ON "message"("status", "report_at");

-- CreateIndex
CREATE INDEX "message_status_send_at_idx" ON "message"("status", "send_at");

-- CreateIndex
CREATE INDEX "callback_delivered_at_abandoned_at_next_at_idx" ON "callback"("delivered_at", "abandoned_at", "next_at");

-- CreateIndex
CREATE INDEX "callback_account_id_idx" ON "callback"("account_id");

-- CreateIndex
CREATE INDEX "hlr_lookup_account_id_idx" ON "hlr_lookup"("account_id");

-- CreateIndex
CREATE INDEX "hlr_lookup_due_at_idx" ON "hlr_lookup"("due_at");

-- CreateIndex
CREATE INDEX "sender_id_status_review_at_idx" ON "sender_id"("status", "review_at");

-- CreateIndex
CREATE UNIQUE INDEX "sender_id_account_id_type_name_key" ON "sender_id"("account_id", "type", "name");

-- CreateIndex
CREATE INDEX "sandbox_text_account_id_recipient_received_at_idx" ON "sandbox_text"("account_id", "recipient", "received_at");

-- CreateIndex
CREATE INDEX "sandbox_text_received_at_idx" ON "sandbox_text"("received_at");

-- CreateIndex
CREATE UNIQUE INDEX "connection_grant_id_key" ON "connection"("grant_id");

-- CreateIndex
CREATE INDEX "connection_account_id_idx" ON "connection"("account_id");

-- CreateIndex
CREATE INDEX "connection_client_id_idx" ON "connection"("client_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_token_token_hash_key" ON "api_token"("token_hash");

-- CreateIndex
CREATE INDEX "api_token_account_id_idx" ON "api_token"("account_id");

-- CreateIndex
CREATE INDEX "api_token_connection_id_idx" ON "api_token"("connection_id");

-- CreateIndex
CREATE INDEX "api_token_expires_at_idx" ON "api_token"("expires_at");

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "passkey" ADD CONSTRAINT "passkey_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "oidc_artifact" ADD CONSTRAINT "oidc_artifact_api_token_id_fkey" FOREIGN KEY ("api_token_id") REFERENCES "api_token"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "used_refresh_token" ADD CONSTRAINT "used_refresh_token_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connection"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connection"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "callback" ADD CONSTRAINT "callback_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "hlr_lookup" ADD CONSTRAINT "hlr_lookup_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sender_id" ADD CONSTRAINT "sender_id_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sandbox_text" ADD CONSTRAINT "sandbox_text_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connection" ADD CONSTRAINT "connection_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "connection"("id") ON DELETE CASCADE ON UPDATE CASCADE;
