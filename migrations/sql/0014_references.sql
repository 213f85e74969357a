-- Reference lists (FKKO, OKTMO, OKVED, regions, calendars …): entries are versions, never rewritten, only closed.
CREATE TABLE register.reference_entries (
  version BIGINT GENERATED ALWAYS AS IDENTITY,
  list TEXT NOT NULL,
  code TEXT NOT NULL,
  title TEXT NOT NULL,
  parent TEXT,
  data JSONB NOT NULL DEFAULT '{}',
  digest UUID NOT NULL,
  run BIGINT NOT NULL,
  source_row INTEGER NOT NULL,
  sys_from TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT transaction_timestamp(),
  sys_to TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT 'infinity',
  CONSTRAINT pk_reference_entries PRIMARY KEY (version),
  CONSTRAINT fk_reference_entries_run FOREIGN KEY (run) REFERENCES ingest.runs (id),
  CONSTRAINT ck_reference_entries_sys_order CHECK (sys_from < sys_to)
);
CREATE UNIQUE INDEX ux_reference_entries_current ON register.reference_entries (list, code) WHERE sys_to = 'infinity';
CREATE INDEX ix_reference_entries_parent ON register.reference_entries (list, parent) WHERE sys_to = 'infinity';
GRANT SELECT ON register.reference_entries TO mezha_app, mezha_registrar;
GRANT INSERT ON register.reference_entries TO mezha_registrar;
-- Closing is the only change that the writing role may make.
GRANT UPDATE (sys_to) ON register.reference_entries TO mezha_registrar;
