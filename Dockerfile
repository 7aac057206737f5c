# One image for install, service and worker; the command says which. No server in it: that is pgvector/pgvector.
FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/thanopg
ENV PATH=/opt/thanopg/bin:$PATH
# CPU builds; for a GPU: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY sql sql
COPY migrations migrations
COPY thanopg thanopg
RUN pip install --no-cache-dir --extra-index-url "$TORCH_INDEX" .

FROM python:3.12-slim-bookworm
RUN useradd --system --create-home --home-dir /var/lib/thanopg --uid 10001 thanopg \
 && mkdir /models && chown thanopg /models
COPY --from=build /opt/thanopg /opt/thanopg
# weights that are downloaded stay in /models: make it a volume
ENV PATH=/opt/thanopg/bin:$PATH HF_HOME=/models THANOPG_IMAGE_ROOT=/pictures PYTHONUNBUFFERED=1
USER thanopg
WORKDIR /var/lib/thanopg
ENTRYPOINT ["thanopg"]
CMD ["--help"]
