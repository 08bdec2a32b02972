# syntax=docker/dockerfile:1
# Two stages: dependencies are compiled in a layer of their own, which only a change of the manifests makes anew.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY commands/Cargo.toml commands/
COPY src/record/Cargo.toml src/record/
RUN mkdir -p src benches tests \
    && touch src/lib.rs commands/lib.rs src/record/lib.rs \
    && echo 'fn main() {}' | tee src/main.rs benches/record.rs benches/push.rs tests/main.rs > /dev/null \
    && cargo build --profile dist --locked \
    && rm -r src commands benches tests
COPY src src
COPY commands commands
COPY config config
COPY benches benches
RUN mkdir tests && echo 'fn main() {}' > tests/main.rs \
    && find src commands -name '*.rs' -exec touch {} + \
    && cargo build --profile dist --locked --bin strillone

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin strillone \
    && install -d -o strillone -g strillone -m 0700 /data
COPY --from=build /src/target/dist/strillone /usr/local/bin/strillone
USER strillone
WORKDIR /data
VOLUME /data
ENV STRILLONE_STORE__PATH=/data \
    STRILLONE_WEB__LISTEN=0.0.0.0:8080
EXPOSE 8080
# The program is process 1 and hears SIGTERM itself.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["strillone", "health"]
ENTRYPOINT ["strillone"]
