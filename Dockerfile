# The hub alone: Kafka and PostgreSQL are given by address (see docker-compose.yml).
FROM python:3.11.14-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1

WORKDIR /build
COPY requirements.lock ./
RUN pip wheel --require-hashes --wheel-dir /wheels -r requirements.lock

COPY pyproject.toml LICENSE README.md ./
COPY schemas schemas
COPY hub hub
COPY sinks sinks
COPY connectors connectors
COPY streams streams
COPY api api
COPY plant plant
COPY ops ops
# From the wheels of the lock alone, and of those only what the hub needs to run.
RUN pip install --upgrade --no-index --find-links /wheels setuptools \
    && pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && python -m venv --without-pip /opt/headrace \
    && pip --python /opt/headrace/bin/python install --no-index --find-links /wheels headrace


FROM python:3.11.14-slim-bookworm

COPY --from=build /opt/headrace /opt/headrace
RUN useradd --system --uid 10001 --no-create-home headrace \
    && install --directory --owner headrace --group headrace /var/lib/headrace
USER headrace
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEADRACE_DATA=/var/lib/headrace

# Where headrace.yaml and the files of the sources are mounted.
WORKDIR /hub
STOPSIGNAL SIGTERM
ENTRYPOINT ["headrace"]
CMD ["up"]
