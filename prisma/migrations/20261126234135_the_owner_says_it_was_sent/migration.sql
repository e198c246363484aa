-- AlterTable
ALTER TABLE "send_message" ADD COLUMN     "was_sent_at" TIMESTAMPTZ(3);

-- The owner's other word on a message of unknown outcome; the API, which has the whole table, acts on it.
GRANT UPDATE (was_sent_at) ON send_message TO vertexsms_auth;
