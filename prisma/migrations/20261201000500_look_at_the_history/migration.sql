-- A service that starts looks whether every migration that it knows was applied. Prisma's shadow database has no history.
DO $$
BEGIN
  IF to_regclass('_prisma_migrations') IS NOT NULL THEN
    GRANT SELECT (migration_name, finished_at) ON "_prisma_migrations" TO vertexsms_auth, vertexsms_api;
  END IF;
END
$$;
