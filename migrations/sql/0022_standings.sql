-- What a layer's answer is worth to him who asks: nothing in it may tell of what he may not know.
DO $$
DECLARE
  layer text;
BEGIN
  FOREACH layer IN ARRAY ARRAY['municipalities', 'parcels', 'forestries', 'quarters', 'stands', 'forest_plots', 'leases',
    'licences', 'deposits', 'waste_sites', 'zones', 'cutting_areas'] LOOP
    EXECUTE format('CREATE INDEX ix_%1$s_past_narrowed ON register.%1$I (sys_to) WHERE sys_to < ''infinity'' AND visibility > 0', layer);
  END LOOP;
END $$;

-- Newest version and last change are those that the caller may know, among the thousand newest.  `narrowed` is the
-- greatest visibility of an object outside his regions at that moment: if it is above his rank, he cannot be told that
-- a place is clear.  Written out over all layers, so that a session plans it once and not at each call.
DO $$
DECLARE
  known_to text := '(greatest(visibility, (SELECT access.layer_rank(%1$L))) <= mine OR region = ANY (near))';
  parts text := (
    SELECT string_agg(format(
      'SELECT %1$L::text, last.version, greatest(last.sys_from, ended.sys_to),'
      ' (SELECT max(finished_at) FROM ingest.runs r WHERE r.layer = %1$L AND r.status = ''done''),'
      ' CASE WHEN known IS NULL THEN EXISTS (SELECT FROM register.%1$I WHERE sys_to = ''infinity'')'
      '   ELSE EXISTS (SELECT FROM register.%1$I WHERE sys_from <= known) END,'
      ' greatest((SELECT max(visibility) FROM register.%1$I WHERE sys_to = ''infinity'' AND visibility > 0'
      '     AND region <> ALL (near) AND (known IS NULL OR sys_from <= known)),'
      '   CASE WHEN known IS NOT NULL THEN (SELECT max(visibility) FROM register.%1$I'
      '     WHERE sys_to < ''infinity'' AND sys_to > known AND sys_from <= known AND visibility > 0 AND region <> ALL (near)) END,'
      '   0::smallint)'
      ' FROM (SELECT 1) one'
      ' LEFT JOIN LATERAL (SELECT version, sys_from FROM (SELECT version, sys_from, visibility, region'
      '     FROM register.%1$I ORDER BY version DESC LIMIT 1000) n WHERE ' || known_to || ' ORDER BY version DESC LIMIT 1) last ON true'
      ' LEFT JOIN LATERAL (SELECT sys_to FROM (SELECT sys_to, visibility, region'
      '     FROM register.%1$I WHERE sys_to < ''infinity'' ORDER BY sys_to DESC LIMIT 1000) n WHERE ' || known_to || ' ORDER BY sys_to DESC LIMIT 1) ended ON true',
      relname), ' UNION ALL ' ORDER BY relname)
    FROM pg_class WHERE relnamespace = 'register'::regnamespace AND relname IN ('municipalities', 'parcels', 'forestries',
      'quarters', 'stands', 'forest_plots', 'leases', 'licences', 'deposits', 'waste_sites', 'zones', 'cutting_areas'));
BEGIN
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION spatial.layer_states(known timestamptz)'
    ' RETURNS TABLE (layer text, newest bigint, changed_at timestamptz, confirmed_at timestamptz, loaded boolean, narrowed smallint)'
    ' LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS %L',
    'DECLARE mine smallint := access.rank(); near text[] := access.regions(); BEGIN RETURN QUERY ' || parts || '; END');
END $$;
