-- Telling people: messages, the thread of a case, preferences, webhooks; letters that are tried again for days.

-- The outbox holds letters and short messages; each is tried again after growing pauses, until it is given up.
ALTER TABLE accounts.outbox
  ADD COLUMN channel text NOT NULL DEFAULT 'mail' CONSTRAINT ck_outbox_channel_known CHECK (channel IN ('mail', 'sms')),
  ADD COLUMN next_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN given_up_at timestamptz;
UPDATE accounts.outbox SET given_up_at = now() WHERE sent_at IS NULL AND tries >= 5;
DROP INDEX accounts.ix_outbox_waiting;
CREATE INDEX ix_outbox_waiting ON accounts.outbox (next_at, id) WHERE sent_at IS NULL AND given_up_at IS NULL;

-- A token that opens a calendar feed opens nothing else.
ALTER TABLE accounts.tokens DROP CONSTRAINT ck_tokens_scopes_known;
ALTER TABLE accounts.tokens ADD CONSTRAINT ck_tokens_scopes_known CHECK (scopes <@ ARRAY['read', 'write', 'calendar']);

-- The row of an account is held until commit by whoever tells it something: the numbers of its messages are in the
-- order of commit and without gaps, so that "everything after number n" misses nothing.
CREATE TABLE cases.mailboxes (
  account bigint CONSTRAINT pk_mailboxes PRIMARY KEY,
  last_seq bigint NOT NULL DEFAULT 0
);

CREATE TABLE cases.messages (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_messages PRIMARY KEY,
  account bigint NOT NULL,
  seq bigint NOT NULL,
  case_id bigint CONSTRAINT fk_messages_case REFERENCES cases.cases,
  event bigint CONSTRAINT fk_messages_event REFERENCES cases.events,
  side text NOT NULL CONSTRAINT ck_messages_side CHECK (side IN ('applicant', 'officer')),
  kind text NOT NULL CONSTRAINT ck_messages_kind CHECK (kind IN ('operative', 'final')),
  topic text NOT NULL CONSTRAINT ck_messages_topic CHECK (topic IN ('event', 'thread', 'reminder')),
  title jsonb NOT NULL CONSTRAINT ck_messages_title CHECK (title ?& ARRAY['ru', 'en']),
  body jsonb NOT NULL CONSTRAINT ck_messages_body CHECK (body ?& ARRAY['ru', 'en']),
  about jsonb NOT NULL DEFAULT '{}',
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  read_at timestamptz,
  archived_at timestamptz,
  mail text NOT NULL CONSTRAINT ck_messages_mail CHECK (mail IN ('off', 'at_once', 'digest', 'posted')),
  sms text NOT NULL CONSTRAINT ck_messages_sms CHECK (sms IN ('off', 'at_once', 'posted')),
  CONSTRAINT uq_messages_seq UNIQUE (account, seq),
  CONSTRAINT uq_messages_event UNIQUE (account, event)
);
CREATE INDEX ix_messages_unread ON cases.messages (account) WHERE read_at IS NULL AND archived_at IS NULL;
CREATE INDEX ix_messages_unposted ON cases.messages (id) WHERE mail IN ('at_once', 'digest') OR sms = 'at_once';

-- What people want to be told how; where there is no row, everything comes by mail at once.
CREATE TABLE cases.preferences (
  account bigint CONSTRAINT pk_preferences PRIMARY KEY,
  mail jsonb NOT NULL DEFAULT '{}',
  sms text[] NOT NULL DEFAULT '{}',
  digest_hour smallint NOT NULL DEFAULT 9 CONSTRAINT ck_preferences_digest_hour CHECK (digest_hour BETWEEN 0 AND 23),
  digest_on date,
  forward_to text CONSTRAINT ck_preferences_forward_to CHECK (length(forward_to) BETWEEN 3 AND 254)
);

