# One image for install, service and worker; the command says which. No server in it: that is pgvector/pgvector.
FROM python:3.12-slim-bookworm AS build
# the native function is compiled into the wheel, for servers that can load it
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/thanopg
ENV PATH=/opt/thanopg/bin:$PATH
WORKDIR /source
COPY pyproject.toml ./
# PyTorch first, and by itself: it is most of the image, and comes from an index of its own. This one has the builds for CPUs;
# PyPI's run on NVIDIA's GPUs: --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python -c "import tomllib; print(*(d for d in tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'] if d.startswith('torch')), sep='\n')" > torch.txt \
 && pip install --no-cache-dir --index-url "$TORCH_INDEX" --requirement torch.txt
COPY hatch_build.py README.md LICENSE ./
COPY sql sql
COPY migrations migrations
COPY thanopg thanopg
RUN pip install --no-cache-dir ".[openvino,text]"

FROM python:3.12-slim-bookworm
RUN useradd --system --create-home --home-dir /var/lib/thanopg --uid 10001 thanopg \
 && mkdir /models && chown thanopg /models
COPY --from=build /opt/thanopg /opt/thanopg
# weights that are downloaded stay in /models, and what OpenVINO makes of them
ENV PATH=/opt/thanopg/bin:$PATH HF_HOME=/models XDG_CACHE_HOME=/models/cache THANOPG_IMAGE_ROOT=/pictures PYTHONUNBUFFERED=1
VOLUME /models
USER thanopg
WORKDIR /var/lib/thanopg
ENTRYPOINT ["thanopg"]
CMD ["--help"]
