-- AlterEnum
ALTER TYPE "notice_kind" ADD VALUE 'passkey_added';
ALTER TYPE "notice_kind" ADD VALUE 'passkey_removed';
