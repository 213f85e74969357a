-- A text that stands in half of a layer is not worth a list of its versions: from so many on, the layer is read as it is.
-- And the best few of each layer are chosen where they are found, under one snapshot, each layer looked at once.
ALTER TABLE search.layers ADD title text, ADD subtitle text;
UPDATE search.layers SET title = n.title, subtitle = n.subtitle FROM (VALUES
  ('municipalities', 'name', 'kind'),
  ('parcels', 'number', 'category'),
  ('forestries', 'name', 'kind'),
  ('forest_plots', 'number', 'forestry'),
  ('leases', 'number', 'holder'),
  ('licences', 'number, name', 'holder, name'),
  ('deposits', 'name', 'mineral'),
  ('waste_sites', 'name, number', 'number'),
  ('zones', 'name, number', 'kind'),
  ('cutting_areas', 'number', 'declaration')) AS n (name, title, subtitle) WHERE n.name = layers.name;
UPDATE search.layers SET title = format('coalesce(%s, '''')', title), subtitle = format('coalesce(%s, '''')', subtitle);
ALTER TABLE search.layers ALTER title SET NOT NULL, ALTER subtitle SET NOT NULL;

DROP FUNCTION search.found(text, text);

-- Current versions with a text like the pattern, of one layer or of all, whoever may see them: for the functions below,
-- which ask the gates.  NULL stands for more than `most` of a layer.
CREATE FUNCTION search.candidates(pattern text, wanted text, most bigint) RETURNS TABLE (layer text, versions bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  entry record;
BEGIN
  -- EXECUTE, because the plan depends on the pattern.
  RETURN QUERY EXECUTE
    'SELECT w.layer, CASE WHEN count(*) <= $3 THEN array_agg(w.version) END FROM search.words w'
    ' WHERE w.words ILIKE $1 AND ($2 IS NULL OR w.layer = $2) GROUP BY w.layer' USING pattern, wanted, most;
  FOR entry IN SELECT l.name, l.words FROM search.layers l
    WHERE l.name IN (SELECT p.layer FROM search.pending p) AND (wanted IS NULL OR l.name = wanted) LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %1$L::text, CASE WHEN count(*) <= $2 THEN array_agg(version) END FROM ('
      '  SELECT r.version FROM search.pending p JOIN register.%1$I r ON r.version BETWEEN p.first_version AND p.last_version'
      '  WHERE p.layer = %1$L AND r.sys_to = ''infinity'' AND %2$s ILIKE $1 LIMIT $2 + 1) f HAVING count(*) > 0',
      entry.name, entry.words) USING pattern, most;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION search.candidates(text, text, bigint) FROM PUBLIC;

-- Current versions of a layer with a text like the pattern that the caller may see; NULL where too many have it for a
-- list to spare work.
CREATE FUNCTION search.few(pattern text, wanted text) RETURNS bigint[] LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE
  entry record;
  listed bigint[] := '{}';
BEGIN
  FOR entry IN SELECT c.versions FROM search.candidates(pattern, wanted, 5000) c LOOP
    IF entry.versions IS NULL THEN
      RETURN NULL;
    END IF;
    listed := listed || entry.versions;
  END LOOP;
  EXECUTE format('SELECT coalesce(array_agg(version), ''{}'') FROM gate.%I WHERE version = ANY ($1) AND sys_to = ''infinity''', wanted)
    INTO listed USING listed;
  RETURN listed;
END $$;

-- The best few objects of each layer with a text like the pattern, as the caller may see them: the shortest titles first.
CREATE FUNCTION search.best(pattern text, most bigint)
RETURNS TABLE (layer text, id bigint, title text, subtitle text,
  west double precision, south double precision, east double precision, north double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  -- Shorter texts have no three letters that the index could look up: their layers are read.
  indexed boolean := length(pattern) >= length('%abc%');
  entry record;
BEGIN
  FOR entry IN
    WITH found AS (
      SELECT c.layer, bool_or(c.versions IS NULL) AS many, array_agg(v) AS versions
      FROM search.candidates(pattern, NULL, 5000) c LEFT JOIN unnest(c.versions) v ON true
      WHERE indexed GROUP BY c.layer)
    SELECT l.*, CASE WHEN NOT f.many THEN f.versions END AS versions
    FROM search.layers l LEFT JOIN found f ON f.layer = l.name WHERE f.layer IS NOT NULL OR NOT indexed
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %1$L::text, id, %2$s, %3$s, ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom) FROM gate.%1$I'
      ' WHERE sys_to = ''infinity'' AND %4$s ILIKE $1 AND %5$s ORDER BY length(%2$s), %2$s LIMIT $3',
      entry.name, entry.title, entry.subtitle, entry.words,
      CASE WHEN entry.versions IS NULL THEN 'true' ELSE 'version = ANY ($2)' END)
      USING pattern, entry.versions, most;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION search.few(text, text), search.best(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.few(text, text), search.best(text, bigint) TO mezha_app;
