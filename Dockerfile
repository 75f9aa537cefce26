# The hub alone: Kafka and PostgreSQL are given by address (see docker-compose.yml).
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

WORKDIR /opt/headrace
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY pyproject.toml LICENSE README.md ./
COPY schemas schemas
COPY hub hub
COPY sinks sinks
COPY connectors connectors
COPY streams streams
COPY api api
COPY ops ops
RUN pip install --no-deps --no-build-isolation .

RUN useradd --system --uid 10001 --create-home headrace \
    && install --directory --owner headrace --group headrace /var/lib/headrace
USER headrace
ENV HEADRACE_DATA=/var/lib/headrace
VOLUME /var/lib/headrace

# Where headrace.yaml and the files of the sources are mounted.
WORKDIR /hub
STOPSIGNAL SIGTERM
ENTRYPOINT ["headrace"]
CMD ["up"]