-- The thread of a case: what applicant and office write to one another; never rewritten.
CREATE TABLE cases.remarks (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_remarks PRIMARY KEY,
  case_id bigint NOT NULL CONSTRAINT fk_remarks_case REFERENCES cases.cases,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  account bigint DEFAULT access.account(),
  role text NOT NULL CONSTRAINT ck_remarks_role CHECK (role IN ('applicant', 'officer')),
  author text NOT NULL,
  words text NOT NULL CONSTRAINT ck_remarks_words CHECK (length(btrim(words)) BETWEEN 1 AND 4000)
);
CREATE INDEX ix_remarks_case ON cases.remarks (case_id, id);
CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON cases.remarks FOR EACH ROW EXECUTE FUNCTION cases.forbid();
CREATE TRIGGER untruncated BEFORE TRUNCATE ON cases.remarks FOR EACH STATEMENT EXECUTE FUNCTION cases.forbid();

-- Ends of rights that were announced already, so that each is announced once a distance.
CREATE TABLE cases.expiries (
  layer text NOT NULL,
  object bigint NOT NULL,
  ends_on date NOT NULL,
  days integer NOT NULL,
  told_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_expiries PRIMARY KEY (layer, object, ends_on, days)
);

CREATE TABLE cases.webhooks (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_webhooks PRIMARY KEY,
  party_inn text NOT NULL CONSTRAINT ck_webhooks_party_inn CHECK (party_inn ~ '^([0-9]{10}|[0-9]{12})$'),
  url text NOT NULL CONSTRAINT ck_webhooks_url CHECK (length(url) BETWEEN 8 AND 2000),
  topics text[] NOT NULL CONSTRAINT ck_webhooks_topics CHECK (topics <@ ARRAY['event', 'thread', 'reminder'] AND cardinality(topics) > 0),
  secret text NOT NULL,
  note text NOT NULL DEFAULT '',
  created_by bigint DEFAULT access.account(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz
);
CREATE INDEX ix_webhooks_party ON cases.webhooks (party_inn) WHERE revoked_at IS NULL;

-- One try after another of one call: its body is kept as the text that is signed.
CREATE TABLE cases.deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_deliveries PRIMARY KEY,
  webhook bigint NOT NULL CONSTRAINT fk_deliveries_webhook REFERENCES cases.webhooks,
  type text NOT NULL,
  body text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tries integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT now(),
  tried_at timestamptz,
  delivered_at timestamptz,
  given_up_at timestamptz,
  status integer,
  fault text
);
CREATE INDEX ix_deliveries_waiting ON cases.deliveries (next_at, id) WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX ix_deliveries_webhook ON cases.deliveries (webhook, id DESC);

-- Whoever listens learns that something changed for an account, and asks for himself what.
CREATE FUNCTION cases.ring() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('messages', NEW.account::text);
  RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON cases.messages FOR EACH ROW EXECUTE FUNCTION cases.ring();
CREATE TRIGGER marked AFTER UPDATE ON cases.messages FOR EACH ROW
  WHEN (OLD.read_at IS DISTINCT FROM NEW.read_at OR OLD.archived_at IS DISTINCT FROM NEW.archived_at)
  EXECUTE FUNCTION cases.ring();

-- Accounts on one side of a case: whole members of the party; the officer who has the case, or all of its region.
CREATE FUNCTION cases.members_of(of_inn text) RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  SELECT DISTINCT a.id FROM accounts.parties p
  JOIN accounts.members m ON m.party = p.id AND m.ended_at IS NULL AND m.objects IS NULL
    AND m.role IN ('owner', 'operator', 'controller')
  JOIN accounts.accounts a ON a.id = m.account AND a.status IN ('active', 'confirmed')
  WHERE p.inn = of_inn AND p.kind <> 'division' AND p.status = 'confirmed'
$$;
CREATE FUNCTION cases.officers_of(subject cases.cases) RETURNS SETOF bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog AS $$
  WITH serving AS (
    SELECT DISTINCT a.id FROM accounts.staff s JOIN accounts.accounts a ON a.id = s.account AND a.status IN ('active', 'confirmed')
    WHERE s.ended_at IS NULL AND s.duty = 'officer' AND s.region = subject.region
      AND a.id NOT IN (SELECT cases.members_of(subject.party_inn)))
  SELECT id FROM serving WHERE id = subject.officer
  UNION ALL
  SELECT id FROM serving WHERE NOT EXISTS (SELECT FROM serving WHERE id = subject.officer)
