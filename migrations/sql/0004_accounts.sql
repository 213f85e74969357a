-- Who there is and how he proves it.  Written once from accounts/models.py; a test compares them.
CREATE SCHEMA accounts;
CREATE TABLE accounts.accounts (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  login TEXT NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  phone TEXT,
  inn TEXT,
  snils TEXT,
  birth_date DATE,
  locale TEXT DEFAULT 'ru' NOT NULL,
  status TEXT DEFAULT 'new' NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_accounts PRIMARY KEY (id),
  CONSTRAINT ck_accounts_status_known CHECK (status IN ('new', 'active', 'confirmed', 'blocked')),
  CONSTRAINT ck_accounts_locale_known CHECK (locale IN ('ru', 'en')),
  CONSTRAINT ck_accounts_lengths CHECK (length(login) BETWEEN 1 AND 200 AND length(email) BETWEEN 3 AND 254)
);
CREATE UNIQUE INDEX ux_accounts_email ON accounts.accounts (lower(email));
CREATE UNIQUE INDEX ux_accounts_login ON accounts.accounts (lower(login));
CREATE TABLE accounts.guards (
  key TEXT NOT NULL,
  failures INTEGER NOT NULL,
  since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  locked_until TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_guards PRIMARY KEY (key)
);
CREATE TABLE accounts.offices (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  name TEXT NOT NULL,
  region TEXT NOT NULL,
  CONSTRAINT pk_offices PRIMARY KEY (id),
  CONSTRAINT uq_offices_name_region UNIQUE (name, region)
);
CREATE TABLE accounts.outbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE,
  tries INTEGER DEFAULT 0 NOT NULL,
  fault TEXT,
  CONSTRAINT pk_outbox PRIMARY KEY (id)
);
CREATE INDEX ix_outbox_waiting ON accounts.outbox (id) WHERE sent_at IS NULL;
CREATE TABLE accounts.tickets (
  digest BYTEA NOT NULL,
  purpose TEXT NOT NULL,
  payload JSONB NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_tickets PRIMARY KEY (digest)
);
CREATE TABLE accounts.codes (
  account BIGINT NOT NULL,
  purpose TEXT NOT NULL,
  digest BYTEA NOT NULL,
  payload TEXT DEFAULT '' NOT NULL,
  tries SMALLINT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_codes PRIMARY KEY (account, purpose),
  CONSTRAINT fk_codes_account FOREIGN KEY(account) REFERENCES accounts.accounts (id)
);
CREATE TABLE accounts.consents (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account BIGINT NOT NULL,
  document TEXT NOT NULL,
  edition TEXT NOT NULL,
  address TEXT NOT NULL,
  given_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_consents PRIMARY KEY (id),
  CONSTRAINT uq_consents_account_document_edition UNIQUE (account, document, edition),
  CONSTRAINT fk_consents_account FOREIGN KEY(account) REFERENCES accounts.accounts (id)
);
CREATE TABLE accounts.externals (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account BIGINT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_externals PRIMARY KEY (id),
  CONSTRAINT uq_externals_issuer_subject UNIQUE (issuer, subject),
  CONSTRAINT fk_externals_account FOREIGN KEY(account) REFERENCES accounts.accounts (id)
);
CREATE INDEX ix_externals_account ON accounts.externals (account);
CREATE TABLE accounts.parties (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  inn TEXT,
  kpp TEXT,
  ogrn TEXT,
  snils TEXT,
  country TEXT DEFAULT 'RU' NOT NULL,
  foreign_number TEXT,
  address TEXT,
  region TEXT NOT NULL,
  parent BIGINT,
  status TEXT DEFAULT 'new' NOT NULL,
  created_by BIGINT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  CONSTRAINT pk_parties PRIMARY KEY (id),
  CONSTRAINT ck_parties_kind_known CHECK (kind IN ('company', 'division', 'entrepreneur', 'person', 'state', 'foreign')),
  CONSTRAINT ck_parties_status_known CHECK (status IN ('new', 'confirmed', 'closed')),
  CONSTRAINT ck_parties_division_has_parent CHECK ((kind = 'division') = (parent IS NOT NULL)),
  CONSTRAINT ck_parties_inn_given CHECK (inn IS NOT NULL OR kind IN ('foreign', 'division')),
  CONSTRAINT ck_parties_inn_digits CHECK (inn ~ '^([0-9]{10}|[0-9]{12})$'),
  CONSTRAINT ck_parties_foreign_number_given CHECK (foreign_number IS NOT NULL OR kind <> 'foreign'),
  CONSTRAINT fk_parties_parent FOREIGN KEY(parent) REFERENCES accounts.parties (id),
  CONSTRAINT fk_parties_created_by FOREIGN KEY(created_by) REFERENCES accounts.accounts (id)
);
CREATE UNIQUE INDEX ux_parties_confirmed_inn ON accounts.parties (inn) WHERE status = 'confirmed' AND parent IS NULL;
CREATE TABLE accounts.passkeys (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account BIGINT NOT NULL,
  credential BYTEA NOT NULL,
  public_key BYTEA NOT NULL,
  sign_count BIGINT DEFAULT 0 NOT NULL,
  label TEXT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_passkeys PRIMARY KEY (id),
  CONSTRAINT fk_passkeys_account FOREIGN KEY(account) REFERENCES accounts.accounts (id),
  CONSTRAINT uq_passkeys_credential UNIQUE (credential)
);
CREATE INDEX ix_passkeys_account ON accounts.passkeys (account);
CREATE TABLE accounts.passwords (
  account BIGINT NOT NULL,
  hash TEXT NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  must_change BOOLEAN DEFAULT false NOT NULL,
  CONSTRAINT pk_passwords PRIMARY KEY (account),
  CONSTRAINT fk_passwords_account FOREIGN KEY(account) REFERENCES accounts.accounts (id)
);
CREATE TABLE accounts.sessions (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  digest BYTEA NOT NULL,
  account BIGINT NOT NULL,
  stage TEXT NOT NULL,
  method TEXT NOT NULL,
  strong BOOLEAN DEFAULT false NOT NULL,
  device TEXT NOT NULL,
  address TEXT NOT NULL,
  provider TEXT,
  subject TEXT,
  provider_sid TEXT,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  idle INTEGER NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT ck_sessions_stage_known CHECK (stage IN ('second', 'renew', 'consent', 'full')),
  CONSTRAINT ck_sessions_digest_sha256 CHECK (length(digest) = 32),
  CONSTRAINT uq_sessions_digest UNIQUE (digest),
  CONSTRAINT fk_sessions_account FOREIGN KEY(account) REFERENCES accounts.accounts (id)
);
CREATE INDEX ix_sessions_account ON accounts.sessions (account);
CREATE TABLE accounts.staff (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account BIGINT NOT NULL,
  office BIGINT NOT NULL,
  region TEXT NOT NULL,
  duty TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  granted_by BIGINT,
  CONSTRAINT pk_staff PRIMARY KEY (id),
  CONSTRAINT ck_staff_duty_known CHECK (duty IN ('officer', 'inspector', 'registrar', 'administrator')),
  CONSTRAINT fk_staff_account FOREIGN KEY(account) REFERENCES accounts.accounts (id),
  CONSTRAINT fk_staff_office FOREIGN KEY(office) REFERENCES accounts.offices (id),
  CONSTRAINT fk_staff_granted_by FOREIGN KEY(granted_by) REFERENCES accounts.accounts (id)
);
CREATE UNIQUE INDEX ux_staff_once ON accounts.staff (account, duty, region) WHERE ended_at IS NULL;
CREATE TABLE accounts.totps (
  account BIGINT NOT NULL,
  secret TEXT NOT NULL,
  confirmed_at TIMESTAMP WITH TIME ZONE,
  last_step BIGINT DEFAULT 0 NOT NULL,
  CONSTRAINT pk_totps PRIMARY KEY (account),
  CONSTRAINT fk_totps_account FOREIGN KEY(account) REFERENCES accounts.accounts (id)
);
CREATE TABLE accounts.clients (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  client TEXT NOT NULL,
  digest BYTEA NOT NULL,
  name TEXT NOT NULL,
  party BIGINT NOT NULL,
  scopes TEXT[] NOT NULL,
  created_by BIGINT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_clients PRIMARY KEY (id),
  CONSTRAINT ck_clients_scopes_known CHECK (scopes <@ ARRAY['read', 'write']),
  CONSTRAINT uq_clients_client UNIQUE (client),
  CONSTRAINT fk_clients_party FOREIGN KEY(party) REFERENCES accounts.parties (id),
  CONSTRAINT fk_clients_created_by FOREIGN KEY(created_by) REFERENCES accounts.accounts (id)
);
CREATE TABLE accounts.confirmations (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  account BIGINT NOT NULL,
  party BIGINT,
  region TEXT NOT NULL,
  evidence TEXT NOT NULL,
  number TEXT NOT NULL,
  status TEXT DEFAULT 'filed' NOT NULL,
  reason TEXT,
  officer BIGINT,
  filed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE,
  done_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_confirmations PRIMARY KEY (id),
  CONSTRAINT ck_confirmations_status_known CHECK (status IN ('filed', 'code_sent', 'confirmed', 'refused')),
  CONSTRAINT ck_confirmations_refusal_has_reason CHECK (status <> 'refused' OR reason <> ''),
  CONSTRAINT fk_confirmations_account FOREIGN KEY(account) REFERENCES accounts.accounts (id),
  CONSTRAINT fk_confirmations_party FOREIGN KEY(party) REFERENCES accounts.parties (id),
  CONSTRAINT fk_confirmations_officer FOREIGN KEY(officer) REFERENCES accounts.accounts (id)
);
CREATE UNIQUE INDEX ux_confirmations_open ON accounts.confirmations (account, party) NULLS NOT DISTINCT WHERE status IN ('filed', 'code_sent');
CREATE TABLE accounts.invitations (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  party BIGINT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  objects BIGINT[],
  digest BYTEA NOT NULL,
  created_by BIGINT NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  accepted_at TIMESTAMP WITH TIME ZONE,
  accepted_by BIGINT,
  withdrawn_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_invitations PRIMARY KEY (id),
  CONSTRAINT ck_invitations_role_known CHECK (role IN ('owner', 'operator', 'controller', 'contractor')),
  CONSTRAINT ck_invitations_contractor_limited CHECK (role <> 'contractor' OR objects IS NOT NULL),
  CONSTRAINT fk_invitations_party FOREIGN KEY(party) REFERENCES accounts.parties (id),
  CONSTRAINT uq_invitations_digest UNIQUE (digest),
  CONSTRAINT fk_invitations_created_by FOREIGN KEY(created_by) REFERENCES accounts.accounts (id),
  CONSTRAINT fk_invitations_accepted_by FOREIGN KEY(accepted_by) REFERENCES accounts.accounts (id)
);
CREATE TABLE accounts.members (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  party BIGINT NOT NULL,
  account BIGINT NOT NULL,
  role TEXT NOT NULL,
  objects BIGINT[],
  since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  granted_by BIGINT,
  CONSTRAINT pk_members PRIMARY KEY (id),
  CONSTRAINT ck_members_role_known CHECK (role IN ('owner', 'operator', 'controller', 'contractor')),
  CONSTRAINT ck_members_contractor_limited CHECK (role <> 'contractor' OR objects IS NOT NULL),
  CONSTRAINT fk_members_party FOREIGN KEY(party) REFERENCES accounts.parties (id),
  CONSTRAINT fk_members_account FOREIGN KEY(account) REFERENCES accounts.accounts (id),
  CONSTRAINT fk_members_granted_by FOREIGN KEY(granted_by) REFERENCES accounts.accounts (id)
);
CREATE INDEX ix_members_account ON accounts.members (account) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX ux_members_once ON accounts.members (party, account) WHERE ended_at IS NULL;
CREATE TABLE accounts.tokens (
  id BIGINT GENERATED ALWAYS AS IDENTITY,
  digest BYTEA NOT NULL,
  account BIGINT,
  client BIGINT,
  label TEXT NOT NULL,
  scopes TEXT[] NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  revoked_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_tokens PRIMARY KEY (id),
  CONSTRAINT ck_tokens_one_bearer CHECK (num_nonnulls(account, client) = 1),
  CONSTRAINT ck_tokens_scopes_known CHECK (scopes <@ ARRAY['read', 'write']),
  CONSTRAINT ck_tokens_digest_sha256 CHECK (length(digest) = 32),
  CONSTRAINT uq_tokens_digest UNIQUE (digest),
  CONSTRAINT fk_tokens_account FOREIGN KEY(account) REFERENCES accounts.accounts (id),
  CONSTRAINT fk_tokens_client FOREIGN KEY(client) REFERENCES accounts.clients (id)
);
CREATE INDEX ix_tokens_account ON accounts.tokens (account);
