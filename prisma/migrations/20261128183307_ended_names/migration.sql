-- AlterTable
ALTER TABLE "spender" ADD COLUMN     "ended_name" TEXT;

GRANT UPDATE (ended_name) ON spender TO vertexsms_auth;
