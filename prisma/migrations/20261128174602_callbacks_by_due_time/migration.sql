-- DropIndex
DROP INDEX "callback_lane_idx";

-- CreateIndex
CREATE INDEX "callback_due_idx" ON "callback"("delivered_at", "abandoned_at", "account_id", "next_at", "host");
