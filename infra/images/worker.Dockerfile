# syntax=docker/dockerfile:1

# Workers and commands of Zeroshift, for the CPU and for NVIDIA's GPUs:
#
#     docker build -f infra/images/worker.Dockerfile --target cpu -t zeroshift-worker:cpu .
#     docker build -f infra/images/worker.Dockerfile --target gpu -t zeroshift-worker:gpu .
#
# The root file system may be read-only: only /cache and /tmp are written to. The image for GPUs has
# the CUDA libraries of TensorFlow's packages. The host needs the driver and NVIDIA's container
# toolkit.

ARG NODE=node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c

FROM ${NODE} AS build
# This stage builds the addon and unpacks TensorFlow. It is not part of an image. The base is
# pinned, and its packages are the current ones of the distribution.
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
# As the first process, tini lets a signal end a worker that does not handle signals yet.
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
# These variables make the container toolkit provide the GPUs of the container.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build-gpu /opt/zeroshift /opt/zeroshift

FROM runtime AS cpu
COPY --from=build-cpu /opt/zeroshift /opt/zeroshift
