-- What the roles may use besides the layers themselves.
GRANT USAGE ON SCHEMA register, access, gate TO mezha_gate, mezha_app, mezha_registrar;
GRANT USAGE ON SCHEMA history TO mezha_registrar;
GRANT EXECUTE ON FUNCTION history.close(text, bigint[]) TO mezha_registrar;
GRANT USAGE ON SEQUENCE register.object_id TO mezha_registrar;
GRANT SELECT ON access.layers TO mezha_app, mezha_registrar;
GRANT USAGE ON SCHEMA public TO mezha_app, mezha_registrar;
GRANT SELECT ON register.crs_definitions TO mezha_app, mezha_registrar;
