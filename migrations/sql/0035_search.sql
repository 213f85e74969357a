-- Search by a part of a name, a number or a holder, from an index that is filled after the commit: three letters of every
-- text in an index of the register cost a load a third of its time in the database.  A version that is not in
-- search.words yet lies in a range of search.pending, in every snapshot: so nothing is missed and nothing waits.
-- docs/decisions/0098-search-is-filled-after-the-commit.md
CREATE SCHEMA search;

-- Layers that people search, and what of them: one text, each column on a line of its own.
CREATE TABLE search.layers (
  name text PRIMARY KEY,
  words text NOT NULL
);
INSERT INTO search.layers
SELECT name, format('concat_ws(E''\n'', %s)', columns) FROM (VALUES
  ('municipalities', 'name, name_latin'),
  ('parcels', 'number, address'),
  ('forestries', 'name, code'),
  ('forest_plots', 'number, cadastral_number'),
  ('leases', 'number, holder, holder_inn'),
  ('licences', 'number, name, holder, holder_inn'),
  ('deposits', 'name, number'),
  ('waste_sites', 'number, name, holder, holder_inn'),
  ('zones', 'number, name'),
  ('cutting_areas', 'number, declaration, holder, holder_inn')) AS l (name, columns);

CREATE TABLE search.words (
  layer text NOT NULL,
  version bigint NOT NULL,
  words text NOT NULL,
  PRIMARY KEY (layer, version)
);
CREATE INDEX ix_words ON search.words USING gin (words gin_trgm_ops);

-- Versions that are not in search.words yet: one row a statement, however many versions it added.
CREATE TABLE search.pending (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  layer text NOT NULL,
  first_version bigint NOT NULL,
  last_version bigint NOT NULL
);

CREATE FUNCTION search.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO search.pending (layer, first_version, last_version)
    SELECT TG_TABLE_NAME, min(version), max(version) FROM added HAVING count(*) > 0;
  RETURN NULL;
END $$;

-- Fills in the oldest range, at most `most` versions of it; returns how many ranges wait still.
CREATE FUNCTION search.fill(most bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public AS $$
DECLARE
  p search.pending;
  last bigint;
BEGIN
  SELECT * INTO p FROM search.pending ORDER BY seq LIMIT 1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  last := least(p.last_version, p.first_version + most - 1);
  EXECUTE format(
    'INSERT INTO search.words SELECT %L, version, %s FROM register.%I'
    ' WHERE version BETWEEN $1 AND $2 AND sys_to = ''infinity'' ON CONFLICT DO NOTHING',
    p.layer, (SELECT words FROM search.layers WHERE name = p.layer), p.layer) USING p.first_version, last;
  IF last = p.last_version THEN
    DELETE FROM search.pending WHERE seq = p.seq;
  ELSE
    UPDATE search.pending SET first_version = last + 1 WHERE seq = p.seq;
  END IF;
  RETURN (SELECT count(*) FROM search.pending);
END $$;

-- What was just filled in waits beside the index, where every question reads it through.
CREATE FUNCTION search.settle() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
$$ SELECT gin_clean_pending_list('search.ix_words'::regclass) $$;

-- Takes closed versions out; until then the gates' question for the moment leaves them out.
CREATE FUNCTION search.sweep() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  layer text;
  swept bigint := 0;
  gone bigint;
BEGIN
  FOR layer IN SELECT name FROM search.layers LOOP
    EXECUTE format(
      'DELETE FROM search.words w USING register.%1$I r WHERE w.layer = %1$L AND r.version = w.version AND r.sys_to < ''infinity''', layer);
    GET DIAGNOSTICS gone = ROW_COUNT;
    swept := swept + gone;
  END LOOP;
  RETURN swept;
END $$;

-- Current versions with a text like the pattern, of one layer or of all: those that the caller may see, for they are
-- asked of the gates.  What it returns is looked at again by whoever asks; it only spares him reading the whole layer.
CREATE FUNCTION search.found(pattern text, wanted text DEFAULT NULL) RETURNS TABLE (layer text, version bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = pg_catalog, public AS $$
DECLARE
  entry record;
BEGIN
  -- EXECUTE, because the plan depends on the pattern.
  FOR entry IN EXECUTE
    'SELECT w.layer, array_agg(w.version) AS versions FROM search.words w'
    ' WHERE w.words ILIKE $1 AND ($2 IS NULL OR w.layer = $2) GROUP BY w.layer' USING pattern, wanted LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %1$L::text, version FROM gate.%1$I WHERE version = ANY ($1) AND sys_to = ''infinity''', entry.layer)
      USING entry.versions;
  END LOOP;
  FOR entry IN SELECT l.name, l.words FROM search.layers l
    WHERE l.name IN (SELECT p.layer FROM search.pending p) AND (wanted IS NULL OR l.name = wanted) LOOP
    RETURN QUERY EXECUTE format(
      'SELECT %1$L::text, version FROM search.pending p JOIN gate.%1$I ON version BETWEEN p.first_version AND p.last_version'
      ' WHERE p.layer = %1$L AND sys_to = ''infinity'' AND %2$s ILIKE $1', entry.name, entry.words) USING pattern;
  END LOOP;
END $$;

REVOKE ALL ON FUNCTION search.fill(bigint), search.settle(), search.sweep(), search.found(text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA search TO mezha_app, mezha_registrar;
GRANT SELECT ON search.pending TO mezha_registrar;
GRANT EXECUTE ON FUNCTION search.fill(bigint), search.settle(), search.sweep() TO mezha_registrar;
GRANT EXECUTE ON FUNCTION search.found(text, text) TO mezha_app;

-- The old indexes answered questions for one whole number too; those are answered by a small one of their own.
DO $$
DECLARE
  entry search.layers;
BEGIN
  FOR entry IN SELECT * FROM search.layers LOOP
    EXECUTE format('DROP INDEX register.%I', 'ix_' || entry.name || '_search');
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = format('register.%I', entry.name)::regclass AND attname = 'number') THEN
      EXECUTE format('CREATE INDEX ix_%1$s_current_number ON register.%1$I (number text_pattern_ops) WHERE sys_to = ''infinity''', entry.name);
    END IF;
    EXECUTE format('CREATE TRIGGER search_noted AFTER INSERT ON register.%I REFERENCING NEW TABLE AS added'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION search.note()', entry.name);
    EXECUTE format('INSERT INTO search.pending (layer, first_version, last_version)'
                   ' SELECT %1$L, min(version), max(version) FROM register.%1$I HAVING count(*) > 0', entry.name);
  END LOOP;
END $$;
