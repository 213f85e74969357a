-- A boundary of some hundred points stands in its row as it is: setting it apart compressed costs a load an eighth of its
-- time, and every tile has to bring it back.
DO $$
DECLARE
  layer text;
BEGIN
  FOREACH layer IN ARRAY ARRAY['municipalities', 'parcels', 'forestries', 'quarters', 'stands', 'forest_plots', 'leases',
    'licences', 'deposits', 'waste_sites', 'zones', 'cutting_areas'] LOOP
    EXECUTE format('ALTER TABLE register.%I SET (toast_tuple_target = 8160)', layer);
  END LOOP;
END $$;
