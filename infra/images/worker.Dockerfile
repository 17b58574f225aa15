# syntax=docker/dockerfile:1

# Workers and commands of Zeroshift, for the CPU and for NVIDIA's GPUs:
#
#     docker build -f infra/images/worker.Dockerfile --target cpu -t zeroshift-worker:cpu .
#     docker build -f infra/images/worker.Dockerfile --target gpu -t zeroshift-worker:gpu .
#
# The root file system may be read-only: /cache and /tmp are all that is written to. The GPU's image has CUDA's libraries
# from TensorFlow's own packages, and needs of the host only the driver and NVIDIA's container toolkit.

ARG NODE=node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c

FROM ${NODE} AS build
# What builds the addon and unpacks TensorFlow; nothing of it is in an image. The base is pinned, its packages are the
# distribution's current ones.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates g++ make python3 python3-pip \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .

FROM build AS build-cpu
RUN --mount=type=cache,target=/root/.cache/zeroshift --mount=type=cache,target=/root/.npm \
    node infra/images/build-worker.mjs /opt/zeroshift

FROM build AS build-gpu
RUN --mount=type=cache,target=/root/.cache/zeroshift --mount=type=cache,target=/root/.npm \
    node infra/images/build-worker.mjs /opt/zeroshift --gpu

FROM ${NODE} AS runtime
# As the first process, tini lets a signal end a worker that has not come as far as listening to it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir /cache /work \
    && chown 1000:1000 /cache /work
ENV NODE_ENV=production \
    HOME=/tmp \
    ZEROSHIFT_CACHE=/cache
WORKDIR /work
USER 1000:1000
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/zeroshift/app/zeroshift"]
CMD ["worker"]

FROM runtime AS gpu
# Asks the container toolkit for the GPUs that the container was given.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-gpu /opt/zeroshift /opt/zeroshift

FROM runtime AS cpu
COPY --from=build-cpu /opt/zeroshift /opt/zeroshift
