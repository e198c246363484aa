-- AlterTable
ALTER TABLE "send_message" ADD COLUMN     "told_micros" BIGINT;
