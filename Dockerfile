# lossd in a container.
#
#   docker build -t lossd .                   the image
#   docker build --target test .              the unit tests, in the build's own system
#   docker run --rm -p 8080:8080 lossd        serve
#
# deploy/README.md shows how to run it with everything it does not need taken away.

# A digest (debian@sha256:...) pins the base.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
WORKDIR /lossd
COPY deploy/deps.sh deploy/
RUN apt-get update \
 && apt-get install -y --no-install-recommends make \
 && deploy/deps.sh build \
 && rm -rf /var/lib/apt/lists/*
COPY . .
ARG REVISION=unknown
RUN make -j "$(nproc)" COMMIT="$REVISION" \
 && make COMMIT="$REVISION" DESTDIR=/install PREFIX=/usr install \
 && strip /install/usr/bin/* \
 && install -D -m 644 LICENSE /install/usr/share/doc/lossd/copyright

FROM build AS test
RUN deploy/deps.sh test && rm -rf /var/lib/apt/lists/*
RUN make -j "$(nproc)" COMMIT="$REVISION" test \
    TESTS="$(find tests/unit -name 'test_*.c' | sed 's,\(.*\)\.c$,build/\1,' | tr '\n' ' ')"

FROM ${BASE} AS runtime
RUN apt-get update \
 && apt-get install -y --no-install-recommends libmicrohttpd12 libcjson1 zlib1g libcurl4 \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /install/ /
# A number, because that is how a cluster can see that it is not root.
USER 65532:65532
ENV LOSSD_HOST=0.0.0.0
EXPOSE 8080
STOPSIGNAL SIGTERM
# Finds the server by the same variables: LOSSD_ADMIN_LISTEN, or else LOSSD_LISTEN, or else
# LOSSD_HOST, LOSSD_PORT, PORT.
HEALTHCHECK --interval=5s --timeout=3s --start-period=2s --retries=3 \
    CMD ["lossctl", "health"]
ENTRYPOINT ["lossd"]

ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=
ARG SOURCE=
ARG DOCUMENTATION=
LABEL org.opencontainers.image.title="lossd" \
      org.opencontainers.image.description="Logits and labels in, probabilities and averaged loss out, over HTTP" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.documentation="${DOCUMENTATION}" \
      org.opencontainers.image.licenses="MIT"
