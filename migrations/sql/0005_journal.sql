-- Who did what: appended in the transaction of what it records, chained at once, never changed.  docs/decisions/0040.
CREATE SCHEMA journal;

-- What happened.  A strand is one of 128 chains; the number counts within it from 1 without a gap.
CREATE TABLE journal.entries (
  strand smallint NOT NULL,
  number bigint NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  account bigint,
  concerned bigint,
  subject text,
  object bigint,
  region text,
  inn text,
  address text,
  details jsonb NOT NULL,
  salt uuid NOT NULL,
  CONSTRAINT pk_entries PRIMARY KEY (strand, number),
  CONSTRAINT ck_entries_details_short CHECK (octet_length(details::text) <= 16384)
);
CREATE INDEX ix_entries_at ON journal.entries (at);
CREATE INDEX ix_entries_account ON journal.entries (account, at) WHERE account IS NOT NULL;
CREATE INDEX ix_entries_concerned ON journal.entries (concerned, at) WHERE concerned IS NOT NULL;
CREATE INDEX ix_entries_inn ON journal.entries (inn, at) WHERE inn IS NOT NULL;
CREATE INDEX ix_entries_region ON journal.entries (region, at) WHERE region IS NOT NULL;

-- The chain, apart from what it proves, so that an entry cannot be removed with its proof by one statement.
-- leaf = sha256(0x00 || canonical entry);  hash = sha256(0x02 || previous || leaf).
CREATE TABLE journal.links (
  strand smallint NOT NULL,
  number bigint NOT NULL,
  previous bytea NOT NULL,
  leaf bytea NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT pk_links PRIMARY KEY (strand, number)
);

-- Roots: Merkle roots over everything appended since the root before, published so that outsiders can check.
CREATE TABLE journal.roots (
  name text NOT NULL,
  position integer NOT NULL,
  sealed_at timestamptz NOT NULL,
  entries bigint NOT NULL,
  strands jsonb NOT NULL,
  merkle bytea NOT NULL,
  heads bytea NOT NULL,
  previous bytea NOT NULL,
  root bytea NOT NULL,
  CONSTRAINT pk_roots PRIMARY KEY (name),
  CONSTRAINT ux_roots_position UNIQUE (position)
);

CREATE FUNCTION journal.forbid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'journal.% is append-only: % is forbidden', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'integrity_constraint_violation', HINT = 'Add an entry that corrects the earlier one.';
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['entries', 'links', 'roots'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.%I FOR EACH STATEMENT EXECUTE FUNCTION journal.forbid()', name);
    EXECUTE format('ALTER TABLE journal.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY keeper ON journal.%I TO mezha_owner USING (true) WITH CHECK (true)', name);
  END LOOP;
END $$;

-- Claims a strand until the end of the transaction.  There are more strands than connections, and a claimed one is
-- passed by, so that a writer never waits for another one's commit; only if all are taken does it queue.
CREATE FUNCTION journal.claim() RETURNS smallint LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  first integer := pg_backend_pid() % 128;
BEGIN
  FOR step IN 0..127 LOOP
    IF pg_try_advisory_xact_lock(7305116, (first + step) % 128) THEN
      RETURN (first + step) % 128;
    END IF;
  END LOOP;
  PERFORM pg_advisory_xact_lock(7305116, first);
  RETURN first;
END $$;

-- The only way in.  Text loses the unit separator, because the canonical form joins with it.  Each inner statement
-- takes a fresh snapshot, hence READ COMMITTED is needed to see the head of a strand that was just released.
CREATE FUNCTION journal.append(action text, account bigint, concerned bigint, subject text, object bigint,
                               region text, inn text, address text, details jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  s CONSTANT text := chr(31);
  mine smallint := journal.claim();
  e journal.entries;
  head record;
  leaf bytea;
BEGIN
  SELECT l.number, l.hash INTO head FROM journal.links l WHERE l.strand = mine ORDER BY l.number DESC LIMIT 1;
  e.strand := mine;
  e.number := coalesce(head.number, 0) + 1;
  e.at := clock_timestamp();
  e.action := action;
  e.account := account;
  e.concerned := concerned;
  e.subject := nullif(translate(subject, s, ''), '');
  e.object := object;
  e.region := nullif(translate(region, s, ''), '');
  e.inn := nullif(translate(inn, s, ''), '');
  e.address := nullif(translate(address, s, ''), '');
  e.details := coalesce(details, '{}');
  e.salt := gen_random_uuid();
  leaf := sha256('\x00'::bytea || convert_to(concat(
    '1', s, e.strand, s, e.number, s, (extract(epoch FROM e.at) * 1000000)::bigint, s, e.action, s, e.account, s,
    e.concerned, s, e.subject, s, e.object, s, e.region, s, e.inn, s, e.address, s, e.details, s, e.salt), 'UTF8'));
  INSERT INTO journal.entries SELECT e.*;
  INSERT INTO journal.links VALUES (e.strand, e.number, coalesce(head.hash, '\x'), leaf,
    sha256('\x02'::bytea || coalesce(head.hash, '\x') || leaf));
END $$;

-- A root may only continue the roots before it; the worker, which computes it, can add but not choose.
CREATE FUNCTION journal.publish(name text, sealed_at timestamptz, entries bigint, strands jsonb, merkle bytea,
                                heads bytea, previous bytea, root bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  last journal.roots;
BEGIN
  PERFORM pg_advisory_xact_lock(7305117);
  SELECT r.* INTO last FROM journal.roots r ORDER BY r.position DESC LIMIT 1;
  IF publish.previous <> coalesce(last.root, '\x') THEN
    RAISE EXCEPTION 'root % does not continue root %', name, last.name USING ERRCODE = 'serialization_failure';
  END IF;
  INSERT INTO journal.roots VALUES
    (name, coalesce(last.position, 0) + 1, sealed_at, entries, strands, merkle, heads, previous, root);
END $$;

-- Who reads: he whom an entry concerns, staff for their regions, administrators all.
CREATE POLICY caller ON journal.entries FOR SELECT TO mezha_app USING (
  account = (SELECT access.account())
  OR concerned = (SELECT access.account())
  OR inn = ANY ((SELECT access.inns())::text[])
  OR region = ANY ((SELECT access.regions())::text[])
  OR (SELECT access.rank()) >= 3);
-- Hashes of salted entries tell nothing of them; roots are public.
CREATE POLICY everyone ON journal.links FOR SELECT TO mezha_app, mezha_registrar USING (true);
CREATE POLICY everyone ON journal.roots FOR SELECT TO mezha_app, mezha_registrar USING (true);

REVOKE ALL ON FUNCTION journal.claim, journal.append, journal.publish, journal.forbid FROM PUBLIC;
GRANT USAGE ON SCHEMA journal TO mezha_app, mezha_registrar;
GRANT SELECT ON journal.entries TO mezha_app;
GRANT SELECT ON journal.links, journal.roots TO mezha_app, mezha_registrar;
GRANT EXECUTE ON FUNCTION journal.append TO mezha_app, mezha_registrar;
GRANT EXECUTE ON FUNCTION journal.publish TO mezha_registrar;
