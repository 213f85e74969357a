# One image for server, worker and commands.
FROM debian:12-slim AS build
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/mezha
RUN python3 -m venv /opt/tools && /opt/tools/bin/pip install --quiet 'uv>=0.8'
COPY pyproject.toml uv.lock README.md ./
RUN UV_PYTHON_DOWNLOADS=never /opt/tools/bin/uv sync --frozen --no-default-groups --no-install-project
COPY web/package.json web/package-lock.json web/
RUN npm ci --prefix web --omit=dev --no-audit --no-fund --ignore-scripts
COPY . .
RUN UV_PYTHON_DOWNLOADS=never /opt/tools/bin/uv sync --frozen --no-default-groups

FROM debian:12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 libengine-gost-openssl openssl \
  && rm -rf /var/lib/apt/lists/* && useradd --system --create-home mezha
COPY --from=build /srv/mezha /srv/mezha
WORKDIR /srv/mezha
ENV PATH=/srv/mezha/.venv/bin:$PATH MEZHA_HOME=/var/lib/mezha MEZHA_HOST=0.0.0.0
RUN mkdir -p /var/lib/mezha && chown mezha /var/lib/mezha
USER mezha
VOLUME /var/lib/mezha
EXPOSE 8000
CMD ["mezha", "serve"]
