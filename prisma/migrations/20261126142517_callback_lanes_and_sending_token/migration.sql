-- DropIndex
DROP INDEX "callback_delivered_at_abandoned_at_next_at_idx";

-- AlterTable
ALTER TABLE "callback" ADD COLUMN     "attempts_max" INTEGER NOT NULL DEFAULT 12,
ADD COLUMN     "host" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "leased_until" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "message" ADD COLUMN     "manual_token_id" UUID;

-- CreateIndex
CREATE INDEX "callback_lane_idx" ON "callback"("delivered_at", "abandoned_at", "account_id", "host", "next_at");

-- CreateIndex
CREATE INDEX "callback_leased_until_idx" ON "callback"("leased_until");

-- CreateIndex
CREATE INDEX "message_manual_token_id_idx" ON "message"("manual_token_id");
