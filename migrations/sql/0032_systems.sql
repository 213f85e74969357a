-- PostGIS keeps a transformation that it knows by number; one that it is told by definition it works out for every
-- geometry anew, half a second each for the zones of GSK-2011.  So every system has a number.
CREATE SEQUENCE register.crs_numbers MINVALUE 920001 MAXVALUE 998999;

CREATE FUNCTION register.number_system() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NEW.definition ~ '^EPSG:\d{4,5}$' THEN
    NEW.srid := substr(NEW.definition, 6)::integer;
    INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid) VALUES (NEW.srid, 'EPSG', NEW.srid) ON CONFLICT DO NOTHING;
  ELSE
    -- A new number for a new definition: sessions remember what a number means.
    NEW.srid := nextval('register.crs_numbers');
    IF NEW.definition LIKE '+proj=%' THEN
      INSERT INTO spatial_ref_sys (srid, proj4text) VALUES (NEW.srid, NEW.definition);
    ELSE
      INSERT INTO spatial_ref_sys (srid, srtext) VALUES (NEW.srid, NEW.definition);
    END IF;
  END IF;
  RETURN NEW;
EXCEPTION WHEN insufficient_privilege THEN
  -- The table is not ours on some hosts; then the definition is told each time.
  NEW.srid := NULL;
  RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION register.number_system() FROM public;

ALTER TABLE register.crs_definitions ADD COLUMN srid integer;
CREATE TRIGGER numbered BEFORE INSERT OR UPDATE OF definition ON register.crs_definitions
  FOR EACH ROW EXECUTE FUNCTION register.number_system();
UPDATE register.crs_definitions SET definition = definition;
