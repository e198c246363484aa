-- DropIndex
DROP INDEX "oidc_artifact_uid_idx";

-- AlterTable
ALTER TABLE "oidc_artifact" DROP COLUMN "uid";
