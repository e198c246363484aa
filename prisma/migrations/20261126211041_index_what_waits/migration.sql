-- DropIndex
DROP INDEX "send_key_until_idx";

-- DropIndex
DROP INDEX "send_message_account_id_created_at_idx";

-- DropIndex
DROP INDEX "send_message_final_at_idx";

-- CreateIndex
CREATE INDEX "send_created_at_idx" ON "send"("created_at");

-- CreateIndex
CREATE INDEX "send_waiting" ON "send"("scheduled_at") WHERE (sealed_text IS NOT NULL);

-- CreateIndex
CREATE INDEX "send_message_account_id_country_spender_id_idx" ON "send_message"("account_id", "country", "spender_id");

-- CreateIndex
CREATE INDEX "send_message_with_number" ON "send_message"("final_at") WHERE (length(recipient) > 3);
