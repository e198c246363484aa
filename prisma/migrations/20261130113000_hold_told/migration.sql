-- AlterTable
ALTER TABLE "send_message" ADD COLUMN     "hold_told" BOOLEAN NOT NULL DEFAULT false;
