-- A token keeps its row when its value is replaced; a row of its own holds the value before, and goes with it. Both
-- services may do with the new columns what they may with the table: auth writes, the API reads.

-- AlterTable
ALTER TABLE "api_token" ADD COLUMN     "last_four" TEXT,
ADD COLUMN     "replaced_by" UUID;

-- CreateIndex
CREATE INDEX "api_token_replaced_by_idx" ON "api_token"("replaced_by");

-- AddForeignKey
ALTER TABLE "api_token" ADD CONSTRAINT "api_token_replaced_by_fkey" FOREIGN KEY ("replaced_by") REFERENCES "api_token"("id") ON DELETE CASCADE ON UPDATE CASCADE;
