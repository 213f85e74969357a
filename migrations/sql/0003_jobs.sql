-- One door for background jobs: anything that may ask for one calls it in its own transaction.
CREATE FUNCTION jobs.enqueue(task text, arguments jsonb, queue text DEFAULT 'default', lock text DEFAULT NULL,
                             once text DEFAULT NULL, due timestamptz DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_catalog AS $$
DECLARE
  made bigint[];
BEGIN
  made := procrastinate_defer_jobs_v1(ARRAY[
    ROW(queue, task, 0, lock, once, arguments, due)::procrastinate_job_to_defer_v1]);
  RETURN made[1];
EXCEPTION WHEN unique_violation THEN
  -- A job with this `once` waits already: that one will do.
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION jobs.enqueue FROM PUBLIC;
GRANT USAGE ON SCHEMA jobs TO mezha_app, mezha_registrar;
GRANT EXECUTE ON FUNCTION jobs.enqueue TO mezha_app, mezha_registrar;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO mezha_registrar;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO mezha_registrar;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO mezha_registrar;
