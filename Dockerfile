# The service of one project, whose folder is mounted at /project:
#
#   docker build -t wholeroad .
#   docker run --rm -v "$PWD:/project" wholeroad token make --role sender --name shop
#   docker run -d --init --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -v "$PWD:/project" wholeroad
#
# The folder has to belong to the user 10001: chown -R 10001:10001 PROJECT.
# A proxy that does TLS stands before it. Nothing is fetched once the image is built.

FROM python:3.11.14-slim-bookworm AS build
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
RUN python -m venv /opt/wholeroad \
 && /opt/wholeroad/bin/pip install --no-cache-dir --no-compile --disable-pip-version-check /build

FROM python:3.11.14-slim-bookworm
# LightGBM's threads are OpenMP's, which the base doesn't bring.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin wholeroad \
 && install -d -o 10001 -g 10001 -m 0750 /project
COPY --from=build /opt/wholeroad /opt/wholeroad
ENV PATH="/opt/wholeroad/bin:$PATH" \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /project
VOLUME ["/project"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=4s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=3)"]
ENTRYPOINT ["wholeroad"]
CMD ["up", "--host", "0.0.0.0", "--port", "8000", "--behind-proxy"]
