-- AlterTable
ALTER TABLE "send" ADD COLUMN     "runner_id" UUID;
