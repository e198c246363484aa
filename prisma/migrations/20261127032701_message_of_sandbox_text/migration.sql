-- AlterTable
ALTER TABLE "sandbox_text" ADD COLUMN     "message_id" BIGINT;
