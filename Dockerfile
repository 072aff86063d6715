# The server with the zoo. No torch, no compiler, no pip, no tests; runs as a user without rights.
# A base of which the contents are known: --build-arg PYTHON=docker.io/library/python@sha256:… ; docs/deployment.md.
#
#   docker build -t pentimento .                                 on CPUs
#   docker build -t pentimento:gpu --build-arg RUNTIME=gpu .     on CUDA; docs/deployment.md says what is known of it

ARG PYTHON=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ARG RUNTIME=cpu
RUN python -m venv /opt/pentimento
ENV PATH=/opt/pentimento/bin:$PATH
WORKDIR /src
# What the server needs comes before the server, so that a change to its code installs nothing else anew: each package
# in one version, whose files must have the hashes that were written down (`make lock`). CUDA comes from NVIDIA's
# packages, so that both images have one base.
COPY deploy/requirements-${RUNTIME}.txt ./requirements.txt
RUN pip install --no-cache-dir --no-compile --disable-pip-version-check --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE setup.py ./
COPY bundle bundle
COPY pictures pictures
COPY program program
COPY service service
COPY clients clients
# The training side stays out: models/ and training/ are not copied, so neither is their command line.
RUN pip install --no-cache-dir --no-compile --disable-pip-version-check --no-deps --no-build-isolation \
    . ./clients/python
COPY deploy/slim.py ./
RUN python slim.py
COPY zoo /bundles
RUN chmod -R a+rX /bundles  # a checkout that only its owner may read is one that the server may not

FROM ${PYTHON}
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pentimento
COPY --from=build /opt/pentimento /opt/pentimento
COPY --from=build /bundles /bundles
COPY deploy/healthy.py /opt/pentimento/
ENV PATH=/opt/pentimento/bin:$PATH \
    PYTHONPYCACHEPREFIX=/opt/pentimento/bytecode \
    PYTHONUNBUFFERED=1 \
    PENTIMENTO_HOST=0.0.0.0 \
    PENTIMENTO_BUNDLES=/bundles
# Lets the loader find CUDA, if it is there. Compiles what the server loads, Python's own modules too: a container may
# not write, and would do it at each start; this also fails if too much was taken out.
RUN find /opt/pentimento -path '*/nvidia/*' -name lib > /etc/ld.so.conf.d/cuda.conf && ldconfig \
 && python -c "import pentimento.service.app, pentimento.service.workers.worker, pentimento.service.catalog.trial" \
 && python -c "import pentimento.service.cli.main, pentimento.service.cli.easel_there, pentimento.service.cli.serve_options"
ENV PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8000 50051
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-IS", "/opt/pentimento/healthy.py"]
# exec form: SIGTERM reaches the server itself, which drains before it exits
ENTRYPOINT ["pentimento"]
CMD ["serve"]
