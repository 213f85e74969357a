-- Of a layer whose rank is above the caller's, outside all regions that he has a right in, he may know nothing: its
-- thousand newest rows were read only to find that.  Where he may know some, they are read as before.
DO $$
DECLARE
  before text := pg_get_functiondef('spatial.layer_states(timestamptz)'::regprocedure);
  after text := regexp_replace(before, 'FROM register\.(\w+)( WHERE sys_to < ''infinity'')? ORDER BY (version|sys_to) DESC LIMIT 1000\)',
    'FROM register.\1\2 ORDER BY \3 DESC LIMIT CASE WHEN near <> ''{}'' OR (SELECT access.layer_rank(''\1'')) <= mine THEN 1000 ELSE 0 END)', 'g');
BEGIN
  IF after = before THEN
    RAISE EXCEPTION 'spatial.layer_states is not the function that this migration knows';
  END IF;
  EXECUTE after;
END $$;
ALTER FUNCTION spatial.layer_states(timestamptz) SET plan_cache_mode = force_generic_plan;
