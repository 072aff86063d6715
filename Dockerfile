# The server with the zoo. No torch, no compiler, no tests; runs as a user without rights.
#
#   docker build -t pentimento .
#   docker run -p 8000:8000 -p 50051:50051 pentimento

FROM docker.io/library/python:3.11-slim-bookworm AS build
RUN python -m venv /opt/pentimento
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY bundle bundle
COPY service service
COPY clients/python clients/python
# The training side stays out: models/ and training/ are not copied, so neither is their command line.
RUN mkdir models training \
 && /opt/pentimento/bin/pip install --no-cache-dir --no-compile ".[cpu]" ./clients/python \
 && /opt/pentimento/bin/pip uninstall --yes --quiet pip setuptools \
 && find /opt/pentimento -name __pycache__ -prune -exec rm -rf {} +

FROM docker.io/library/python:3.11-slim-bookworm
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pentimento
COPY --from=build /opt/pentimento /opt/pentimento
COPY zoo /bundles
ENV PATH=/opt/pentimento/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PENTIMENTO_HOST=0.0.0.0 \
    PENTIMENTO_BUNDLES=/bundles
USER 10001
EXPOSE 8000 50051
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# exec form: SIGTERM reaches the server itself, which drains before it exits
ENTRYPOINT ["pentimento"]
CMD ["serve"]
