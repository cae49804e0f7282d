# syntax=docker/dockerfile:1
ARG NODE_IMAGE=node:26-slim

# JavaScript is emitted here, with the compiler and the types that only building needs.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-fund --no-audit
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# What runs needs packages without development tools. No script of a package is run.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-fund --no-audit

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY scripts/demo-upstream.ts ./scripts/demo-upstream.ts
# The only place that is written to; everything else may be mounted read-only. `./data` of a configuration in /etc/planegate is the same place.
RUN install -d -o node -g node -m 0700 /var/lib/planegate && install -d /etc/planegate && ln -s /var/lib/planegate /etc/planegate/data
VOLUME /var/lib/planegate
USER node
EXPOSE 8080 9090
# Alive, not ready: an issuer that is down must not get the gateway restarted.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PLANEGATE_ADMIN_PORT ?? 9090}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve", "--config", "/etc/planegate/gateway.yaml"]
