-- Whether a layer held anything at an earlier moment was found by reading the layer until the first such row: a million
-- rows where the newest lie in front.  The earliest beginning answers it, and an index knows it.
DO $$
DECLARE
  layer text;
  before text := pg_get_functiondef('spatial.layer_states(timestamptz)'::regprocedure);
  after text := regexp_replace(before, 'EXISTS \(SELECT FROM register\.(\w+) WHERE sys_from <= known\)',
    'coalesce((SELECT min(sys_from) FROM register.\1) <= known, false)', 'g');
BEGIN
  IF after = before THEN
    RAISE EXCEPTION 'spatial.layer_states is not the function that this migration knows';
  END IF;
  FOREACH layer IN ARRAY ARRAY['municipalities', 'parcels', 'forestries', 'quarters', 'stands', 'forest_plots', 'leases',
    'licences', 'deposits', 'waste_sites', 'zones', 'cutting_areas'] LOOP
    EXECUTE format('CREATE INDEX ix_%1$s_begun ON register.%1$I (sys_from)', layer);
  END LOOP;
  EXECUTE after;
END $$;

-- Planned once a session, not at each of the first five calls: planning takes ten times as long as asking.
ALTER FUNCTION spatial.layer_states(timestamptz) SET plan_cache_mode = force_generic_plan;
