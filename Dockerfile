# Two stages: one with Node and npm that compiles, and one with nothing but the result.
#   docker build -t sluice .
#   docker run --rm -p 9080:9080 sluice
#   docker run --rm -p 9080:9080 -v "$PWD/my-folder:/etc/sluice:ro" sluice
# A file of your own must listen on 0.0.0.0: 127.0.0.1 inside a container is the container's own.
FROM node:24-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
WORKDIR /build
COPY package.json package-lock.json .npmrc compile.sh ./
RUN ./compile.sh --deps-only
COPY . .
RUN ./compile.sh && ./test/image/assemble.sh /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
EXPOSE 9080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/sluice"]
CMD ["run", "/etc/sluice/gateway.yaml"]
