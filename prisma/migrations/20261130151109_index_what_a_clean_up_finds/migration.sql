-- DropIndex
DROP INDEX "used_refresh_token_overlap_ends_at_idx";

-- CreateIndex
CREATE INDEX "message_of_connection" ON "message"("connection_id") WHERE (connection_id IS NOT NULL);

-- CreateIndex
CREATE INDEX "used_refresh_token_with_response" ON "used_refresh_token"("overlap_ends_at") WHERE (sealed_response IS NOT NULL);