$$;

-- Puts one message into the mailboxes of accounts.
CREATE FUNCTION cases.put_message(who bigint[], message cases.messages, quiet boolean) RETURNS integer LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH numbered AS (
    INSERT INTO cases.mailboxes AS m (account, last_seq) SELECT DISTINCT w, 1 FROM unnest(who) AS w ORDER BY w
    ON CONFLICT (account) DO UPDATE SET last_seq = m.last_seq + 1 RETURNING account, last_seq
  ), put AS (
    INSERT INTO cases.messages (account, seq, case_id, event, side, kind, topic, title, body, about, read_at, mail, sms)
    SELECT n.account, n.last_seq, message.case_id, message.event, message.side, message.kind, message.topic, message.title,
      message.body, coalesce(message.about, '{}'), CASE WHEN own.hand THEN clock_timestamp() END,
      CASE WHEN own.hand THEN 'off' ELSE coalesce(p.mail ->> k.choice, 'at_once') END,
      CASE WHEN NOT own.hand AND k.choice = ANY (p.sms) AND a.phone IS NOT NULL THEN 'at_once' ELSE 'off' END
    FROM numbered n
    JOIN accounts.accounts a ON a.id = n.account
    LEFT JOIN cases.preferences p ON p.account = n.account,
    LATERAL (SELECT CASE message.kind WHEN 'final' THEN 'final' ELSE message.topic END AS choice) k,
    LATERAL (SELECT quiet AND n.account IS NOT DISTINCT FROM access.account() AS hand) own
    RETURNING mail, sms
  )
  SELECT count(*) FILTER (WHERE mail = 'at_once' OR sms = 'at_once')::integer FROM put
$$;

