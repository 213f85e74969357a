-- Four roles.  owner: migrations.  gate: owns the views that serve.  app: serves, reads through the gates.
-- registrar: adds versions.  None but the owner may change a structure, none at all may rewrite a version.
DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['mezha_owner', 'mezha_gate', 'mezha_app', 'mezha_registrar'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server was migrated at the same moment
      END;
    END IF;
  END LOOP;
  EXECUTE format('GRANT mezha_owner, mezha_gate, mezha_app, mezha_registrar TO %I', current_user);
  -- The owner hands the gate its views.
  GRANT mezha_gate TO mezha_owner;
  EXECUTE format('GRANT CREATE ON DATABASE %I TO mezha_owner', current_database());
END $$;
