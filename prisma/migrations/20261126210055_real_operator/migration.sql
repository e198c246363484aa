-- AlterTable
ALTER TABLE "send_message" ADD COLUMN     "ask_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "upstream_sender" (
    "id" BIGINT NOT NULL,
    "account_id" UUID NOT NULL,
    "generation" INTEGER NOT NULL,
    "reference" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "notification_url" TEXT,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "confirmed_at" TIMESTAMPTZ(3),
    "reviewed_at" TIMESTAMPTZ(3),

    CONSTRAINT "upstream_sender_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "upstream_sender_account_id_idx" ON "upstream_sender"("account_id");

-- AddForeignKey
ALTER TABLE "upstream_sender" ADD CONSTRAINT "upstream_sender_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The API registers, confirms and is told of reviews.
GRANT SELECT, INSERT, UPDATE (tries, confirmed_at, reviewed_at) ON upstream_sender TO vertexsms_api;
