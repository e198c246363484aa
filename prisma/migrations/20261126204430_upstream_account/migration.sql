-- CreateTable
CREATE TABLE "upstream_account" (
    "id" UUID NOT NULL,
    "account_id" UUID NOT NULL,
    "sealed_token" BYTEA,
    "last_four" TEXT,
    "generation" INTEGER NOT NULL,
    "hlr_price_micros" BIGINT,
    "checked_at" TIMESTAMPTZ(3),
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "upstream_account_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "upstream_account_account_id_key" ON "upstream_account"("account_id");

-- AddForeignKey
ALTER TABLE "upstream_account" ADD CONSTRAINT "upstream_account_account_id_fkey" FOREIGN KEY ("account_id") REFERENCES "account"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Auth seals and counts; what is removed stays as an empty row, so that no generation comes twice.
GRANT SELECT, INSERT, UPDATE (sealed_token, last_four, generation, hlr_price_micros, checked_at, changed_at)
ON upstream_account TO vertexsms_auth;
-- The API opens it to call the operator.
GRANT SELECT (id, account_id, sealed_token, generation, hlr_price_micros) ON upstream_account TO vertexsms_api;
