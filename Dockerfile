# The server in a container of its own, without root.
#   docker build -t tsredis .
#   docker run -v data:/data -p 127.0.0.1:6379:6379 -v "$PWD/redis.conf:/etc/redis/redis.conf:ro" tsredis /etc/redis/redis.conf
# Without a configuration that sets a password, protected mode lets in nobody from outside the container.

FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.base.json ./
COPY scripts ./scripts
COPY server ./server
COPY src ./src
COPY templates ./templates
RUN npm run build

FROM node:22-bookworm-slim
RUN groupadd --system --gid 6379 redis \
 && useradd --system --uid 6379 --gid redis --home-dir /data --no-create-home --shell /usr/sbin/nologin redis \
 && install -d -o redis -g redis -m 0750 /data
COPY --from=build /build/package.json /opt/tsredis/package.json
COPY --from=build /build/dist /opt/tsredis/dist
COPY --from=build /build/templates /opt/tsredis/templates
RUN for program in /opt/tsredis/dist/bin/*.js; do ln -s "$program" "/usr/local/bin/$(basename "$program" .js)"; done
USER redis
WORKDIR /data
VOLUME /data
EXPOSE 6379
STOPSIGNAL SIGTERM
# A refusal for want of a password is an answer, too: only a server that does not answer is unhealthy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["tsredis-cli", "ping"]
ENTRYPOINT ["tsredis-server"]
CMD ["--dir", "/data"]
