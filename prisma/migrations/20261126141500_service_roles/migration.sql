-- One role a service, and what each may do. The logins that services connect with are members
-- (prepare-database makes them); an installation that connects as the owner is not affected.
-- A migration that makes a table or column says in the same file who may do what with it.

DO $$
DECLARE service text;
BEGIN
  FOREACH service IN ARRAY ARRAY['vertexsms_auth', 'vertexsms_api'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', service);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- made by another database of this cluster at the same moment
      END;
    END IF;
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO vertexsms_auth, vertexsms_api;

-- The authorization server: people, clients, connections, tokens and keys.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  account, session, passkey, passkey_challenge, password_link, access_request,
  oidc_client, oidc_artifact, used_refresh_token, signing_key, connection, api_token
TO vertexsms_auth;

-- The REST API: what is sent, asked and owed.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  message, callback, hlr_lookup, sender_id, sandbox_text
TO vertexsms_api;
GRANT USAGE ON SEQUENCE message_id_seq, callback_id_seq, hlr_lookup_id_seq, sender_id_id_seq, sandbox_text_id_seq
TO vertexsms_api;

-- Counters of limits are kept by both, under names of their own.
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_counter TO vertexsms_auth, vertexsms_api;

-- Across the line: an ending cancels and gives back what waits; the dashboard shows the sandbox phone.
GRANT SELECT, UPDATE (status) ON message TO vertexsms_auth;
GRANT SELECT ON sandbox_text, sender_id TO vertexsms_auth;

-- Across the line: the guard reads who calls and whether it lives, and marks the last use; sending moves the balance.
GRANT SELECT (id, email, status, balance_micros, created_at), UPDATE (balance_micros) ON account TO vertexsms_api;
GRANT SELECT, UPDATE (last_used_at) ON api_token TO vertexsms_api;
-- To hold a connection while something is sent under it (FOR SHARE) takes the right to change one column; this one
-- decides nothing.
GRANT SELECT, UPDATE (created_at) ON connection TO vertexsms_api;
-- Public halves only.
GRANT SELECT (kid, alg, public_jwk, created_at, signs_from, retires_at) ON signing_key TO vertexsms_api;
