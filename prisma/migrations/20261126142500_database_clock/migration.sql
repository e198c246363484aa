-- The clock that decides wherever several nodes must agree: when a token, code, link or session is over, which window
-- a rate limit counts in, whose claim on a job still stands. Statement time, not transaction time: a statement that
-- waited for a lock in an earlier one must not judge by the time before the wait. It takes no offset and reads no
-- setting: only the owner of the function could change it, and no service is its owner.
CREATE FUNCTION "database_now"() RETURNS TIMESTAMPTZ LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT statement_timestamp()';
