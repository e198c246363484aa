-- AlterTable
ALTER TABLE "send" ADD COLUMN     "repeats" BIGINT[] DEFAULT ARRAY[]::BIGINT[];
