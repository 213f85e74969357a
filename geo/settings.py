"""The one settings object: read once from the environment, frozen, passed down."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from geo.errors import SettingsError


def _names(value: object) -> object:
    if isinstance(value, str):
        return frozenset(name.strip() for name in value.split(",") if name.strip())
    return value


Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]


# A boundary of some 400,000 points in XML, of four million in a binary format.
OBJECT_MB = 64


class Settings(BaseSettings):
    """Every setting of Mezha; the environment variable is ``MEZHA_`` and the name in capitals."""

    model_config = SettingsConfigDict(env_prefix="MEZHA_", frozen=True, extra="ignore")

    database_url: str = Field(
        "", description="Database of the owner, who may migrate it; empty: a private cluster"
    )
    app_database_url: str = Field(
        "", description="Login of the serving role; empty: database_url with SET ROLE"
    )
    registrar_database_url: str = Field(
        "", description="Login of the writing role; empty: like app_database_url"
    )
    home: Path = Field(
        Path(".mezha"), description="Folder of the private cluster, uploads, reports and documents"
    )
    host: str = Field("127.0.0.1", description="Address on which the server listens")
    port: int = Field(8000, ge=0, le=65535, description="Port on which the server listens")
    base_url: str = Field(
        "", description="Address under which people reach the server; empty: as the request says"
    )
    workers: int = Field(2, ge=1, le=64, description="Server processes")
    pool_size: int = Field(
        8,
        ge=1,
        le=200,
        description="Database connections of each server process; half as many more for those who write",
    )
    tile_pool_size: int = Field(
        4, ge=1, le=100, description="Database connections for tiles of each server process"
    )
    tile_memory_mb: int = Field(
        96, ge=1, description="Memory for remembered tiles of each server process, MB"
    )
    tile_shelf_mb: int = Field(
        2048, ge=1, description="Disk space below MEZHA_HOME for tiles that were dear to make, MB"
    )
    pmtiles: Names = Field(
        frozenset(),
        description="Public layers whose tiles come from PMTiles: LAYER=FILE or LAYER=s3://BUCKET/FILE, by commas",
    )
    publish: Names = Field(
        frozenset(), description="Restricted or registered layers that are published all the same"
    )
    demo: bool = Field(
        False, description="Demonstration mode: fictional region, published layers, log-ins printed"
    )
    region: str = Field(
        "54", description="Code of the subject of the federation that the installation serves"
    )
    time_zone: str = Field("Asia/Novosibirsk", description="Time zone of the region, IANA name")
    locale: str = Field(
        "ru", pattern="^(ru|en)$", description="Language of the pages where the visitor chose none"
    )
    basemap_url: str = Field(
        "", description="Raster tiles {z}/{x}/{y} or a vector style.json as the base map; empty: offline"
    )
    basemap_attribution: str = Field("", description="Attribution of the base map")
    profiles_folder: Path | None = Field(
        None, description="Folder of further profiles (*.yaml), scheduled sources included"
    )
    fetch_private: bool = Field(False, description="Whether scheduled sources may lie in a private network")
    upload_mb: int = Field(2048, ge=1, description="Largest registry file that may be uploaded, in megabytes")
    object_mb: int = Field(
        OBJECT_MB,
        ge=1,
        description="Most that one object of a registry file may take there, in megabytes; a larger one is turned away",
    )
    boundary_mb: int = Field(
        20, ge=1, le=200, description="Largest file with a boundary that an applicant may send, in megabytes"
    )
    statement_timeout_ms: int = Field(
        30_000, ge=100, description="Longest statement that a request may cause"
    )
    tile_max_zoom: int = Field(22, ge=1, le=24, description="Deepest zoom served as tiles")
    items_max_limit: int = Field(
        10_000, ge=1, description="Most features on one page; a greater limit is clamped"
    )
    session_idle_minutes: int = Field(
        60, ge=1, description="Minutes without a request after which a log-in ends"
    )
    session_hours: int = Field(12, ge=1, description="Hours after which a log-in ends whatever happens")
    login_tries: int = Field(3, ge=1, description="Wrong passwords in a row that lock an account")
    login_lock_minutes: int = Field(15, ge=1, description="Minutes for which an account stays locked")
    login_address_tries: int = Field(
        30, ge=1, description="Failed log-ins from one address within the time of a lock"
    )
    password_days: int = Field(183, ge=0, description="Days after which a password must be renewed; 0: never")
    code_minutes: int = Field(10, ge=1, description="Minutes for which a one-time code is good")
    token_days: int = Field(365, ge=1, description="Longest life of a personal token, in days")
    client_token_seconds: int = Field(
        3600, ge=60, description="Life of an access token of another system, in seconds"
    )
    trusted_proxies: Names = Field(
        frozenset(), description="Addresses of reverse proxies whose X-Forwarded-For is believed"
    )
    certificate_header: str = Field(
        "",
        description="Header in which a trusted proxy names the checked client certificate, PEM in URL encoding; empty: none",
    )
    keys_file: Path | None = Field(
        None, description="Keys that seal secrets in the database; empty: made at MEZHA_HOME/keys/secrets"
    )
    smtp_url: str = Field(
        "", description="Mail server, smtp://user:password@host:587 or smtps://; empty: letters wait"
    )
    oidc_issuer: str = Field("", description="Issuer of the OpenID Connect provider; empty: none")
    oidc_client_id: str = Field("", description="Name of this installation at the provider")
    oidc_client_secret: str = Field("", description="Its secret at the provider", repr=False)
    oidc_title: str = Field("", description="Name of the provider on the log-in page")
    esia_url: str = Field("", description="Address of ESIA, https://esia.gosuslugi.ru; empty: none")
    esia_issuer: str = Field("http://esia.gosuslugi.ru/", description="Issuer in the tokens of ESIA")
    esia_client_id: str = Field("", description="Mnemonic of the information system in ESIA")
    esia_key: Path = Field(Path("esia.key"), description="Private key of the system, PEM")
    esia_certificate: Path = Field(Path("esia.crt"), description="Certificate of the system, PEM")
    esia_certificate_hash: str = Field("", description="client_certificate_hash; empty: not sent")
    esia_key_kind: str = Field(
        "rsa",
        pattern="^(rsa|gost)$",
        description="Kind of esia_key; gost needs the OpenSSL engine of that name",
    )
    esia_signature: str = Field(
        "raw", pattern="^(raw|cms)$", description="client_secret: raw signature, or detached CMS"
    )
    esia_message: str = Field(
        "client_id,scope,scope_org,timestamp,state,redirect_uri,code",
        description="Order of the values that client_secret signs; an absent value is empty",
    )
    esia_token_key: Path = Field(
        Path("esia-token.crt"), description="Certificate with which ESIA signs its tokens, PEM"
    )
    esia_algorithm: str = Field(
        "RS256", description="Signature of the tokens of ESIA; GOST3410_2012_256 needs the engine gost"
    )
    esia_authorize_path: str = Field("/aas/oauth2/v2/ac", description="Path of the log-in page of ESIA")
    esia_token_path: str = Field("/aas/oauth2/v3/te", description="Path of the tokens of ESIA")
    esia_persons_path: str = Field("/rs/prns", description="Path of the data of persons of ESIA")
    esia_logout_path: str = Field(
        "/idp/ext/Logout", description="Path of the log-out of ESIA; empty: only our own session ends"
    )
    esia_scopes: str = Field("openid fullname snils inn email", description="Scopes asked of ESIA")
    esia_organisation_scopes: str = Field(
        "org_shortname org_fullname org_inn org_ogrn", description="Scopes about organisations asked of ESIA"
    )
    mail_from: str = Field("mezha@localhost", description="Sender of letters")
    sms_url: str = Field(
        "", description="Gateway of short messages, which takes POST {to, text} as JSON; empty: they wait"
    )
    sms_token: str = Field("", description="Bearer token for the gateway of short messages", repr=False)
    streams: int = Field(
        500, ge=1, description="Open streams of messages of each server process; more are turned away"
    )
    webhook_private: bool = Field(False, description="Whether webhooks may call into a private network")

    documents_url: str = Field(
        "", description="Store of documents, s3://bucket/prefix; empty: the folder documents below MEZHA_HOME"
    )
    s3_endpoint: str = Field("", description="Address of an S3-compatible store; empty: Amazon's own")
    s3_region: str = Field("us-east-1", description="Region of the S3 store")
    s3_key: str = Field("", description="Access key of the S3 store; empty: from its usual environment")
    s3_secret: str = Field("", description="Secret key of the S3 store", repr=False)
    case_documents: int = Field(
        300, ge=1, description="Most documents of one case, versions and removed ones included"
    )
    scanner_url: str = Field(
        "",
        description="Virus scanner, unix:///run/clamav/clamd.ctl or tcp://host:3310; empty: files are not scanned",
    )
    scanner_seconds: float = Field(30, gt=0, description="Longest wait for the virus scanner, in seconds")

    trust_folder: Path | None = Field(
        None,
        description="Folder of root certificates (*.pem, *.crt, *.cer) and revocation lists (*.crl) that signatures"
        " are trusted by; empty: the folder trust below MEZHA_HOME",
    )
    signature_revocation: str = Field(
        "if_present",
        pattern="^(if_present|required)$",
        description="Whether a signature needs a revocation list of its issuer: if_present, required",
    )
    authority_key: Path | None = Field(
        None, description="Private key with which the office signs decisions, PEM; empty: keys/authority.key"
    )
    authority_certificate: Path | None = Field(
        None, description="Its certificate and chain, PEM; empty: keys/authority.crt below MEZHA_HOME"
    )
    authority_key_password: str = Field("", description="Password of the key", repr=False)
    authority_name: str = Field(
        "", description="Name of the office on its decisions; empty: that of its certificate"
    )

    stale_days: int = Field(
        400, ge=1, description="Days after which a layer nobody has confirmed is too old to clear a place"
    )

    def url_for(self, role: str) -> str:
        """Connection string for ``app`` (serving), ``registrar`` (writing) or ``owner`` (migrations)."""
        if not self.database_url:
            raise SettingsError(
                "MEZHA_DATABASE_URL is not set; set it, or start Mezha with `make run`, which makes a database"
            )
        if role == "owner":
            return self.database_url
        own = {"app": self.app_database_url, "registrar": self.registrar_database_url}[role]
        if own:
            return own
        joint = "&" if "?" in self.database_url else "?"
        return f"{self.database_url}{joint}options=-c%20role%3Dmezha_{role}"
