-- DropIndex
DROP INDEX "send_message_spender_id_created_at_idx";

-- CreateIndex
CREATE INDEX "send_message_spender_id_handed_at_idx" ON "send_message"("spender_id", "handed_at");
