-- AlterTable
ALTER TABLE "approval" ADD COLUMN     "scheduled_at" TIMESTAMPTZ(3);