-- Tells both sides of a case, and the systems of its party, in the transaction of the cause.  `sides` has title, body
-- and quiet (whether the hand that did it needs no news of it) by side; the answer counts letters and calls that wait.
-- Mailboxes are locked in the order of accounts, so that two tellers never wait for one another in a circle.
CREATE FUNCTION cases.tell(subject bigint, cause bigint, what text, weight text, sides jsonb, call jsonb,
  OUT letters integer, OUT calls integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  found cases.cases;
  message cases.messages;
  told text;
  everybody bigint[];
BEGIN
  SELECT * INTO found FROM cases.cases c WHERE c.id = subject;
  IF cases.role_of(found.party_inn, found.region) IS NULL THEN
    RAISE EXCEPTION 'the caller is on no side of case %', subject USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_messages_teller';
  END IF;
  everybody := ARRAY(SELECT cases.members_of(found.party_inn) UNION SELECT cases.officers_of(found));
  INSERT INTO cases.mailboxes (account) SELECT w FROM unnest(everybody) AS w ORDER BY w ON CONFLICT DO NOTHING;
  PERFORM FROM cases.mailboxes m WHERE m.account = ANY (everybody) ORDER BY m.account FOR UPDATE;
  letters := 0;
  message.case_id := subject;
  message.event := cause;
  message.kind := weight;
  message.topic := what;
  FOR told IN SELECT side FROM unnest(ARRAY['applicant', 'officer']) AS side WHERE sides ? side LOOP
    message.side := told;
    message.title := sides -> told -> 'title';
    message.body := sides -> told -> 'body';
    letters := letters + cases.put_message(
      CASE told WHEN 'applicant' THEN ARRAY(SELECT cases.members_of(found.party_inn)) ELSE ARRAY(SELECT cases.officers_of(found)) END,
      message, (sides -> told ->> 'quiet')::boolean);
  END LOOP;
  WITH made AS (
    INSERT INTO cases.deliveries (webhook, type, body)
    SELECT w.id, call ->> 'type', call::text FROM cases.webhooks w
    WHERE call IS NOT NULL AND w.party_inn = found.party_inn AND w.revoked_at IS NULL AND what = ANY (w.topics)
    RETURNING id)
  SELECT count(*) INTO calls FROM made;
END $$;

-- Tells the members of a party of something that is no case; the clock alone does.
CREATE FUNCTION cases.tell_party(party text, heading jsonb, words jsonb, concerns jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  message cases.messages;
BEGIN
  IF access.rank() < 3 OR access.account() IS NOT NULL THEN
    RAISE EXCEPTION 'only the clock tells parties' USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_messages_teller';
  END IF;
  message.side := 'applicant';
  message.kind := 'operative';
  message.topic := 'reminder';
  message.title := heading;
  message.body := words;
  message.about := concerns;
  RETURN cases.put_message(ARRAY(SELECT cases.members_of(party)), message, false);
END $$;

DO $$
DECLARE
  own text := 'account = (SELECT access.account())';
  clock text := '(SELECT access.rank()) >= 3 AND (SELECT access.account()) IS NULL';
  party text := 'party_inn = ANY ((SELECT access.inns())::text[])';
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['mailboxes', 'messages', 'preferences', 'remarks', 'expiries', 'webhooks', 'deliveries'] LOOP
    EXECUTE format('ALTER TABLE cases.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY keeper ON cases.%I TO mezha_owner USING (true) WITH CHECK (true)', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['mailboxes', 'messages', 'preferences'] LOOP
    EXECUTE format('CREATE POLICY own ON cases.%I TO mezha_app, mezha_registrar USING (%s) WITH CHECK (%2$s)', name, own);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['messages', 'preferences', 'expiries', 'webhooks', 'deliveries'] LOOP
    EXECUTE format('CREATE POLICY clock ON cases.%I TO mezha_registrar USING (%s) WITH CHECK (%2$s)', name, clock);
  END LOOP;
  EXECUTE format('CREATE POLICY party ON cases.webhooks TO mezha_app, mezha_registrar USING (%s) WITH CHECK (%1$s)', party);
  EXECUTE 'CREATE POLICY seen ON cases.deliveries TO mezha_app, mezha_registrar'
    ' USING (EXISTS (SELECT FROM cases.webhooks w WHERE w.id = webhook))'
    ' WITH CHECK (EXISTS (SELECT FROM cases.webhooks w WHERE w.id = webhook))';
  EXECUTE 'CREATE POLICY seen ON cases.remarks FOR SELECT TO mezha_app, mezha_registrar'
    ' USING (EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id))';
  EXECUTE 'CREATE POLICY written ON cases.remarks FOR INSERT TO mezha_registrar'
    ' WITH CHECK (account IS NOT DISTINCT FROM (SELECT access.account())'
    ' AND EXISTS (SELECT FROM cases.cases c WHERE c.id = case_id AND cases.role_of(c.party_inn, c.region) = role))';
END $$;

REVOKE ALL ON FUNCTION cases.members_of, cases.officers_of, cases.put_message, cases.tell, cases.tell_party FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cases.tell, cases.tell_party TO mezha_registrar;
GRANT SELECT ON cases.messages, cases.mailboxes, cases.preferences, cases.remarks TO mezha_app, mezha_registrar;
GRANT SELECT (id, party_inn, url, topics, note, created_by, created_at, revoked_at) ON cases.webhooks TO mezha_app;
GRANT SELECT ON cases.webhooks, cases.expiries TO mezha_registrar;
GRANT SELECT ON cases.deliveries TO mezha_app, mezha_registrar;
-- What was told stays as it was told: only the marks change.
GRANT UPDATE (read_at, archived_at, mail, sms) ON cases.messages TO mezha_registrar;
GRANT INSERT, UPDATE ON cases.preferences TO mezha_registrar;
GRANT INSERT (case_id, role, author, words) ON cases.remarks TO mezha_registrar;
GRANT INSERT ON cases.expiries TO mezha_registrar;
GRANT INSERT (party_inn, url, topics, secret, note), UPDATE (revoked_at) ON cases.webhooks TO mezha_registrar;
GRANT INSERT (webhook, type, body), UPDATE (tries, next_at, tried_at, delivered_at, given_up_at, status, fault)
  ON cases.deliveries TO mezha_registrar;
